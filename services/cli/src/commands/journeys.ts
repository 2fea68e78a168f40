import { generateJourneys } from '@wegwijs/rehearsal/generate-journeys'
import { fail } from '@wegwijs/runtime/failure'
import { latestBundle } from '@wegwijs/store/definitions'
import { formatEvent, type TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import type { Command } from 'commander'
import { faultLines, type LogOptions, readLogWith, withLogOptions } from '../log-options.ts'
import { type Call, runs, type Shell } from '../shell.ts'
import { atLeastOne, instantText, seedText } from '../words.ts'
import { type PlayOptions, play, withPlayOptions } from './rehearse.ts'

type GenerateOptions = { people: number; seed: string; from?: string }
type ReplayOptions = LogOptions & PlayOptions & { print?: boolean }

/** `wegwijs journeys`: invented ones, and those of a log. */
export function addJourneys(program: Command, shell: Shell): void {
  const journeys = program
    .command('journeys')
    .description('Journeys to rehearse with: invented ones, and those of a log.')
  journeys
    .command('generate')
    .description(
      'Invent journeys through examples/hospital, as CloudEvents, one JSON value a line, in order of arrival. The same seed gives the same journeys.',
    )
    .option('--people <count>', 'how many people', atLeastOne, 100)
    .option('--seed <text>', 'letters and digits', seedText, '1')
    .option('--from <moment>', 'when the first of them arrives', instantText)
    .action(runs(shell, generate))
  withPlayOptions(withLogOptions(journeys.command('replay')))
    .description(
      'Rehearse the journeys of a log, a CSV file of any system. Its people get invented contacts that cannot be reached.',
    )
    .argument('<file>', 'the log; its first line names the columns')
    .option('--print', 'print the events instead of rehearsing them')
    .action(runs(shell, replay))
}

async function generate({ output }: Call, options: GenerateOptions): Promise<void> {
  const { people, seed, from } = options
  const events = generateJourneys({ people, seed, ...(from === undefined ? {} : { from }) })
  print(output.line, events)
  output.say(`${events.length} events of ${people} people`)
}

async function replay(call: Call, options: ReplayOptions, file = ''): Promise<void> {
  const { db } = await call.surroundings.store()
  const latest = await latestBundle(db)
  if (latest === null) {
    throw fail('WEGWIJS_USAGE', { problem: 'no definition has been applied; see `wegwijs apply`' })
  }
  const { events, people, faults } = await readLogWith(file, options, latest.bundle)
  for (const line of faultLines(faults)) call.output.say(line)
  call.output.say(`${events.length} events of ${people} people`)
  if (options.print) print(call.output.line, events)
  else await play(call, events, options)
}

function print(line: (text: string) => void, events: readonly TouchpointEvent[]): void {
  for (const event of events) line(JSON.stringify(formatEvent(event)))
}
