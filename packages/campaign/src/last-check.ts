import { type AgeRule, ageAt, wordsByAge } from './addressees.ts'
import { type CountedMessage, placeFreeAt } from './contact-budget.ts'
import type { Budget, QuietHours } from './definition/policies.ts'
import type { ChannelName } from './definition/words.ts'
import type { DecideContext } from './draft.ts'
import { earlierOf, type Instant } from './instant.ts'
import { quietUntil } from './quiet-hours.ts'
import type { ReasonCode } from './reasons.ts'
import { relatedPeople } from './relations.ts'
import { openedBeside, windowOpens } from './sending-window.ts'
import {
  type Consent,
  type ContactKind,
  type Enrolment,
  entityKey,
  type Intent,
  isPending,
  type PersonState,
} from './state.ts'
import { turnOf } from './steps/message-status.ts'

/**
 * What the last check says of one message on one channel. `claim`: it may be sent. `next`: not over
 * this channel. `wait`: not before `dueAt`. The others end it: `skip` → skipped, `cancel` → cancelled, `expire` → expired,
 * `hold` → held.
 */
export type LastCheck =
  | { readonly effect: 'claim'; readonly reason: null }
  | { readonly effect: 'wait'; readonly reason: ReasonCode; readonly dueAt: Instant }
  | {
      readonly effect: 'skip' | 'cancel' | 'expire' | 'hold' | 'next'
      readonly reason: ReasonCode
    }

export type LastCheckRequest = {
  readonly intent: Intent
  readonly channel: ChannelName
  /** The message's class needs a consent. */
  readonly needsConsent: boolean
  /** Those of its class. */
  readonly quietHours: QuietHours | undefined
  /** The organisation's, for whose own is not known. */
  readonly timeZone: string
  readonly budgets: readonly Budget[]
  /** What whoever gets it was sent before, as far as it counts for a budget. */
  readonly counted: readonly CountedMessage[]
  /** The rules of age; none when they are left out. */
  readonly ages?: readonly AgeRule[]
  /** Who gets it, where that is somebody else; left out or null when nobody is known. */
  readonly receiver?: PersonState | null
  readonly otherOf?: DecideContext['otherOf']
  readonly now: Instant
}

const claim: LastCheck = { effect: 'claim', reason: null }

/**
 * The pure twin of the statement in `packages/store/src/last-check.ts`: the same refusals in the same
 * order, the first that holds decides (P3). A dry run decides by it; messages are really sent by the
 * statement alone, which looks at the tables with all the locks held.
 *
 * Left out is what only the tables know: stops that staff or the gateway wrote down (a death or a
 * consent in the events is seen in the person's own record), operational stops, and what was with a
 * worker while two records became one, or its entity changed.
 */
export function lastCheck(state: PersonState, request: LastCheckRequest): LastCheck {
  const receiver = request.intent.recipient ? request.receiver : state
  if (!receiver) return { effect: 'skip', reason: 'person_unknown' }
  return (
    checkPeople(state, receiver, request) ??
    checkSameReceiver(state, receiver, request) ??
    checkConsent(receiver, request) ??
    checkCause(state, request) ??
    checkHour(receiver, request) ??
    checkChannel(receiver, request) ??
    checkBudgets(receiver, request) ??
    claim
  )
}

/** Whether anybody may be written to about the person, and whether it is still this one. */
function checkPeople(
  state: PersonState,
  { person: { personId, deceasedAt } }: PersonState,
  { intent: { recipient, byAge }, ages = [], timeZone, otherOf, now }: LastCheckRequest,
): LastCheck | null {
  const { person } = state
  const skip = (reason: ReasonCode): LastCheck => ({ effect: 'skip', reason })
  if (person.deceasedAt !== null) return skip('person_deceased')
  if (recipient) {
    if (deceasedAt !== null) return skip('recipient_deceased')
    const relation = relatedPeople(state, otherOf ? { otherOf } : {}, now).find(
      ({ kind, other }) => kind === recipient.kind && other.personId === personId,
    )
    if (!relation) return skip('relation_ended')
    if (!relation.scope.includes(recipient.scope)) return skip('relation_scope_missing')
  }
  if (!byAge) return null
  const words = wordsByAge(ages, ageAt(person, now, person.timeZone ?? timeZone))
  return words.includes(recipient?.kind ?? 'person') ? null : skip('recipient_by_age')
}

/**
 * Another record of whoever gets it was to get it, too, and gets it, or has: see `sameReceiver` of the statement.
 */
function checkSameReceiver(
  { intents }: PersonState,
  receiver: PersonState,
  { intent, otherOf }: LastCheckRequest,
): LastCheck | null {
  if (!intent.recipient) return null
  const isToThem = ({ recipient }: Intent) =>
    recipient &&
    (otherOf?.(recipient.personId)?.personId ?? recipient.personId) === receiver.person.personId
  const goesAlready = [...intents.values()].some(
    (other) =>
      other !== intent &&
      isSameMessage(other, intent) &&
      isToThem(other) &&
      (isBeforeInCascade(other, intent)
        ? isInDoubtBeside(other, intent, intents)
        : goesInstead(other, intent)),
  )
  return goesAlready ? { effect: 'cancel', reason: 'merged_duplicate' } : null
}

function isSameMessage(other: Intent, intent: Intent): boolean {
  const isOverSame =
    other.partOf === undefined ||
    intent.partOf === undefined ||
    other.channels[0] === intent.channels[0]
  return (
    other.enrolmentId === intent.enrolmentId &&
    other.messageId === intent.messageId &&
    other.entity?.version === intent.entity?.version &&
    isOverSame
  )
}

/** Over a channel before, though not one in whose place this came, nor of before the cascade began anew. */
function isInDoubtBeside(other: Intent, intent: Intent, intents: PersonState['intents']): boolean {
  const { intentId, state, duplicate, plannedAt } = other
  const before = intents.get(intent.insteadOf ?? '')
  if (intentId === intent.insteadOf || intentId === before?.insteadOf) return false
  if (other.recipient?.personId === intent.recipient?.personId) {
    const began = [...intents.values()].filter(
      (each) =>
        turnOf(each) === 0 &&
        each.enrolmentId === intent.enrolmentId &&
        each.messageId === intent.messageId &&
        each.recipient?.personId === intent.recipient?.personId &&
        each.plannedAt <= intent.plannedAt,
    )
    if (began.some((each) => plannedAt < each.plannedAt)) return false
  }
  const isSaid = state === 'sent' || state === 'bounced'
  return ['sending', 'held', 'delivered'].includes(state) || (duplicate && !isSaid)
}

/** Of two that wait, one that may have been sent before, else the one over the later channel. */
function goesInstead(other: Intent, intent: Intent): boolean {
  if (other.recipient?.personId === intent.recipient?.personId) return false
  if (other.duplicate) return true
  if (!isPending(other))
    return ['sending', 'sent', 'delivered', 'bounced', 'held'].includes(other.state)
  if (intent.duplicate) return false
  const [turn, own] = [turnOf(other), turnOf(intent)]
  return turn === own ? other.intentId < intent.intentId : turn > own
}

/** For no channel at all. */
function checkConsent(
  { consents }: PersonState,
  { intent, needsConsent }: LastCheckRequest,
): LastCheck | null {
  const reason = refusalByConsent(consents, intent, { needsConsent })
  return reason && { effect: 'skip', reason }
}

/**
 * Why somebody is not contacted over any of these channels. Where there is none, as with a call, what was said of
 * one channel alone says neither yes nor no.
 */
export function refusalByConsent(
  consents: PersonState['consents'],
  contact: Pick<Intent, 'class' | 'channels'>,
  { needsConsent }: { needsConsent: boolean },
): 'consent_withdrawn' | 'consent_missing' | null {
  const own = consentsOf(consents, contact)
  if (own.some((consent) => consent.state === 'withdrawn' && consent.channel === null))
    return 'consent_withdrawn'
  const isGranted = own.some(
    ({ state, channel }) =>
      state === 'granted' && (channel === null || contact.channels.includes(channel)),
  )
  return needsConsent && !isGranted ? 'consent_missing' : null
}

/** What the message is for: its run, its entity, its own moment. */
function checkCause(
  { enrolments, entities, intents }: PersonState,
  { intent, now }: LastCheckRequest,
): LastCheck | null {
  const enrolment = enrolments.get(intent.enrolmentId)
  // Of a run that ended for the other record of the person it may have been sent.
  const isOpenTwin = intent.duplicate && enrolment?.reason === 'merged_duplicate'
  if (enrolment?.state === 'exited' && !isOpenTwin) {
    return { effect: 'cancel', reason: reasonOfEnd(enrolment) }
  }
  const known = intent.entity ? entities.get(entityKey(intent.entity)) : undefined
  if (intent.entity && known?.version !== intent.entity.version) {
    const reason = known?.state === 'withdrawn' ? 'entity_withdrawn' : 'entity_superseded'
    return { effect: 'cancel', reason }
  }
  const first = intents.get(intent.insteadOf ?? '')
  if (first && awaitedWith(first, intent, intents).some((each) => hasArrived(each, intents)))
    return { effect: 'cancel', reason: 'awaited_after_all' }
  if (intent.expiresAt > now) return null
  return intent.duplicate
    ? { effect: 'hold', reason: 'outcome_unknown' }
    : { effect: 'expire', reason: 'expired' }
}

/**
 * What was waited for in vain: another message, over all its channels, or the same one over a channel before in
 * a cascade. Any other one of the same step is of an older version.
 */
function awaitedWith(
  first: Intent,
  intent: Intent,
  intents: PersonState['intents'],
): readonly Intent[] {
  if (!isAwaited(first, intent)) return []
  if (first.partOf === undefined || first.messageId === intent.messageId) return [first]
  return [...intents.values()].filter(({ partOf }) => partOf === first.partOf)
}

function isAwaited(first: Intent, intent: Intent): boolean {
  return first.messageId !== intent.messageId || isBeforeInCascade(first, intent)
}

function isBeforeInCascade(before: Intent, intent: Intent): boolean {
  return before.messageId === intent.messageId && turnOf(before) < turnOf(intent)
}

/** The one in whose place it came, or of a cascade any before that. */
function hasArrived(first: Intent, intents: PersonState['intents']): boolean {
  const { state, reason, insteadOf, messageId } = first
  if (state === 'delivered' || (state === 'cancelled' && reason === 'awaited_after_all'))
    return true
  const before = turnOf(first) > 0 ? intents.get(insteadOf ?? '') : undefined
  return before?.messageId === messageId && hasArrived(before, intents)
}

function checkHour(
  { person }: PersonState,
  { intent, quietHours, timeZone, now }: LastCheckRequest,
): LastCheck | null {
  const zone = person.timeZone ?? timeZone
  const { window, expiresAt } = intent
  const waitUntil = (until: Instant, reason: ReasonCode): LastCheck => ({
    effect: 'wait',
    reason,
    dueAt: earlierOf(until, expiresAt),
  })
  const quiet = quietHours && quietUntil(now, quietHours, zone)
  if (quiet) return waitUntil(quiet, 'quiet_hours')
  const opens = window && windowOpens(now, openedBeside(window, quietHours), zone)
  return opens ? waitUntil(opens, 'sending_window') : null
}

function checkChannel(
  { person, consents }: PersonState,
  { intent, channel, needsConsent }: LastCheckRequest,
): LastCheck | null {
  const own = consentsOf(consents, intent)
  if (own.some((consent) => consent.state === 'withdrawn' && consent.channel === channel)) {
    return { effect: 'next', reason: 'consent_withdrawn' }
  }
  const isGranted = own.some(
    (consent) =>
      consent.state === 'granted' && (consent.channel === null || consent.channel === channel),
  )
  if (needsConsent && !isGranted) return { effect: 'next', reason: 'consent_missing' }
  const contact = person.contacts[contactKindOf[channel]]
  if (!contact) return { effect: 'next', reason: 'contact_missing' }
  return contact.refusedAt === null ? null : { effect: 'next', reason: 'contact_refused' }
}

/** Last of all: only what would be sent now needs a place. */
function checkBudgets(
  { person: { persona } }: PersonState,
  { intent, budgets, counted, now }: LastCheckRequest,
): LastCheck | null {
  const { class: own, expiresAt } = intent
  const message = { intentId: countsAs(intent), class: own, persona }
  const freeAt = placeFreeAt(budgets, message, counted, now)
  if (freeAt === null) return null
  return { effect: 'wait', reason: 'budget_used', dueAt: earlierOf(freeAt, expiresAt) }
}

/** By what a contact budget knows it: over all channels it is one. */
export function countsAs({ intentId, partOf }: Intent): string {
  return partOf ?? intentId
}

/** Where a channel finds its address. */
export const contactKindOf: Readonly<Record<ChannelName, ContactKind>> = {
  app: 'app',
  email: 'email',
  sms: 'phone',
}

function consentsOf(
  consents: ReadonlyMap<string, Consent>,
  { class: own }: Pick<Intent, 'class'>,
): Consent[] {
  if (consents.size === 0) return []
  return [...consents.values()].filter(({ purpose }) => purpose === own || purpose === 'all')
}

function reasonOfEnd({ reason }: Enrolment): ReasonCode {
  return (reason ?? 'exit_touchpoint') as ReasonCode
}
