import { ownSource } from '@wegwijs/campaign/event-check'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { messageType } from '@wegwijs/wire/receipt'
import { signEvent } from '@wegwijs/wire/signature'
import { topicsOf } from '@wegwijs/wire/topics'
import type { OutboxRecord } from './outbox.ts'
import type { MessageOutcome } from './outcome-events.ts'

/** What of one message is needed to say that it has arrived. */
export type Arrival = Pick<MessageOutcome, 'intentId' | 'personId' | 'channel' | 'provider' | 'at'>

/**
 * Channels whose messages have arrived when they were handed over: an inbox of our own. No provider
 * reports of them, so whoever writes down that they were sent says so.
 */
const arrivesWhenSent = new Set<string>(['app'])

/**
 * The receipts of what has arrived by being sent: events in again, like those that the gateway makes of
 * what providers report. Their ids are derived, so that the same arrival written twice is one event (P2).
 *
 * @param secret WEGWIJS_SECRET: nobody else says what became of a message
 */
export function arrivalRecords(
  namespace: string,
  sent: readonly Arrival[],
  secret: string,
): OutboxRecord[] {
  const topic = topicsOf(namespace).touchpoints
  return sent
    .filter(({ channel }) => arrivesWhenSent.has(channel))
    .map(({ intentId, personId, channel, provider, at }) => {
      const event = {
        id: `${intentId}-delivered`,
        source: `${ownSource}:receipts:${provider}`,
        type: messageType('delivered'),
        subject: personId,
        time: at,
        data: { intentId, provider, channel },
      }
      return { topic, ...encodeRecord(signEvent(event, secret)) }
    })
}
