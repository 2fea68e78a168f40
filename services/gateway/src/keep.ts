import type { EventPublisher } from '@wegwijs/kafka/port'
import type { Clock } from '@wegwijs/runtime/clock'
import type { WegwijsError } from '@wegwijs/runtime/failure'
import type { Store } from '@wegwijs/store/database'
import { recordStopEvents, type StopEvent, stopOf } from '@wegwijs/store/stops'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { isUrgent, topicsOf } from '@wegwijs/wire/topics'
import { withinDeadline } from './deadline.ts'
import type { Limits } from './limits.ts'
import { toFailure } from './problem.ts'

/** `kept`: it will not be lost any more. `unknown`: a subject of our own id space nobody has. */
export type Kept =
  | { kind: 'kept' }
  | { kind: 'unknown' }
  | { kind: 'failed'; failure: WegwijsError }

export type Keep = (events: readonly StopEvent[]) => Promise<Kept[]>

/**
 * Keeps events: one answer for each, in their order. Stops are committed to PostgreSQL, the others
 * acknowledged by every in-sync replica of Kafka, in one call so that they stay in order (P6). The
 * two are apart: a stop is kept while Kafka is away (P3), another event while PostgreSQL is.
 *
 * A failure means "not acknowledged": it may have been kept all the same, and counts once when it
 * is sent again (P2).
 */
export function createKeep(options: {
  store: Store
  publisher: EventPublisher
  clock: Clock
  limits: Limits
  onFailure: (failure: WegwijsError) => void
}): Keep {
  const { store, publisher, clock, limits, onFailure } = options
  const { touchpoints, urgent } = topicsOf(store.namespace)

  const commit = async (stops: readonly StopEvent[]): Promise<Kept[]> => {
    const written = recordStopEvents(store, stops)
    const known = await withinDeadline(written, limits.databaseDeadlineMs, clock)
    return known.map((isKnown) => ({ kind: isKnown ? 'kept' : 'unknown' }))
  }

  const publish = async (events: readonly StopEvent[]): Promise<Kept[]> => {
    const records = events.map(({ event }) => ({
      topic: isUrgent(event.type) ? urgent : touchpoints,
      ...encodeRecord(event),
    }))
    await publisher.publish(records, { deadlineMs: limits.publishDeadlineMs })
    return events.map(() => ({ kind: 'kept' }))
  }

  const attempt = async (
    way: (events: readonly StopEvent[]) => Promise<Kept[]>,
    events: readonly StopEvent[],
  ): Promise<Kept[]> => {
    if (events.length === 0) return []
    try {
      return await way(events)
    } catch (error) {
      const failure = toFailure(error)
      onFailure(failure)
      return events.map(() => ({ kind: 'failed', failure }))
    }
  }

  return async (events) => {
    const [stops, others] = [events.filter(isStop), events.filter((each) => !isStop(each))]
    const [committed, published] = await Promise.all([
      attempt(commit, stops),
      attempt(publish, others),
    ])
    const answers = { stop: committed.values(), other: published.values() }
    return events.map((each) => {
      const { value } = answers[isStop(each) ? 'stop' : 'other'].next()
      if (!value) throw new RangeError('an event was kept without an answer')
      return value
    })
  }
}

function isStop({ event }: StopEvent): boolean {
  return stopOf(event) !== null
}
