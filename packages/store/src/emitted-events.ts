import type { Decision } from '@wegwijs/campaign/draft'
import { ownSource } from '@wegwijs/campaign/event-check'
import { emittedBy } from '@wegwijs/campaign/steps/emit'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicsOf } from '@wegwijs/wire/topics'
import type { Querying } from './database.ts'
import { appendOutbox, type OutboxRecord } from './outbox.ts'

/** What was decided about somebody, and when in business time. */
export type DecidedAbout = {
  personId: string
  at: string
  decisions: readonly Pick<Decision, 'reason' | 'detail'>[]
}

/**
 * Publishes what campaigns tell other systems, with the transaction in which they decided it: CloudEvents
 * about the person on the topic `emitted`. The id comes from the decision, so that the same one made again
 * is one event to whoever reads it (P2). Gives how many there are.
 */
export function publishEmitted(
  tx: Querying,
  namespace: string,
  decided: readonly DecidedAbout[],
): number {
  const topic = topicsOf(namespace).emitted
  const records = decided.flatMap(({ personId, at, decisions }) =>
    decisions.flatMap((decision): OutboxRecord[] => {
      const emitted = emittedBy(decision)
      if (!emitted) return []
      const { eventId: id, type, data } = emitted
      const event = { id, source: ownSource, type, subject: personId, time: at, data }
      return [{ topic, ...encodeRecord(event) }]
    }),
  )
  void appendOutbox(tx, records)
  return records.length
}
