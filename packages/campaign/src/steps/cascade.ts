import { type Addressee, addresseesOf } from '../addressees.ts'
import { arrivesWhenSent } from '../definition/words.ts'
import { noteOf } from '../draft.ts'
import type { Explanation } from '../explain/words.ts'
import { timeZoneOf } from '../facts.ts'
import { addDuration, type Instant } from '../instant.ts'
import { type Intent, isPending } from '../state.ts'
import { type MessageStep, messageExplanation, messageStep } from './message.ts'
import { type Cascade, cascadeOf } from './message-channels.ts'
import { isToSame, planMessage, trailOf, withdrawMessage } from './message-plan.ts'
import { isNewer, latestOf, mayStillArrive, turnOf } from './message-status.ts'
import { messageTimes } from './message-times.ts'
import type { StepKind } from './step-kind.ts'
import type { StepResult, StepRun } from './step-run.ts'

/** What was planned for one recipient. */
type Chain = {
  readonly newest: Intent
  /** The last of which more may be heard: the newest, or, where that stood down for one before it, that one. */
  readonly tried: Intent
  readonly hasArrived: boolean
}

const explanation: Explanation<MessageStep> = {
  nl: (step, told, words) => {
    const { id } = step.message
    const { reason, detail, isOfMessage } = told
    if (reason === 'message_next_channel')
      return `is het bericht "${id}" ingepland over een volgend kanaal: over ${String(detail?.after)} ${detail?.hasBounced ? 'kon het niet worden bezorgd' : 'is het niet op tijd bezorgd'}`
    if (reason === 'waiting')
      return `ging de campagne wachten tot het bericht "${id}" is bezorgd, uiterlijk tot ${words.moment(String(detail?.until))}`
    if (reason === 'awaited_came') return `is het bericht "${id}" bezorgd`
    if (reason === 'awaited_not_in_time' && !isOfMessage)
      return `ging de campagne verder: het bericht "${id}" is over geen kanaal op tijd bezorgd`
    return messageExplanation.nl(step, told, words)
  },
  en: (step, told, words) => {
    const { id } = step.message
    const { reason, detail, isOfMessage } = told
    if (reason === 'message_next_channel')
      return `the message "${id}" was planned over a next channel: over ${String(detail?.after)} it ${detail?.hasBounced ? 'bounced' : 'was not delivered in time'}`
    if (reason === 'waiting')
      return `the campaign began to wait until the message "${id}" is delivered, at most until ${words.moment(String(detail?.until))}`
    if (reason === 'awaited_came') return `the message "${id}" was delivered`
    if (reason === 'awaited_not_in_time' && !isOfMessage)
      return `the campaign went on: over no channel was the message "${id}" delivered in time`
    return messageExplanation.en(step, told, words)
  },
}

/**
 * A message that is tried over one channel after the other, until one delivers it. Each has its time from when
 * it is due; what has not gone out by then is taken back, and what may have is looked at again by the last
 * check before the one that comes in its place is sent (P2).
 */
export const cascadeStep: StepKind<MessageStep> = {
  ...messageStep,
  explanation,
  isMeant: ({ message }) => cascadeOf(message) !== null,
  waits: true,
  parts: (step) => ({
    ...messageStep.parts(step),
    messages: [{ path: ['message', 'id'], id: step.message.id }],
    isRetried: true,
  }),
  decide(step, run) {
    messageStep.decide(step, run)
    const chains = chainsOf(run)
    const isOpen = chains.some((chain) => isAwaited(step, run, chain))
    return isOpen ? { waitUntil: earliestEnd(step, run, chains) } : { goTo: run.node.next }
  },
  // What a move withdrew begins anew in the version to which it led.
  hasBegun: (_, run) => chainsOf(run).some(({ tried }) => tried.reason !== 'moved_to_version'),
  waitsUntil: (step, run) => earliestEnd(step, run, chainsOf(run)),
  // Not only since the run stands at it: what went out is told, and the next channel tells of the newer version.
  beginsAnew: () => 'ahead',
  // The messages themselves are planned anew by then.
  onMoved() {},
  onReceipt(step, run) {
    const refused = chainsOf(run).filter(
      ({ tried, hasArrived }) => !hasArrived && tried.state === 'bounced',
    )
    const planned = refused.filter((chain) => planNext(step, run, chain))
    const chains = chainsOf(run)
    if (chains.every(({ tried, hasArrived }) => hasArrived || isOver(tried)))
      return goOn(run, chains)
    // Where no channel is left, what is heard of somebody else changes nothing, in whatever order it comes.
    return planned.length > 0 ? { waitUntil: earliestEnd(step, run, chains) } : null
  },
  onTimer(step, run) {
    for (const chain of chainsOf(run)) if (isOverdue(step, run, chain)) planNext(step, run, chain)
    const chains = chainsOf(run)
    const isOpen = chains.some((chain) => isAwaited(step, run, chain))
    return isOpen ? { waitUntil: earliestEnd(step, run, chains) } : goOn(run, chains)
  },
}

/** One for each recipient, by the record that they are now. */
function chainsOf({ draft, enrolment, node, context }: StepRun): Chain[] {
  const own = [...draft.intents.values()].filter(
    ({ enrolmentId, step }) => enrolmentId === enrolment.enrolmentId && step === node.path,
  )
  const byRecipient = Map.groupBy(own, (intent) => recipientOf(intent, context))
  return [...byRecipient.values()].map((intents) => {
    const newest = intents.reduce((last, each) => (isNewer(each, last) ? each : last))
    const trail = trailOf(newest, draft)
    const tried = trail.find((intent) => !hasStoodDown(intent)) ?? newest
    // Of two who are one by now, the one who has it has it for both.
    const hasArrived = latestOf(intents).some(isThere) || trail.some(isThere) || hasStoodDown(tried)
    return { newest, tried, hasArrived }
  })
}

function recipientOf({ recipient }: Intent, { otherOf }: StepRun['context']): string | undefined {
  return recipient && (otherOf?.(recipient.personId)?.personId ?? recipient.personId)
}

/** What lies in the app is there though its receipt is on the way. */
function isThere({ state, channel }: Intent): boolean {
  return state === 'delivered' || (state === 'sent' && arrivesWhenSent.has(channel ?? 'sms'))
}

function hasStoodDown({ state, reason }: Intent): boolean {
  return (
    state === 'cancelled' && (reason === 'awaited_after_all' || reason === 'older_version_told')
  )
}

/** Refused for what holds for every channel, or over every one: the next one would be, too. */
function isOver({ state, reason }: Intent): boolean {
  return (
    reason !== 'closed_by_staff' &&
    ['skipped', 'cancelled', 'expired', 'bounced', 'failed'].includes(state)
  )
}

/** What nothing but its own channel puts off has had its time all the same: the next one could go out. */
function endOf(
  step: MessageStep,
  { draft, context }: StepRun,
  { newest: { dueAt, dueSince = dueAt } }: Chain,
): Instant {
  return addDuration(dueSince, cascadeIn(step).after, timeZoneOf(draft, context))
}

function isAwaited(step: MessageStep, run: StepRun, chain: Chain): boolean {
  return !chain.hasArrived && !isOver(chain.tried) && endOf(step, run, chain) > run.context.now
}

function isOverdue(step: MessageStep, run: StepRun, chain: Chain): boolean {
  if (chain.hasArrived) return false
  if (isOver(chain.tried)) return chain.tried.state === 'bounced'
  return endOf(step, run, chain) <= run.context.now
}

function earliestEnd(step: MessageStep, run: StepRun, chains: readonly Chain[]): Instant {
  const ends = chains
    .filter((chain) => isAwaited(step, run, chain))
    .map((chain) => endOf(step, run, chain))
  return ends.toSorted()[0] ?? run.context.now
}

/** Whether it did: not where no channel is left, or no time: the whole is worth having as long as its first one was. */
function planNext(step: MessageStep, run: StepRun, { newest, tried }: Chain): boolean {
  const { draft, enrolment, context } = run
  const after = tried.channel ?? tried.channels[0] ?? ''
  const channels = tried.channels.slice(tried.channels.findIndex((each) => each === after) + 1)
  if (channels.length === 0) return false
  const addressee = addresseesOf(step.message, run, context.now).find(({ recipient }) =>
    isToSame(newest, recipient, context),
  )
  const times = addressee && timesOfNext(step, run, newest, addressee)
  if (!addressee || !times || times.expiresAt <= context.now) return false
  // One that may have been sent before says so first, over its own channel (P2).
  if (isPending(newest) && !newest.duplicate)
    withdrawMessage(draft, enrolment, newest, 'awaited_not_in_time')
  planMessage(step, run, { times, addressee }, 'message_next_channel', {
    insteadOf: mayStillArrive(tried) ? tried.intentId : tried.insteadOf,
    rest: {
      channels,
      turn: turnOf(newest) + 1,
      after,
      hasBounced: tried.state === 'bounced',
    },
  })
  return true
}

/** Now, or when its days and hours and the quiet ones allow. What is told of a newer version is worth having as that says. */
function timesOfNext(step: MessageStep, run: StepRun, newest: Intent, addressee: Addressee) {
  const times = messageTimes(step, run, addressee, { isAtOnce: true })
  if (times === null) return null
  const isOfSame = newest.entity?.version === run.enrolment.entity?.version
  const expiresAt = isOfSame ? newest.expiresAt : times.expiresAt
  return {
    ...times,
    expiresAt: !times.outlastedBy && times.dueAt < expiresAt ? expiresAt : run.context.now,
  }
}

function goOn({ draft, enrolment, node }: StepRun, chains: readonly Chain[]): StepResult {
  const hasArrived = chains.some((chain) => chain.hasArrived)
  noteOf(draft, enrolment, hasArrived ? 'awaited_came' : 'awaited_not_in_time', {
    detail: { step: node.path },
  })
  return { goTo: node.next }
}

function cascadeIn({ message }: MessageStep): Cascade {
  const cascade = cascadeOf(message)
  if (!cascade) throw new RangeError(`message ${message.id} is no cascade`)
  return cascade
}
