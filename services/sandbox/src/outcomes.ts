import { bounceDetail, type OutcomeRates, outcomeOf } from '@wegwijs/dry-run/outcome-model'
import { derivedUuid } from '@wegwijs/runtime/derived-id'
import type { Receipt } from '@wegwijs/wire/receipt'
import type { AcceptedMessage } from './accepted.ts'

export const usualRates: OutcomeRates = { bounced: 0.02, none: 0.01 }

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const shares = ['bounced', 'none', 'answered'] as const

/** Reads rates as they were sent; a text tells what is wrong with them. */
export function readRates(value: unknown): OutcomeRates | string {
  if (typeof value !== 'object' || value === null) return 'expected an object'
  const { bounced = 0, none = 0, answered = 0, seed, ...rest } = value as Record<string, unknown>
  const unknown = Object.keys(rest)
  if (unknown.length > 0) return `unknown: ${unknown.join(', ')}`
  const given = { bounced, none, answered }
  const bad = shares.find((name) => !isShare(given[name]))
  if (bad !== undefined) return `${bad}: expected 0 to 1`
  const rates = given as Record<(typeof shares)[number], number>
  if (rates.bounced + rates.none + rates.answered > 1) return 'more than 1 together'
  if (seed === undefined) return rates
  return typeof seed === 'string' && seed !== '' ? { ...rates, seed } : 'seed: expected a text'
}

function isShare(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1
}

/**
 * What is heard of an accepted message, decided by its id and the rates alone: the same in every
 * rehearsal and in a dry run, and a repeat of a message comes to what the first came to. Nothing when
 * nothing is ever heard of it, or when it is not one of ours; an answer comes after the delivery.
 */
export function receiptsOf(message: AcceptedMessage, rates: OutcomeRates): Receipt[] {
  const { intentId, channel } = message
  if (intentId === null || !uuid.test(intentId)) return []
  switch (outcomeOf({ intentId, channel }, rates)) {
    case 'none':
      return []
    case 'bounced':
      return [{ ...receiptAs('bounced', intentId, message), detail: bounceDetail(channel) }]
    case 'delivered':
      return [receiptAs('delivered', intentId, message)]
    case 'answered':
      return [receiptAs('delivered', intentId, message), receiptAs('replied', intentId, message)]
  }
}

/** The first of them: whether it was delivered. */
export function receiptOf(message: AcceptedMessage, rates: OutcomeRates): Receipt | undefined {
  return receiptsOf(message, rates)[0]
}

function receiptAs(
  status: Receipt['status'],
  intentId: string,
  { channel, receivedAt }: AcceptedMessage,
): Receipt {
  const receiptId = derivedUuid('sandbox-receipt', channel, intentId, status)
  return { receiptId, reference: intentId, status, at: receivedAt }
}
