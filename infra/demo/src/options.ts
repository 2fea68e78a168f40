import { type LogOptions, withLogOptions } from '@wegwijs/cli/log-options'
import { atLeastOne, seedText } from '@wegwijs/cli/words'
import { fail } from '@wegwijs/runtime/failure'
import { Command, CommanderError } from 'commander'

export type DemoOptions = LogOptions & {
  embedded: boolean
  /** Ends when everything is told, instead of staying up. */
  exit: boolean
  /** A folder of a definition, instead of the example hospital's. */
  definition?: string
  people: number
  seed: string
  /** Step of business time, ISO 8601; without it what suits the input. */
  step?: string
  /** A log of another system, instead of invented journeys. */
  log?: string
}

/** Enough for every campaign of the example and for some of all that can go wrong: a minute's worth. */
const PEOPLE = 60

/**
 * What the command line asks for; null when it asked for help, which has been written then.
 *
 * @throws WEGWIJS_USAGE
 */
export function readOptions(
  words: readonly string[],
  write: (text: string) => void,
): DemoOptions | null {
  const command = createCommand(write)
  try {
    command.parse([...words], { from: 'user' })
    return command.opts<DemoOptions>()
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return null
    throw fail('WEGWIJS_USAGE', { problem: error.message.replace(/^error: /, '') }, error)
  }
}

function createCommand(write: (text: string) => void): Command {
  const command = new Command('npm run demo --')
    .description(
      'Start everything on this machine, play the journeys of a hospital in stepped time, and show what everybody got and why.',
    )
    .option('--definition <folder>', 'your copy of examples/hospital, instead of that itself')
    .option('--people <count>', 'how many people are invented', atLeastOne, PEOPLE)
    .option('--seed <text>', 'another seed gives other journeys', seedText, '1')
    .option('--log <file>', 'the journeys of a log, a CSV file, instead')
    .option('--step <duration>', 'how far time moves at least, such as PT15M; PT0S: every moment')
    .option('--embedded', 'one process, in-memory Kafka and queue; needs no Java, no Redis', false)
    .option('--exit', 'end when all is told, instead of staying up with the outbox page', false)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => {} })
  return withLogOptions(command)
}
