import type { CountedMessage } from '@wegwijs/campaign/contact-budget'
import type { ChannelName } from '@wegwijs/campaign/definition/words'
import { type AttemptOutcome, afterAttempt } from '@wegwijs/campaign/delivery'
import type { DecideContext } from '@wegwijs/campaign/draft'
import { contactKindOf, type LastCheck, lastCheck } from '@wegwijs/campaign/last-check'
import { toldAs } from '@wegwijs/campaign/recipients'
import { entityKey, type Intent, type IntentState, type PersonState } from '@wegwijs/campaign/state'
import { isNewer, latestOf } from '@wegwijs/campaign/steps/message-status'
import type { Rendered } from '@wegwijs/template/template'
import { type ContentFacts, writeContent } from '@wegwijs/template/write-content'
import { answerUrl } from '@wegwijs/wire/answer-link'
import type { Outcomes } from './outcome-model.ts'
import { refusalOfChannel, type Sending } from './sending.ts'

export type DeliverContext = DecideContext & { sending: Sending; outcomes: Outcomes }

export type Delivered = {
  /** The person with the message in the state in which the hand-over left it. */
  state: PersonState
  /** The one that took it, or that was tried last; of one that is due over another, that one. */
  channel: ChannelName
  /** What the person would have read; null when nothing was handed over. */
  rendered: Rendered | null
}

const endStates: Readonly<
  Record<Exclude<LastCheck['effect'], 'claim' | 'next' | 'wait'>, IntentState>
> = {
  skip: 'skipped',
  cancel: 'cancelled',
  expire: 'expired',
  hold: 'held',
}

/**
 * Takes one message that is due from its last check to a provider, over one channel, as release, claim and
 * worker do together. What this channel cannot take is due again, over the `next` one, as in the store: others
 * that are due before that come first.
 * `counted` is what whoever gets it was sent before, as far as it counts for a contact budget. One that was
 * put off goes on with the channel `from`, at which it was then: those before it could not take it.
 */
export function deliver(
  state: PersonState,
  intent: Intent,
  {
    counted,
    from,
    receiver,
  }: {
    counted: readonly CountedMessage[]
    from: ChannelName | undefined
    /** Who gets it, where that is somebody else; null when nobody is known. */
    receiver?: PersonState | null | undefined
  },
  context: DeliverContext,
): Delivered {
  const { now, sending } = context
  const { budgets, rules } = sending
  const { timeZone } = rules
  const { quietHours } = sending.classes[intent.class]
  const needsConsent = sending.classesNeedingConsent.has(intent.class)
  const index = from ? intent.channels.indexOf(from) : 0
  const channel = channelAt(intent, index)
  const check = lastCheck(state, {
    intent,
    channel,
    needsConsent,
    quietHours,
    timeZone,
    budgets,
    counted,
    ages: context.definition.ages,
    ...(receiver !== undefined && { receiver }),
    ...(context.otherOf && { otherOf: context.otherOf }),
    now,
  })
  if (check.effect === 'next') {
    const { reason } = check
    const next = intent.channels[index + 1]
    if (next) return ended(state, intent, { state: 'planned', reason, dueAt: now }, next)
    return ended(state, intent, { state: 'skipped', reason: 'no_usable_channel' }, channel)
  }
  if (check.effect === 'wait') {
    const { reason, dueAt } = check
    return ended(state, intent, { state: 'planned', reason, dueAt }, channel)
  }
  if (check.effect !== 'claim') {
    const { effect, reason } = check
    return ended(state, intent, { state: endStates[effect], reason }, channel)
  }
  const to = receiver ?? state
  const claimed = toldNow(state, intent, to, context)
  const attempt = tryOn(state, to, { intent: claimed, channel }, context)
  const after = afterAttempt(attemptedOf(intent, index), attempt.outcome, now)
  if (after.state === 'planned')
    return ended(state, claimed, after, channelAt(intent, after.channelIndex))
  if (after.state !== 'sent') return ended(state, claimed, after, channel)
  const sent = ended(state, { ...claimed, sentAt: now }, after, channel)
  return { ...sent, rendered: attempt.rendered }
}

/** As what whoever gets it may be told, when it is handed over. */
function toldNow(
  state: PersonState,
  intent: Intent,
  { person: { personId } }: PersonState,
  { now, sending, definition, otherOf }: DeliverContext,
): Intent {
  const telling = { ages: definition.ages, timeZone: sending.rules.timeZone, now }
  const told = toldAs(state, intent, personId, { ...telling, ...(otherOf && { otherOf }) })
  const { recipient } = intent
  if (!recipient || 'refusal' in told || told.as === null) return intent
  return { ...intent, recipient: { ...recipient, kind: told.as } }
}

function channelAt(intent: Intent, index: number): ChannelName {
  const channel = intent.channels[index]
  if (channel === undefined) throw new RangeError(`message ${intent.messageId} has no channel`)
  return channel
}

function ended(
  state: PersonState,
  intent: Intent,
  change: Pick<Intent, 'state' | 'reason'> & { dueAt?: string },
  channel: ChannelName,
): Delivered {
  const { state: came, reason, dueAt = intent.dueAt } = change
  const next: Intent = { ...intent, state: came, reason, dueAt, channel }
  const intents = new Map(state.intents).set(intent.intentId, next)
  return { state: { ...state, intents }, channel, rendered: null }
}

/**
 * A run that waits at the step of a message which has ended without being sent goes on, as in the store
 * (`letGoOn`): nothing more will be heard of it, nor of the same message to somebody else.
 */
export function letGoOn(state: PersonState, ended: Intent, now: string): PersonState {
  const { state: came, reason } = ended
  const isUnsent =
    ['skipped', 'expired', 'failed'].includes(came) ||
    (came === 'cancelled' && reason === 'merged_duplicate')
  if (!isUnsent || ended.question !== null) return state
  const timers = new Map(state.timers)
  for (const timer of state.timers.values()) {
    if (timer.enrolmentId !== ended.enrolmentId || timer.step !== ended.step) continue
    const time = { forMs: msBetween(ended.dueAt, timer.dueAt), now }
    if (timer.dueAt > now && !isOpenToAnother(ended, time, state))
      timers.set(timer.timerId, { ...timer, dueAt: now })
  }
  return { ...state, timers }
}

/** What was planned last to somebody else is not over, and has time left. */
function isOpenToAnother(
  ended: Intent,
  { forMs, now }: { forMs: number; now: string },
  { intents }: PersonState,
): boolean {
  const last = new Map<string | undefined, Intent>()
  for (const intent of intents.values()) {
    const { enrolmentId, step, recipient } = intent
    if (enrolmentId !== ended.enrolmentId || step !== ended.step) continue
    const known = last.get(recipient?.personId)
    if (!known || isNewer(intent, known)) last.set(recipient?.personId, intent)
  }
  last.delete(ended.recipient?.personId)
  return [...last.values()].some(
    ({ state, dueAt }) => notOver.includes(state) && msBetween(now, dueAt) + forMs > 0,
  )
}

const notOver: readonly IntentState[] = ['planned', 'queued', 'sending', 'sent', 'held']

function msBetween(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from)
}

function attemptedOf(intent: Intent, channelIndex: number): Parameters<typeof afterAttempt>[0] {
  const { intentId, channels, dueAt, expiresAt, unknownOutcome, duplicate } = intent
  const idempotent = channels[channelIndex] === 'app'
  const attempts = 1
  return {
    intentId,
    channels,
    channelIndex,
    attempts,
    dueAt,
    expiresAt,
    unknownOutcome,
    idempotent,
    duplicate,
  }
}

type Attempt = { outcome: AttemptOutcome; rendered: Rendered | null }

/** What services/delivery does with a claimed message, up to the provider, who accepts everything. */
function tryOn(
  state: PersonState,
  receiver: PersonState,
  { intent, channel }: { intent: Intent; channel: ChannelName },
  { sending, now }: DeliverContext,
): Attempt {
  const template = sending.templateOf(intent.templateId, intent.templateHash)
  if (template === null) return unrenderable('template_unknown')
  const own = sending.channels[channel]
  if (!own) return unrenderable('channel_not_defined')
  const facts = factsOf(state, receiver, intent, { sending, now })
  const rendered = writeContent(facts, channel, sending.rules, {
    template,
    renderer: sending.renderer,
  })
  if ('fault' in rendered) return unrenderable(rendered.fault)
  const to = receiver.person.contacts[contactKindOf[channel]]?.address ?? ''
  const reason = refusalOfChannel(channel, to, 'from' in own ? own.from : '')
  if (reason !== null) {
    return { outcome: { kind: 'refused', reason, unasked: true }, rendered: null }
  }
  return { outcome: { kind: 'accepted' }, rendered }
}

function unrenderable(reason: string): Attempt {
  return { outcome: { kind: 'unrenderable', reason }, rendered: null }
}

/** As long as one that leads somewhere (packages/wire/src/answer-link.ts): an SMS has the same size. */
const sampleToken = 'this-link-is-a-sample-and-answers-none'

function factsOf(
  state: PersonState,
  { person: { fields, locale, timeZone } }: PersonState,
  intent: Intent,
  { sending, now }: { sending: Sending; now: string },
): ContentFacts {
  const enrolment = state.enrolments.get(intent.enrolmentId)
  const entity = intent.entity ? state.entities.get(entityKey(intent.entity)) : undefined
  return {
    person: state.person,
    recipient: intent.recipient ? { as: intent.recipient.kind, fields, locale, timeZone } : null,
    event: enrolment?.trigger.data ?? {},
    entity: entity?.data ?? {},
    statuses: statusesOf(state, intent),
    at: now,
    question: intent.question,
    answerUrl: (answer) =>
      answerUrl(String(sending.rules.organisation.website), sampleToken, answer),
  }
}

/** What has become of each message of the run, by id of its step; this one is in its queue by now. */
function statusesOf({ intents }: PersonState, own: Intent): Record<string, string> {
  const ofRun = [...intents.values()]
    .filter(({ enrolmentId }) => enrolmentId === own.enrolmentId)
    .map((each): Intent => (each.intentId === own.intentId ? { ...each, state: 'queued' } : each))
  return Object.fromEntries(
    [...Map.groupBy(ofRun, ({ messageId }) => messageId)].map(([id, messages]) => [
      id,
      latestOf(messages)[0]?.state ?? '',
    ]),
  )
}
