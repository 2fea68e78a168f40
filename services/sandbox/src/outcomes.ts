import type { Question } from '@wegwijs/campaign/state'
import {
  answerOf,
  bounceDetail,
  type OutcomeRates,
  outcomeOf,
} from '@wegwijs/dry-run/outcome-model'
import { derivedUuid } from '@wegwijs/runtime/derived-id'
import type { Receipt } from '@wegwijs/wire/receipt'
import type { AcceptedMessage } from './accepted.ts'

export const usualRates: OutcomeRates = { bounced: 0.02, none: 0.01 }

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const shares = ['bounced', 'none', 'answered'] as const
const allShares = [...shares, 'done'] as const

/** Reads rates as they were sent; a text tells what is wrong with them. */
export function readRates(value: unknown): OutcomeRates | string {
  if (typeof value !== 'object' || value === null) return 'expected an object'
  const {
    bounced = 0,
    none = 0,
    answered = 0,
    done,
    answers,
    outcomes,
    seed,
    ...rest
  } = value as Record<string, unknown>
  const unknown = Object.keys(rest)
  if (unknown.length > 0) return `unknown: ${unknown.join(', ')}`
  const given = { bounced, none, answered, done: done ?? 0 }
  const bad = allShares.find((name) => !isShare(given[name]))
  if (bad !== undefined) return `${bad}: expected 0 to 1`
  if (answers !== undefined && !isWeights(answers)) {
    return 'answers: expected numbers from 0 by the name of an answer'
  }
  if (outcomes !== undefined && !isWeights(outcomes)) {
    return 'outcomes: expected numbers from 0 by the name of an outcome'
  }
  const rates = {
    ...({ bounced, none, answered } as Record<(typeof shares)[number], number>),
    ...(done !== undefined && { done: done as number }),
    ...(answers !== undefined && { answers }),
    ...(outcomes !== undefined && { outcomes }),
  }
  if (rates.bounced + rates.none + rates.answered > 1) return 'more than 1 together'
  if (seed === undefined) return rates
  return typeof seed === 'string' && seed !== '' ? { ...rates, seed } : 'seed: expected a text'
}

function isWeights(value: unknown): value is Record<string, number> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((each) => typeof each === 'number' && each >= 0)
  )
}

function isShare(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1
}

/**
 * What is heard of an accepted message, decided by its id and the rates alone: the same in every
 * rehearsal and in a dry run, and a repeat of a message comes to what the first came to. Nothing when
 * nothing is ever heard of it, or when it is not one of ours; an answer comes after the delivery. What
 * `question` asks is answered by one of its answers, anything else in words of which nothing is known.
 */
export function receiptsOf(
  message: AcceptedMessage,
  rates: OutcomeRates,
  question: Pick<Question, 'answers'> | null = null,
): Receipt[] {
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
      return [
        receiptAs('delivered', intentId, message),
        answerAs(intentId, message, question, rates),
      ]
  }
}

/** The first of them: whether it was delivered. */
export function receiptOf(message: AcceptedMessage, rates: OutcomeRates): Receipt | undefined {
  return receiptsOf(message, rates)[0]
}

function answerAs(
  intentId: string,
  message: AcceptedMessage,
  question: Pick<Question, 'answers'> | null,
  rates: OutcomeRates,
): Receipt {
  const answer = question && answerOf({ intentId, question }, rates)
  if (answer === null) return receiptAs('replied', intentId, message)
  return { ...receiptAs('answered', intentId, message), answer }
}

function receiptAs(
  status: Receipt['status'],
  intentId: string,
  { channel, receivedAt }: AcceptedMessage,
): Receipt {
  const receiptId = derivedUuid('sandbox-receipt', channel, intentId, status)
  return { receiptId, reference: intentId, status, at: receivedAt }
}
