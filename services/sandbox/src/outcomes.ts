import { derivedUuid } from '@wegwijs/runtime/derived-id'
import type { Receipt } from '@wegwijs/wire/receipt'
import type { AcceptedMessage } from './accepted.ts'
import { chance } from './chance.ts'

/** Shares of the messages; what is left is delivered. */
export type OutcomeRates = {
  bounced: number
  /** No receipt ever comes: it happens with every provider. */
  none: number
}

export const usualRates: OutcomeRates = { bounced: 0.02, none: 0.01 }

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/**
 * What becomes of an accepted message, decided by its intent id alone: the same in every rehearsal,
 * and a repeat of a message comes to what the first came to. Undefined when nothing is ever heard
 * of it, or when it is not one of ours.
 */
export function receiptOf(message: AcceptedMessage, rates: OutcomeRates): Receipt | undefined {
  const { intentId, channel, receivedAt } = message
  if (intentId === null || !uuid.test(intentId)) return undefined
  const drawn = chance('outcome', intentId)
  if (drawn < rates.none) return undefined
  const bounced = drawn < rates.none + rates.bounced
  const status = bounced ? 'bounced' : 'delivered'
  return {
    receiptId: derivedUuid('sandbox-receipt', channel, intentId, status),
    reference: intentId,
    status,
    at: receivedAt,
    ...(bounced ? { detail: channel === 'email' ? 'mailbox_full' : 'number_unreachable' } : {}),
  }
}
