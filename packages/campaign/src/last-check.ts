import { type CountedMessage, placeFreeAt } from './contact-budget.ts'
import type { Budget, QuietHours } from './definition/policies.ts'
import type { ChannelName } from './definition/words.ts'
import { earlierOf, type Instant } from './instant.ts'
import { hasFirstArrived, sameReceiver } from './other-messages.ts'
import { quietUntil } from './quiet-hours.ts'
import type { ReasonCode } from './reasons.ts'
import { refusalByRelation, type Telling } from './recipients.ts'
import { openedBeside, windowOpens } from './sending-window.ts'
import {
  type Consent,
  type ContactKind,
  type Enrolment,
  entityKey,
  type Intent,
  type PersonState,
} from './state.ts'

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

export type LastCheckRequest = Telling & {
  readonly intent: Intent
  readonly channel: ChannelName
  /** The message's class needs a consent. */
  readonly needsConsent: boolean
  /** Those of its class. */
  readonly quietHours: QuietHours | undefined
  readonly budgets: readonly Budget[]
  /** What whoever gets it was sent before, as far as it counts for a budget. */
  readonly counted: readonly CountedMessage[]
  /** Who gets it, where that is somebody else; left out or null when nobody is known. */
  readonly receiver?: PersonState | null
}

const claim: LastCheck = { effect: 'claim', reason: null }

/**
 * The pure twin of the statement in `packages/store/src/last-check.ts`: the same refusals in the same
 * order, the first that holds decides (P3). A dry run decides by it; messages are really sent by the
 * statement alone, which looks at the tables with all the locks held.
 *
 * Left out is what only the tables know: stops that staff or the gateway wrote down (a death or a
 * consent in the events is seen in the person's own record), operational stops, events that could not be applied,
 * and what was with a worker while two records became one, or its entity changed.
 */
export function lastCheck(state: PersonState, request: LastCheckRequest): LastCheck {
  const receiver = request.intent.recipient ? request.receiver : state
  if (!receiver) return { effect: 'skip', reason: 'person_unknown' }
  const same = sameReceiver(state, receiver.person.personId, request)
  return (
    checkPeople(state, receiver, request) ??
    (same?.state === 'told' ? { effect: 'cancel', reason: 'merged_duplicate' } : null) ??
    checkConsent(receiver, request) ??
    checkCause(state, request) ??
    (same?.state === 'open' ? waitBehind(same.dueAt, request) : null) ??
    (same?.state === 'held' ? waitForStaff(request) : null) ??
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
  request: LastCheckRequest,
): LastCheck | null {
  const { intent } = request
  const skip = (reason: ReasonCode): LastCheck => ({ effect: 'skip', reason })
  if (state.person.deceasedAt !== null) return skip('person_deceased')
  if (intent.recipient && deceasedAt !== null) return skip('recipient_deceased')
  const reason = refusalByRelation(state, intent, personId, request)
  return reason && skip(reason)
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
  if (hasFirstArrived(intent, intents)) return { effect: 'cancel', reason: 'awaited_after_all' }
  if (intent.expiresAt > now) return null
  return intent.duplicate
    ? { effect: 'hold', reason: 'outcome_unknown' }
    : { effect: 'expire', reason: 'expired' }
}

/** The other one of two recipients who have become one goes first, when that is due. */
function waitBehind(otherDueAt: Instant, { intent, now }: LastCheckRequest): LastCheck {
  const dueAt = earlierOf(otherDueAt < now ? now : otherDueAt, intent.expiresAt)
  return { effect: 'wait', reason: 'merged_duplicate', dueAt }
}

/** The tables are looked at again and again until staff have said what came of the other one. */
function waitForStaff({ intent: { expiresAt: dueAt } }: LastCheckRequest): LastCheck {
  return { effect: 'wait', reason: 'merged_duplicate', dueAt }
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
