import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { Simulation } from '@wegwijs/dry-run/simulation'
import { Arrivals, type Arriving } from '@wegwijs/rehearsal/arrivals'
import { generateJourneys } from '@wegwijs/rehearsal/generate-journeys'
import { fail } from '@wegwijs/runtime/failure'
import {
  daysBack,
  type StoredEvent,
  storedEvents,
  storedPeople,
  UnreadableRows,
} from '@wegwijs/store/stored-history'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { streamEvents } from '../events-input.ts'
import { faultLines, type LogOptions, readLogWith } from '../log-options.ts'
import type { Call } from '../shell.ts'

/** Of these one is named. */
export type InputOptions = LogOptions & {
  events?: string
  log?: string
  journeys?: number
  days?: number
  seed: string
}

/** From when on what is stored counts; null for any other input. */
export async function sinceOf(call: Call, { days }: InputOptions): Promise<string | null> {
  if (days === undefined) return null
  const { db } = await call.surroundings.store()
  return daysBack(db, days)
}

/** Plays the same people and events to all of these; gives what of them could not be read. */
export async function playTo(
  simulations: readonly Simulation[],
  call: Call,
  {
    options,
    bundle,
    since,
  }: { options: InputOptions; bundle: DefinitionBundle; since: string | null },
): Promise<UnreadableRows> {
  const unreadable = new UnreadableRows()
  if (since !== null) await introducePeople(simulations, call, { since, unreadable })
  const input =
    since === null ? arriving(call, options, bundle) : storedSince(call, { since, unreadable })
  for await (const some of input) {
    for (const { event, at } of some)
      for (const simulation of simulations) simulation.take(event, at)
    call.signal.throwIfAborted()
  }
  return unreadable
}

type History = { since: string; unreadable: UnreadableRows }

async function introducePeople(
  simulations: readonly Simulation[],
  { surroundings }: Call,
  { since, unreadable }: History,
): Promise<void> {
  const { db } = await surroundings.store()
  for await (const people of storedPeople(db, since, unreadable))
    for (const person of people) for (const simulation of simulations) simulation.introduce(person)
}

async function* storedSince(
  { surroundings }: Call,
  { since, unreadable }: History,
): AsyncGenerator<readonly { event: StoredEvent['event']; at: string }[]> {
  const { db } = await surroundings.store()
  for await (const stored of storedEvents(db, since, unreadable))
    yield stored.map(({ event, arrivedAt }) => ({ event, at: arrivedAt }))
}

/** The events of the one input that was named and when they arrived, some at a time. */
async function* arriving(
  call: Call,
  options: InputOptions,
  bundle: DefinitionBundle,
): AsyncGenerator<readonly Arriving[]> {
  const arrivals = new Arrivals()
  for await (const events of listedEvents(call, options, bundle))
    yield events.flatMap((event) => arrivals.add(event))
  yield arrivals.end()
}

/** @throws WEGWIJS_USAGE unless just one was named */
export function requireOneInput({ events, log, journeys, days }: InputOptions): void {
  const named = [events, log, journeys, days].filter((each) => each !== undefined).length
  if (named === 1) return
  const problem = 'name one of --events, --log, --journeys and --days'
  const found = named === 0 ? 'none was named' : `${named} were named`
  throw fail('WEGWIJS_USAGE', { problem: `${problem}: ${found}` })
}

/** In order of arrival. */
async function* listedEvents(
  call: Call,
  options: InputOptions,
  bundle: DefinitionBundle,
): AsyncGenerator<readonly TouchpointEvent[]> {
  const { events, log, journeys, seed } = options
  if (events !== undefined) yield* streamEvents(events, call.readInput())
  else if (log !== undefined) yield eventsOfLog(call, log, options, bundle)
  else yield generateJourneys({ people: journeys ?? 1, seed })
}

async function eventsOfLog(
  { output }: Call,
  file: string,
  options: InputOptions,
  bundle: DefinitionBundle,
): Promise<TouchpointEvent[]> {
  const { events, faults } = await readLogWith(file, options, bundle)
  for (const line of faultLines(faults)) output.say(line)
  return events
}
