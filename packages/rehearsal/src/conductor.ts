import type { EventPublisher, TopicAdmin } from '@wegwijs/kafka/port'
import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import { beginRehearsal, type Held, stepBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { readRehearsalGround, readStanding, type Standing } from '@wegwijs/store/standing'
import { wake } from '@wegwijs/store/wake'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { isUrgent, topicsOf } from '@wegwijs/wire/topics'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { type Arriving, withArrival } from './arrivals.ts'
import { createSettling, type Settling } from './settle.ts'
import { createGrid, endOfTime } from './steps.ts'
import { createTaskWords, type TaskWords, type Teams } from './task-words.ts'

/**
 * The conductor of stepped business time. It moves from moment to moment; at each of them, in turn:
 *
 * 1. what is due by now is taken up, while no event is decided: all timers, then all messages, and so on
 *    until nothing of it is left; then, while nothing is due, what providers report of it and what teams say
 *    of their tasks is decided; and so on, until neither leads to anything more at this moment;
 * 2. nothing is due, and the events that have arrived by now are published and decided;
 * 3. what became due by that is taken up, as in 1.
 *
 * Then it jumps to the next event or due time, rounded up to the step. Within a step the due comes
 * before the events, and no event waits for a message or the other way round: what comes out is a
 * matter of the input alone, not of who was quicker. All messages of a moment are there before the first of
 * them takes a place of a band or a contact budget, and they take it in one order (docs/what-it-means-exactly.md). A finer step is nearer to what real time would
 * have done, `PT0S` is exactly it.
 */
export type Rehearsal = {
  /** In the order of arrival; one whose time lies before the one above it is late. */
  events: readonly TouchpointEvent[]
  /** ISO 8601, such as PT15M; PT0S stops at every moment at which something happens. */
  step: string
  store: Store
  publisher: Pick<EventPublisher, 'publish'>
  admin: Pick<TopicAdmin, 'endOffsets'>
  /** Receipts that the sandbox has still to send. */
  sandboxStatus: () => Promise<{ pending: number }>
  /** Who does what campaigns ask of people; without them nobody does. */
  teams?: (() => Promise<Teams | null>) | undefined
  signal: AbortSignal
  onProgress?: (progress: Progress) => void
  clock?: Clock
  /** How long nothing may move before the rehearsal gives up, in real time. */
  stallMs?: number
}

export type Progress = {
  /** Business time, once it stands. */
  instant: string | null
  events: number
  totalEvents: number
  steps: number
  /** What nothing of has moved for some seconds; empty while things move. */
  waitingFor: readonly string[]
}

const STALL_MS = 120_000
const PUBLISH_DEADLINE_MS = 30_000
const RECORDS_AT_ONCE = 1_000

/**
 * Rehearses until no event is left and nothing is due any more. The same call goes on where an
 * earlier one was cut off: what was published already counts once.
 *
 * @throws WEGWIJS_REHEARSAL_REFUSED on a namespace that lives in real time, or whose rehearsal has
 *   gone past the first event of another input; WEGWIJS_REHEARSAL_STALLED
 */
export async function rehearse(rehearsal: Rehearsal): Promise<Progress> {
  const { store, clock = systemClock } = rehearsal
  const grid = createGrid(rehearsal.step)
  const arriving = withArrival(rehearsal.events)
  const topics = topicsOf(store.namespace)
  let progress: Progress = {
    instant: null,
    events: 0,
    totalEvents: arriving.length,
    steps: 0,
    waitingFor: [],
  }
  const tell = (change: Partial<Progress>) => {
    progress = { ...progress, waitingFor: [], ...change }
    rehearsal.onProgress?.(progress)
  }
  const settling = createSettling({
    ...rehearsal,
    clock,
    topics: [topics.touchpoints, topics.urgent],
    onWaiting: (waitingFor) => tell({ waitingFor }),
    stallMs: rehearsal.stallMs ?? STALL_MS,
  })
  let standing = await refuseRealTime(store, arriving[0])
  const words = createTaskWords(store, (await rehearsal.teams?.()) ?? null)
  if (standing.rehearsalInstant === null && arriving[0]) {
    await beginRehearsal(store.db, arriving[0].at)
  }
  // What one that went before has left in the queue would expire by the first step.
  if (standing.queued || standing.sending || standing.rollingOut)
    standing = await settling.untilIdle()
  if (standing.rehearsalInstant !== null) {
    // So has one that was cut off between what went out and what was heard of it.
    await moveTo(store, standing.rehearsalInstant, { dueHeld: true })
    standing = await settling.untilHeard()
  }
  const last = arriving.at(-1)?.at ?? standing.rehearsalInstant
  const end = last === null ? '' : endOfTime(last)
  for (;;) {
    const next = earliest(
      arriving[progress.events]?.at,
      standing.nextTimer,
      standing.nextMessage,
      await words.nextAt(),
    )
    if (next === undefined || next > end) return finish(store, progress)
    const instant = latest(grid.roundUp(next), standing.rehearsalInstant)
    const events = arrivedBy(arriving, progress.events, instant)
    standing = await playStep({ ...rehearsal, settling, words, standing, instant, events })
    tell({ instant, events: progress.events + events.length, steps: progress.steps + 1 })
  }
}

/** What comes in later, by hand, is due as it comes. */
async function finish(store: Store, progress: Progress): Promise<Progress> {
  if (progress.instant !== null) await moveTo(store, progress.instant, { dueHeld: false })
  return progress
}

type Step = Pick<Rehearsal, 'store' | 'publisher'> & {
  settling: Settling
  words: TaskWords
  standing: Standing
  instant: string
  events: readonly TouchpointEvent[]
}

async function playStep(step: Step): Promise<Standing> {
  const { store, settling, instant, events } = step
  const standing = await settle(step, step.standing)
  if (events.length === 0) return standing
  await moveTo(store, instant, { dueHeld: true })
  let read = standing
  for (const run of runsOf(events)) {
    read = await settling.untilRead(await publish(step, run))
  }
  return settle(step, read)
}

/** Until nothing is due any more, and nothing is left to be heard of what went out. */
async function settle(
  { store, settling, words, instant }: Step,
  before: Standing,
): Promise<Standing> {
  let standing = before
  for (;;) {
    let goesOut = false
    for (; isLeft(standing, instant); goesOut = true) {
      if (isDue(standing.nextTimer, instant)) {
        await moveTo(store, instant, { messagesHeld: true, eventsHeld: true })
        standing = await settling.untilFired(instant)
      } else {
        await moveTo(store, instant, { timersHeld: true, eventsHeld: true })
        standing = await settling.untilOut(instant)
      }
    }
    const said = await words.sayUntil(instant, () =>
      moveTo(store, instant, { dueHeld: true, eventsHeld: true }),
    )
    if (said > 0) standing = await settling.untilIdle()
    // Of a message of which we do not know whether it went out, a receipt may tell.
    if (!goesOut && said === 0) return standing
    await moveTo(store, instant, { dueHeld: true })
    standing = await settling.untilHeard()
  }
}

async function moveTo(store: Store, instant: string, held: Held): Promise<void> {
  await stepBusinessTime(store.db, instant, held)
  // While nothing is due there is nothing to look for; the events wake whom they concern.
  if (!held.dueHeld) await wake(store.db, store.namespace, ['clock'])
}

/** Returns the offsets that journey has read once all of them are decided. */
async function publish(
  { store, publisher }: Pick<Step, 'store' | 'publisher'>,
  events: readonly TouchpointEvent[],
): Promise<Map<string, bigint>> {
  const topics = topicsOf(store.namespace)
  const offsets = new Map<string, bigint>()
  for (let from = 0; from < events.length; from += RECORDS_AT_ONCE) {
    const records = events.slice(from, from + RECORDS_AT_ONCE).map((event) => ({
      topic: isUrgent(event.type) ? topics.urgent : topics.touchpoints,
      ...encodeRecord(event),
    }))
    const places = await publisher.publish(records, { deadlineMs: PUBLISH_DEADLINE_MS })
    for (const { topic, partition, offset } of places) {
      offsets.set(`${topic}/${partition}`, offset + 1n)
    }
  }
  return offsets
}

/**
 * Events that may be published together: those of one source, since one person may have a subject
 * at each. What overtakes others by design (a stop), or is about two people or two subjects of one, is
 * decided by itself. Else the order would be that of the partitions.
 */
function runsOf(events: readonly TouchpointEvent[]): TouchpointEvent[][] {
  const runs: TouchpointEvent[][] = []
  let open: TouchpointEvent[] | undefined
  for (const event of events) {
    if (isAlone(event.type)) {
      runs.push([event])
      open = undefined
    } else if (open === undefined || open[0]?.source !== event.source) {
      open = [event]
      runs.push(open)
    } else open.push(event)
  }
  return runs
}

/** Two people, or two subjects of one. */
const aboutSeveral: ReadonlySet<string> = new Set([
  'person.identified.v1',
  'person.merged.v1',
  'relation.granted.v1',
])

function isAlone(type: string): boolean {
  return isUrgent(type) || aboutSeveral.has(type)
}

async function refuseRealTime(store: Store, first: Arriving | undefined): Promise<Standing> {
  const standing = await readStanding(store.db)
  const ground = await readRehearsalGround(store.db, first?.event)
  if (standing.rehearsalInstant === null) {
    if (!ground.hasPeople) return standing
    const reason = `the namespace ${store.namespace} has people who live in real time`
    throw fail('WEGWIJS_REHEARSAL_REFUSED', { reason })
  }
  const isOver = first !== undefined && first.at < standing.rehearsalInstant
  if (isOver && !ground.knowsFirstEvent) {
    const reason = `business time stands at ${standing.rehearsalInstant} and the first event is of ${first.at}`
    throw fail('WEGWIJS_REHEARSAL_REFUSED', { reason })
  }
  return standing
}

/** Of the outbox, too: a rehearsal that is over leaves nothing behind that somebody has to find. */
function isLeft({ nextTimer, nextMessage, unpublished }: Standing, instant: string): boolean {
  return isDue(nextTimer, instant) || isDue(nextMessage, instant) || unpublished
}

function isDue(next: string | null, instant: string): boolean {
  return next !== null && next <= instant
}

function arrivedBy(
  arriving: readonly Arriving[],
  from: number,
  instant: string,
): TouchpointEvent[] {
  let to = from
  while ((arriving[to]?.at ?? '~') <= instant) to++
  return arriving.slice(from, to).map(({ event }) => event)
}

function earliest(...moments: readonly (string | null | undefined)[]): string | undefined {
  return moments.filter((each) => typeof each === 'string').sort()[0]
}

function latest(instant: string, standsAt: string | null): string {
  return standsAt !== null && standsAt > instant ? standsAt : instant
}
