import { createHash } from 'node:crypto'
import type { ChannelName } from '@wegwijs/campaign/definition/words'
import type { Instant } from '@wegwijs/campaign/instant'
import type { Intent, Question, Task } from '@wegwijs/campaign/state'

/** What becomes of tasks. */
export type TaskShares = {
  /** Share of the tasks that are done; without it nobody does any. */
  readonly done?: number
  /** Of a task the shares of its outcomes, in proportion to each other; without it each as often as another. */
  readonly outcomes?: Readonly<Record<string, number>>
  /** Other lots for the same messages and tasks. Without one a lot hangs on its id alone. */
  readonly seed?: string
}

/** Shares of the messages that a provider accepted, 0 to 1; what is left is delivered. */
export type OutcomeRates = TaskShares & {
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
  const named = question.answers.map(({ answer }) => answer)
  return drawn(named, answers, lot(seed ?? 'outcome', intentId, 'answer'))
}

/**
 * Whether, when and with which outcome a task is done: at a moment between when it is due and `until`,
 * when it is waited for no longer. Null when nobody does it, or when the rates name no outcome that it has.
 */
export function taskWordOf(
  task: Pick<Task, 'taskId' | 'outcomes' | 'dueAt'> & { until: Instant },
  { done = 0, outcomes: shares, seed = 'outcome' }: TaskShares,
): { at: Instant; outcome: string } | null {
  const { taskId, dueAt, until } = task
  if (done === 0 || lot(seed, taskId, 'done') >= done) return null
  const names = task.outcomes.map(({ outcome }) => outcome)
  const outcome = drawn(names, shares, lot(seed, taskId, 'outcome'))
  if (outcome === null) return null
  const [fromMs, untilMs] = [Date.parse(dueAt), Date.parse(until)]
  const atMs = fromMs + Math.floor(lot(seed, taskId, 'when') * Math.max(untilMs - fromMs, 0))
  return { at: new Date(atMs).toISOString(), outcome }
}

/** One of the names, by their shares; without any each as often as another. */
function drawn(
  names: readonly string[],
  shares: Readonly<Record<string, number>> | undefined,
  own: number,
): string | null {
  const weighed = names.map((name) => {
    const share = shares && Object.hasOwn(shares, name) ? shares[name] : 0
    return { name, weight: shares ? (share ?? 0) : 1 }
  })
  let left = own * weighed.reduce((sum, { weight }) => sum + weight, 0)
  const found = weighed.find(({ weight }) => {
    left -= weight
    return left < 0
  })
  return found?.name ?? null
}

/** The code that a provider of this channel gives for a bounce. */
export function bounceDetail(channel: 'email' | 'sms'): string {
  return channel === 'email' ? 'mailbox_full' : 'number_unreachable'
}

/** A number from 0 up to 1 that looks like chance and is always the same for the same parts. */
export function lot(...parts: readonly string[]): number {
  return createHash('sha256').update(parts.join('\n')).digest().readUInt32BE(0) / 2 ** 32
}
