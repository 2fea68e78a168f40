import { type Addressee, addresseesOf } from '../addressees.ts'
import { arrivesWhenSent, type ChannelName } from '../definition/words.ts'
import type { Draft } from '../draft.ts'
import { noteOf } from '../draft.ts'
import type { Explanation } from '../explain/words.ts'
import { timeZoneOf } from '../facts.ts'
import { addDuration, type Instant } from '../instant.ts'
import { type Enrolment, type Intent, isPending, statesByReach } from '../state.ts'
import {
  type Cascade,
  cascadeOf,
  isNewer,
  type MessageStep,
  messageExplanation,
  messageStep,
  messageTimes,
  planMessage,
  withdrawMessage,
} from './message.ts'
import type { StepKind } from './step-kind.ts'
import type { StepResult, StepRun } from './step-run.ts'

/** What was planned for one recipient, for the version on which the run hangs; the newest is the last tried. */
type Chain = { readonly newest: Intent; readonly isDelivered: boolean }

const explanation: Explanation<MessageStep> = {
  nl: (step, told, words) => {
    const { id } = step.message
    const { reason, detail, isOfMessage } = told
    if (reason === 'message_next_channel')
      return `is het bericht "${id}" ingepland over een volgend kanaal: over ${String(detail?.after)} is het niet op tijd bezorgd`
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
      return `the message "${id}" was planned over a next channel: over ${String(detail?.after)} it was not delivered in time`
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
  waits: true,
  parts: (step) => ({
    ...messageStep.parts(step),
    messages: [{ path: ['message', 'id'], id: step.message.id }],
  }),
  decide(step, run) {
    messageStep.decide(step, run)
    const chains = chainsOf(run)
    return chains.length === 0
      ? { goTo: run.node.next }
      : { waitUntil: earliestEnd(step, run, chains) }
  },
  // One chain that has come through says so, as one recipient does for all.
  read: ({ message }, _, { draft, enrolment }) => {
    const chains = chainsIn(draft, enrolment, ({ messageId }) => messageId === message.id)
    const states = chains.map(({ newest, isDelivered }) =>
      isDelivered ? 'delivered' : newest.state,
    )
    return statesByReach.find((state) => states.includes(state))
  },
  hasBegun: (_, run) => chainsOf(run).length > 0,
  waitsUntil: (step, run) => earliestEnd(step, run, chainsOf(run)),
  onReceipt(step, run) {
    const bounced = chainsOf(run).filter(
      ({ newest, isDelivered }) => !isDelivered && newest.state === 'bounced',
    )
    for (const chain of bounced) planNext(step, run, chain)
    const chains = chainsOf(run)
    if (chains.every(({ newest, isDelivered }) => isDelivered || isOver(newest)))
      return goOn(run, chains)
    return bounced.length > 0 ? { waitUntil: earliestEnd(step, run, chains) } : null
  },
  onTimer(step, run) {
    for (const chain of chainsOf(run)) if (isOverdue(step, run, chain)) planNext(step, run, chain)
    const chains = chainsOf(run)
    const isOpen = chains.some((chain) => isAwaited(step, run, chain))
    return isOpen ? { waitUntil: earliestEnd(step, run, chains) } : goOn(run, chains)
  },
  onDelivered(_, { draft, enrolment }, delivered) {
    for (const intent of [...draft.intents.values()]) {
      if (isOfSameChain(intent, delivered) && intent.channels.length < delivered.channels.length)
        if (isPending(intent)) withdrawMessage(draft, enrolment, intent, 'awaited_after_all')
    }
  },
}

function isOfSameChain(one: Intent, other: Intent): boolean {
  return (
    one.enrolmentId === other.enrolmentId &&
    one.step === other.step &&
    one.entity?.version === other.entity?.version &&
    one.recipient?.personId === other.recipient?.personId
  )
}

function chainsOf({ draft, enrolment, node }: StepRun): Chain[] {
  return chainsIn(draft, enrolment, ({ step }) => step === node.path)
}

function chainsIn(
  draft: Draft,
  enrolment: Enrolment,
  isOfStep: (intent: Intent) => boolean,
): Chain[] {
  const own = [...draft.intents.values()].filter(
    (intent) =>
      intent.enrolmentId === enrolment.enrolmentId &&
      intent.entity?.version === enrolment.entity?.version &&
      isOfStep(intent),
  )
  return [...Map.groupBy(own, ({ recipient }) => recipient?.personId).values()].map((intents) => {
    const newest = intents.reduce((last, each) => (isNewer(each, last) ? each : last))
    return { newest, isDelivered: hasArrived(newest, draft) }
  })
}

/** It, or one in whose place it came: what lies in the app is there though its receipt is on the way. */
function hasArrived(newest: Intent, draft: Draft): boolean {
  let intent: Intent | undefined = newest
  while (intent) {
    const { state, reason, channel } = intent
    if (state === 'delivered' || (state === 'cancelled' && reason === 'awaited_after_all'))
      return true
    if (state === 'sent' && channel && arrivesWhenSent.has(channel)) return true
    const before = draft.intents.get(intent.insteadOf ?? '')
    intent = before && isOfSameChain(before, newest) ? before : undefined
  }
  return false
}

/** Refused for what holds for every channel: the next one would be, too. */
function isOver({ state }: Intent): boolean {
  return ['skipped', 'cancelled', 'expired', 'bounced', 'failed'].includes(state)
}

function endOf(step: MessageStep, { draft, context }: StepRun, { newest }: Chain): Instant {
  return addDuration(newest.dueAt, cascadeIn(step).after, timeZoneOf(draft, context))
}

function isAwaited(step: MessageStep, run: StepRun, chain: Chain): boolean {
  const { newest, isDelivered } = chain
  return !isDelivered && !isOver(newest) && endOf(step, run, chain) > run.context.now
}

function isOverdue(step: MessageStep, run: StepRun, chain: Chain): boolean {
  const { state } = chain.newest
  if (chain.isDelivered || ['skipped', 'cancelled', 'expired'].includes(state)) return false
  return isOver(chain.newest) || endOf(step, run, chain) <= run.context.now
}

function earliestEnd(step: MessageStep, run: StepRun, chains: readonly Chain[]): Instant {
  const ends = chains
    .filter((chain) => isAwaited(step, run, chain))
    .map((chain) => endOf(step, run, chain))
  return ends.toSorted()[0] ?? run.context.now
}

/** Nothing where no channel is left, or no time: the whole is worth having as long as its first one was. */
function planNext(step: MessageStep, run: StepRun, { newest }: Chain): void {
  const { draft, enrolment, context } = run
  const after = newest.channel ?? newest.channels[0]
  const channels = newest.channels.slice(newest.channels.indexOf(after as ChannelName) + 1)
  if (channels.length === 0) return
  const addressee = addresseeAgain(step, run, newest)
  const times = addressee && timesOfNext(step, run, newest, addressee)
  if (!times || times.expiresAt <= context.now) return
  if (isPending(newest)) withdrawMessage(draft, enrolment, newest, 'awaited_not_in_time')
  const insteadOf = mayStillArrive(newest) ? newest.intentId : newest.insteadOf
  planMessage(step, run, { times, addressee }, 'message_next_channel', {
    insteadOf,
    over: { channels, after: after ?? '' },
  })
}

/** By what is known of it now. What was taken back just now may have been sent before. */
function mayStillArrive({ state, duplicate }: Intent): boolean {
  return state === 'sending' || state === 'held' || state === 'sent' || duplicate
}

/** Now, or when the quiet hours are over. */
function timesOfNext(step: MessageStep, run: StepRun, { expiresAt }: Intent, addressee: Addressee) {
  const { send: _, ...message } = step.message
  const times = messageTimes({ message }, run, addressee)
  if (times === null) return null
  return { ...times, expiresAt: times.dueAt < expiresAt ? expiresAt : run.context.now }
}

function goOn({ draft, enrolment, node }: StepRun, chains: readonly Chain[]): StepResult {
  const isDelivered = chains.some((chain) => chain.isDelivered)
  noteOf(draft, enrolment, isDelivered ? 'awaited_came' : 'awaited_not_in_time', {
    detail: { step: node.path },
  })
  return { goTo: node.next }
}

function cascadeIn({ message }: MessageStep): Cascade {
  const cascade = cascadeOf(message)
  if (!cascade) throw new RangeError(`message ${message.id} is no cascade`)
  return cascade
}

function addresseeAgain(
  step: MessageStep,
  run: StepRun,
  { recipient }: Intent,
): Addressee | undefined {
  return addresseesOf(step.message, run, run.context.now).find(
    (each) => each.recipient?.personId === recipient?.personId,
  )
}
