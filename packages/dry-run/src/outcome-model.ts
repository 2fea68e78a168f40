import { createHash } from 'node:crypto'
import type { ChannelName } from '@wegwijs/campaign/definition/words'
import type { Intent, Question } from '@wegwijs/campaign/state'

/** Shares of the messages that a provider accepted, 0 to 1; what is left is delivered. */
export type OutcomeRates = {
  readonly bounced: number
  /** No receipt ever comes: it happens with every provider. */
  readonly none: number
  /** Delivered, and the person answers. */
  readonly answered?: number
  /**
   * Of a question the shares of its answers among those who answer, in proportion to each other; an answer
   * that is not named is not given. Without it each is given as often.
   */
  readonly answers?: Readonly<Record<string, number>>
  /** Other lots for the same messages. Without one a message's lot hangs on its id alone. */
  readonly seed?: string
}

/** Shares, or what somebody has decided of each message. */
export type Outcomes = OutcomeRates | ((message: Intent, channel: ChannelName) => ModelOutcome)

/** What a provider reports of a message that it accepted; `none`: nothing, ever. */
export type ModelOutcome = 'delivered' | 'bounced' | 'answered' | 'none'

export const alwaysDelivered: OutcomeRates = { bounced: 0, none: 0 }

/**
 * The one model of what becomes of accepted messages, for a dry run and for the sandbox: a hash
 * decides, so the same message comes to the same in every run, in memory and on the real servers.
 */
export function outcomeOf(
  { intentId, channel }: { intentId: string; channel: ChannelName },
  rates: OutcomeRates,
): ModelOutcome {
  const { bounced, none, answered = 0, seed } = rates
  if (bounced + none + answered === 0) return 'delivered'
  const drawn = seed === undefined ? lot('outcome', intentId) : lot(seed, intentId, channel)
  if (drawn < none) return 'none'
  if (drawn < none + bounced) return 'bounced'
  return drawn < none + bounced + answered ? 'answered' : 'delivered'
}

/** Which answer is given to a question that is answered; null when the rates name none that it has. */
export function answerOf(
  { intentId, question }: { intentId: string; question: Pick<Question, 'answers'> },
  { answers, seed }: Pick<OutcomeRates, 'answers' | 'seed'>,
): string | null {
  const weighed = question.answers.map(({ answer }) => {
    const own = answers && Object.hasOwn(answers, answer) ? answers[answer] : 0
    return { answer, weight: answers ? (own ?? 0) : 1 }
  })
  const whole = weighed.reduce((sum, { weight }) => sum + weight, 0)
  let left = lot(seed ?? 'outcome', intentId, 'answer') * whole
  const drawn = weighed.find(({ weight }) => {
    left -= weight
    return left < 0
  })
  return drawn?.answer ?? null
}

/** The code that a provider of this channel gives for a bounce. */
export function bounceDetail(channel: 'email' | 'sms'): string {
  return channel === 'email' ? 'mailbox_full' : 'number_unreachable'
}

/** A number from 0 up to 1 that looks like chance and is always the same for the same parts. */
export function lot(...parts: readonly string[]): number {
  return createHash('sha256').update(parts.join('\n')).digest().readUInt32BE(0) / 2 ** 32
}
