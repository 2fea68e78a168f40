import type { CompiledDefinition } from './compile.ts'
import type { DecideContext, Draft } from './draft.ts'
import { keepConsent, refuseContact } from './people.ts'
import type { ReasonCode } from './reasons.ts'
import { wordOf } from './reply-word.ts'
import type { Intent, IntentState, JourneyEvent } from './state.ts'

/**
 * What a message has come to, in the order in which one overrides the other. Receipts arrive late,
 * twice and out of order; a message only ever moves up. A receipt may also come before our own
 * record that the message was sent, so `sending` and `held` are below all of them. So is one that is
 * over without having been sent, when a provider may have it: what arrived has arrived, whether staff
 * closed it or its reason went away meanwhile.
 */
const rank: Readonly<Partial<Record<IntentState, number>>> = {
  queued: 0,
  planned: 0,
  sending: 0,
  held: 0,
  sent: 1,
  delivered: 2,
  bounced: 3,
}

/**
 * Applies an outcome that a provider reported (`message.*`). One about a message to somebody else than whom
 * it is about comes as two events: that of the person says what became of the message, that of its recipient
 * what it says of their address and their wishes. Each changes one of the two people (P6).
 */
export function applyReceipt(
  draft: Draft,
  event: JourneyEvent,
  { definition }: Pick<DecideContext, 'definition'>,
): ReasonCode {
  const { recipientId } = event.data
  if (recipientId !== undefined && recipientId !== event.subject)
    return moveOnly(draft, event, definition)
  const intent = draft.intents.get(String(event.data.intentId))
  if (!intent) return recipientId === undefined ? 'message_unknown' : hearOfRecipient(draft, event)
  switch (event.type) {
    case 'message.delivered.v1':
      return moveUp(draft, intent, 'delivered')
    case 'message.opened.v1':
    case 'message.clicked.v1':
      return seeOpened(draft, intent, definition)
    case 'message.bounced.v1':
      hearOfRecipient(draft, event)
      return bounce(draft, intent, event)
    case 'message.answered.v1':
      return keepAnswer(draft, intent, String(event.data.answer))
    default:
      return hearOfRecipient(draft, event)
  }
}

/** What became of a message that went to somebody else. */
function moveOnly(draft: Draft, event: JourneyEvent, definition: TrackedBy): ReasonCode {
  const intent = draft.intents.get(String(event.data.intentId))
  if (!intent) return 'message_unknown'
  switch (event.type) {
    case 'message.delivered.v1':
      return moveUp(draft, intent, 'delivered')
    case 'message.bounced.v1':
      return bounce(draft, intent, event)
    case 'message.opened.v1':
    case 'message.clicked.v1':
      return seeOpened(draft, intent, definition)
    case 'message.answered.v1':
      return keepAnswer(draft, intent, String(event.data.answer))
    case 'message.complained.v1':
      return 'complained'
    default:
      return event.data.detail === unclearReply ? 'answer_unclear' : 'replied'
  }
}

/** What it says of whoever got the message: that nothing arrives there, or that they want no more. */
function hearOfRecipient(draft: Draft, event: JourneyEvent): ReasonCode {
  switch (event.type) {
    case 'message.bounced.v1':
      if (event.data.channel === 'email') refuseContact(draft, 'email', event)
      if (event.data.channel === 'sms') refuseContact(draft, 'phone', event)
      return 'bounced'
    case 'message.complained.v1':
      return withdrawConsent(draft, event, 'marketing', 'complained')
    case 'message.delivered.v1':
    case 'message.opened.v1':
    case 'message.clicked.v1':
      return 'applied'
    default:
      if (event.data.detail === unclearReply) return 'answer_unclear'
      return isStopWord(event.data.detail)
        ? withdrawConsent(draft, event, 'all', 'replied')
        : 'replied'
  }
}

/** The detail of a reply to an open question that is none of its answers: what it said is not kept (P7). */
export const unclearReply = 'unclear'

/**
 * The first answer counts, as long as the run waits for it and the question is about what the run hangs
 * on now: who confirms an appointment has not confirmed the one that it was moved to.
 */
function keepAnswer(draft: Draft, intent: Intent, answer: string): ReasonCode {
  if (intent.answer !== null) return 'answer_repeated'
  if (!intent.question?.answers.some((each) => each.answer === answer)) return 'answer_unknown'
  const run = draft.enrolments.get(intent.enrolmentId)
  if (run?.state !== 'running' || run.step !== intent.step) return 'answer_too_late'
  if (intent.entity?.version !== run.entity?.version) return 'answer_of_older'
  draft.intents.set(intent.intentId, { ...intent, answer })
  return 'answered'
}

/** Whoever opened it got it, where we may know. */
function seeOpened(draft: Draft, intent: Intent, definition: TrackedBy): ReasonCode {
  if (!mayTrack(intent, definition)) return 'not_tracked'
  moveUp(draft, intent, 'delivered')
  return 'seen'
}

type TrackedBy = Pick<CompiledDefinition, 'classes'>

/**
 * Whether the class of the message lets us keep that somebody opened it, as the policies are now and whatever
 * they were when it was sent: to stop tracking is to stop it at once. The message itself says its class: the
 * version of the campaign that planned it may be one that nobody reads any more.
 */
export function mayTrack(message: Pick<Intent, 'class'>, { classes }: TrackedBy): boolean {
  return classes[message.class].tracking === 'allowed'
}

/** Over a channel that the message has left it says nothing of the one that it is with since (P1). */
function bounce(draft: Draft, intent: Intent, { data }: JourneyEvent): ReasonCode {
  const { channel = data.channel } = intent
  if (data.channel !== undefined && data.channel !== channel) return 'message_status_known'
  return moveUp(draft, intent, 'bounced')
}

function moveUp(draft: Draft, intent: Intent, state: 'delivered' | 'bounced'): ReasonCode {
  const known = rank[intent.state] ?? (intent.duplicate ? 0 : undefined)
  if (known === undefined || known >= (rank[state] ?? 0)) return 'message_status_known'
  draft.intents.set(intent.intentId, { ...intent, state, reason: state })
  return state
}

/** A complaint, or STOP in answer to an SMS, is the person speaking (P3). */
function withdrawConsent(
  draft: Draft,
  event: JourneyEvent,
  purpose: 'marketing' | 'all',
  reason: ReasonCode,
): ReasonCode {
  const channel = event.data.channel
  if (channel !== 'email' && channel !== 'sms' && channel !== 'app') return reason
  keepConsent(draft.consents, {
    purpose,
    channel,
    state: 'withdrawn',
    origin: 'person',
    at: event.time,
    proof: event.type,
  })
  return reason
}

/** True for an answer by which the person asks us to stop, such as STOP to an SMS. */
export function isStopWord(text: unknown): boolean {
  return typeof text === 'string' && /^(stop|afmelden)( |$)/.test(wordOf(text))
}
