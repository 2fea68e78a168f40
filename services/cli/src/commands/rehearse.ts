import { rehearse } from '@wegwijs/rehearsal/conductor'
import { generateJourneys } from '@wegwijs/rehearsal/generate-journeys'
import { systemClock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import { endRehearsal } from '@wegwijs/store/end-rehearsal'
import { topicsOf } from '@wegwijs/wire/topics'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import type { Command } from 'commander'
import { readEvents } from '../events-input.ts'
import { createProgressView } from '../progress.ts'
import { sandboxRates, sandboxStatus, sandboxUrl } from '../sandbox.ts'
import { type Call, runs, type Shell } from '../shell.ts'
import { teamsBy } from '../teams.ts'
import { atLeastOne, seedText } from '../words.ts'

export type PlayOptions = { step: string; sandbox?: string }

type Options = PlayOptions & { people?: number; seed: string; end?: boolean }

/** A quarter of an hour: the finest that changes nothing a reader of the messages would notice. */
const standardStep = 'PT15M'

/** `wegwijs rehearse`: business time in steps, on the real servers. */
export function addRehearse(program: Command, shell: Shell): void {
  withPlayOptions(program.command('rehearse'))
    .summary('play events in stepped business time')
    .description(
      'Play events in stepped business time, so that weeks pass in minutes: publish those up to a moment, wait until all is decided and sent, jump to the next. Refuses a namespace that has people in real time; services refuse to send to anything but a sandbox meanwhile.',
    )
    .argument(
      '[file]',
      'CloudEvents, one JSON value a line, in order of arrival; - is standard input',
    )
    .option('--people <count>', 'invent the journeys of so many people instead', atLeastOne)
    .option('--seed <text>', 'of the invented journeys', seedText, '1')
    .option(
      '--end',
      'end the rehearsal: forget its people and messages, keep the definition, let real time go on',
    )
    .action(runs(shell, run))
}

export function withPlayOptions(command: Command): Command {
  return command
    .option('--step <duration>', 'ISO 8601; PT0S stops at every moment', standardStep)
    .option('--sandbox <url>', 'the page of the sandbox (beside WEGWIJS_SMS_URL)')
}

async function run(call: Call, options: Options, file?: string): Promise<void> {
  if (options.end) return end(call)
  if ((file === undefined) === (options.people === undefined)) {
    throw fail('WEGWIJS_USAGE', { problem: 'name a file (or -), or --people, and not both' })
  }
  const { people, seed } = options
  const events =
    file === undefined
      ? generateJourneys({ people: people ?? 1, seed })
      : await readEvents(file, call.readInput())
  await play(call, events, options)
}

/** Conducts `events` with a view of how far it is, and says what it came to. */
export async function play(
  call: Call,
  events: readonly TouchpointEvent[],
  { step, sandbox }: PlayOptions,
): Promise<void> {
  const { output, surroundings, signal } = call
  const kafka = await surroundings.kafka()
  const page = sandboxUrl(call.environment, sandbox)
  const view = createProgressView(output.say, { isTerminal: output.isTerminal, clock: systemClock })
  try {
    const played = await rehearse({
      events,
      step,
      store: await surroundings.store(),
      publisher: kafka.publisher,
      admin: kafka.admin,
      sandboxStatus: sandboxStatus(page),
      // As the sandbox has them when it begins.
      teams: async () => teamsBy(await sandboxRates(page), surroundings.secret()),
      signal,
      onProgress: view.show,
    })
    view.end()
    const { instant, steps } = played
    output.data({ events: events.length, steps, instant }, () => [
      `${events.length} events in ${steps} steps; business time stands at ${instant}`,
    ])
  } finally {
    view.end()
  }
}

async function end({ surroundings, output }: Call): Promise<void> {
  const store = await surroundings.store()
  const ended = await endRehearsal(store, async () => {
    const { admin } = await surroundings.kafka()
    const { touchpoints, urgent } = topicsOf(store.namespace)
    const ends = new Map<string, bigint>()
    for (const topic of [touchpoints, urgent]) {
      for (const { partition, high } of await admin.endOffsets(topic)) {
        ends.set(`${topic}/${partition}`, high)
      }
    }
    return ends
  })
  output.say(
    ended
      ? `the rehearsal of ${store.namespace} is over; its people and messages are gone`
      : `${store.namespace} lives in real time already; nothing was changed`,
  )
}
