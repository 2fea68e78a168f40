import { derivedUuid } from '@wegwijs/runtime/derived-id'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicsOf } from '@wegwijs/wire/topics'
import type { OutboxRecord } from './outbox.ts'
import type { IntentState } from './schema.ts'

/** States of a message that other systems are told of: what it came to, and that it was sent. */
export const toldStates = [
  'sent',
  'delivered',
  'bounced',
  'skipped',
  'cancelled',
  'expired',
  'failed',
  'held',
] as const satisfies readonly IntentState[]

export type ToldState = (typeof toldStates)[number]

export function isTold(state: IntentState): state is ToldState {
  return (toldStates as readonly IntentState[]).includes(state)
}

/** One message that has come to a state. Ids and codes only, no contact details and no text (P7). */
export type MessageOutcome = {
  intentId: string
  personId: string
  campaignId: string
  version: number
  messageId: string
  /** The channel that was tried last, or would have been tried. */
  channel: string
  /** Who was asked to send it; null when nobody was. */
  provider: string | null
  state: ToldState
  reason: string | null
  /** How often it had been claimed: a message that comes to the same state again is told again. */
  fence: number
  /** Business time. */
  at: string
}

const source = 'urn:wegwijs'

/**
 * The records for the topic `messages`: CloudEvents `message.<state>.v1` about the person. The id is
 * derived, so that the same outcome written twice is one event to whoever reads it (P2).
 */
export function outcomeRecords(
  namespace: string,
  outcomes: readonly MessageOutcome[],
): OutboxRecord[] {
  const topic = topicsOf(namespace).messages
  return outcomes.map(({ fence, at, ...outcome }) => ({
    topic,
    ...encodeRecord({
      id: derivedUuid('outcome', outcome.intentId, outcome.state, String(fence)),
      source,
      type: `message.${outcome.state}.v1`,
      subject: outcome.personId,
      time: at,
      data: dataOf(outcome),
    }),
  }))
}

function dataOf(outcome: Omit<MessageOutcome, 'fence' | 'at'>) {
  const { intentId, campaignId, version, messageId, channel, provider, state, reason } = outcome
  return { intentId, campaignId, version, messageId, channel, provider, state, reason }
}
