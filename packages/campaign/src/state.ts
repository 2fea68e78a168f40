import type { PersonCounts } from './counts.ts'
import type {
  CampaignClass,
  ChannelName,
  LaneName,
  LocaleName,
  RelationKind,
  RelationScope,
} from './definition/words.ts'
import type { Instant } from './instant.ts'
import type { JsonObject } from './json.ts'
import type { SendingWindow } from './sending-window.ts'

/**
 * What is known of one person when something about them is decided. Never changed in place: a
 * decision gives a next state whose untouched members are the same objects, so that the shell
 * writes exactly the rows whose object is another one.
 */
export type PersonState = {
  person: Person
  entities: ReadonlyMap<string, Entity>
  consents: ReadonlyMap<string, Consent>
  /** Who may hear of them, or act for them; empty too when nothing that is decided asks for it. */
  relations: ReadonlyMap<string, Relation>
  /** Those that the batch may touch: what it ends, joins, what hangs on its entities, what goes on. */
  enrolments: ReadonlyMap<string, Enrolment>
  timers: ReadonlyMap<string, Timer>
  /** The messages of these enrolments, and those that a receipt of the batch is about. */
  intents: ReadonlyMap<string, Intent>
  /** What people have to do for these enrolments, and what the batch says was done. */
  tasks: ReadonlyMap<string, Task>
  /**
   * `campaign id + entry key` of every enrolment ever, in the campaigns that the batch may start → when it
   * was entered last.
   */
  entries: ReadonlyMap<string, Instant>
}

export type Person = {
  personId: string
  /** givenName, familyName, birthYear, preferredChannel and the organisation's own fields. */
  fields: JsonObject
  contacts: Readonly<Partial<Record<ContactKind, Contact>>>
  locale: string | null
  timeZone: string | null
  persona: string | null
  assignedPersona: string | null
  journeys: Readonly<Record<string, JourneyPlace>>
  happened: PersonCounts
  deceasedAt: Instant | null
  /** Event time of the newest profile that was applied. */
  profileAt: Instant | null
  test: boolean
}

export const contactKinds = ['email', 'phone', 'app'] as const
export type ContactKind = (typeof contactKinds)[number]
/**
 * `refusedAt`: when a provider said that nothing arrives there; another address clears it. `since`: the time of
 * the profile that told of it, by which a bounce of the address before it is known; absent where it is not known.
 * `alsoSince`: of profiles that told the same of records that have become this one.
 */
export type Contact = {
  address: string
  refusedAt: Instant | null
  since?: Instant
  alsoSince?: readonly Instant[]
}

/** Where a person is on a journey. `episode` counts the times they began it. */
export type JourneyPlace = { phase: string; episode: number; since: Instant }

export type EntityReference = { type: string; id: string; version: number }
export type Entity = EntityReference & {
  state: 'active' | 'withdrawn'
  /** Each field as the newest version says that has it. */
  data: JsonObject
  changedAt: Instant
  saidIn: SaidIn
}

/**
 * In which version of an entity what was said: each field that the newest version does not have, and
 * each type of touchpoint that spoke of it, with the newest version that did.
 */
export type SaidIn = {
  readonly fields: Readonly<Record<string, number>>
  readonly touchpoints: Readonly<Record<string, number>>
}

export type ConsentPurpose = CampaignClass | 'all'
export type Consent = {
  purpose: ConsentPurpose
  channel: ChannelName | null
  state: 'granted' | 'withdrawn'
  origin: 'person' | 'import'
  at: Instant
  proof: string | null
}

/** What was last said of how somebody else stands to this person. */
export type Relation = {
  /** Who that is, under the id that they had then: they may have become another record since. */
  otherId: string
  kind: RelationKind
  state: 'granted' | 'ended'
  /** In alphabetical order, each once. */
  scope: readonly RelationScope[]
  expiresAt: Instant | null
  /** When it was said, by the event's own time. */
  at: Instant
}

/** As much of somebody else as a decision about a person hangs on. */
export type OtherPerson = {
  /** Of the record that they are now. */
  personId: string
  timeZone: string | null
  persona: string | null
  preferredChannel: ChannelName | null
  deceasedAt: Instant | null
}

/** The event that began an enrolment, as its messages and conditions see it. */
export type Trigger = {
  source: string
  id: string
  type: string
  time: Instant
  data: JsonObject
  /** Of a date that comes back every year, for which of its days (YYYY-MM-DD). */
  day?: string
}

export type Enrolment = {
  enrolmentId: string
  campaignId: string
  version: number
  entryKey: string
  state: 'running' | 'completed' | 'exited'
  reason: string | null
  /** Path of the step at which it waits. */
  step: string | null
  enteredAt: Instant
  endedAt: Instant | null
  /** When what the campaign is for happened, whether or not it still ran. */
  goalAt: Instant | null
  entity: EntityReference | null
  trigger: Trigger
  traceparent: string | null
  /** The record that entered, by which splits divide: present when that has become another one since. */
  dividedAs?: string
  /** Id of each split that it has come to → the arm that it took; absent before the first. */
  arms?: Readonly<Record<string, string>>
  /** Ids of messages that it has passed and could plan to nobody, as long as a newer version of the entity may (steps/unplanned-message.ts). */
  unplanned?: readonly string[]
}

export type Timer = RunTimer | DateTimer

/** Of a run, which goes on when it comes; `beganAt` is when it began to wait at this step. */
export type RunTimer = {
  timerId: string
  enrolmentId: string
  step: string
  beganAt: Instant
  dueAt: Instant
}

/**
 * Of a campaign that begins when a date comes, without a run as yet: of an entity in whatever version,
 * or, with null, of the person.
 */
export type DateTimer = {
  timerId: string
  enrolmentId: null
  campaignId: string
  entity: { type: string; id: string } | null
  dueAt: Instant
}

export const intentStates = [
  'planned',
  'queued',
  'sending',
  'sent',
  'delivered',
  'bounced',
  'skipped',
  'cancelled',
  'expired',
  'failed',
  'held',
] as const
export type IntentState = (typeof intentStates)[number]

type InEachLanguage<Value> = Readonly<Record<LocaleName, Value>>

/** What a message asks, with the ways in which it can be answered. */
export type Question = {
  readonly text: InEachLanguage<string>
  readonly answers: readonly QuestionAnswer[]
}
export type QuestionAnswer = {
  /** Its name in the campaign. */
  readonly answer: string
  /** What a button says. */
  readonly says: InEachLanguage<string>
  /** What somebody writes back by SMS; the first is the one that messages show. */
  readonly words: InEachLanguage<readonly string[]> | null
}

/** A planned message. The core plans and withdraws; from `queued` on others move it. */
export type Intent = {
  intentId: string
  enrolmentId: string
  campaignId: string
  version: number
  /** Id of the message step within its campaign. */
  messageId: string
  step: string
  class: CampaignClass
  lane: LaneName
  unknownOutcome: 'at-most-once' | 'at-least-once'
  templateId: string
  templateHash: string
  /** What it asks, of a message that can be answered. */
  question: Question | null
  /** The first answer that counted; null while there is none. */
  answer: string | null
  channels: readonly ChannelName[]
  /** The one that took it, or is tried next; absent while none has been tried. */
  channel?: ChannelName
  state: IntentState
  reason: string | null
  /** A provider may have it already, from an attempt of which nobody knows the outcome. */
  duplicate: boolean
  entity: EntityReference | null
  /**
   * Id of the same message of an older version that had not come to its end when this one was planned, or
   * of one that was waited for in vain, another message or the one before it in a cascade: this one is sent
   * only when that one turns out not to have been.
   */
  insteadOf: string | null
  /** The how-manieth of a cascade over channels it is; absent for the first, and without a cascade. */
  turn?: number
  /**
   * Of a message over all channels: the same for each of them, over one channel each. To a contact budget they
   * are one.
   */
  partOf?: string
  /** Who gets it, where that is not the person whom it is about. */
  recipient?: Recipient
  /** The rules of age said so; they are asked again when it is sent. */
  byAge?: true
  /** The days and hours at which it may go out; absent when any will do. */
  window?: SendingWindow
  plannedAt: Instant
  dueAt: Instant
  /**
   * Since when it is due, where nothing but its channel or provider has put it off since: over another one it
   * could go out. Absent once it has, and where anything else puts it off.
   */
  dueSince?: Instant
  /** When a provider took it; asked of one that is `sent`, of which no more is known. */
  sentAt?: Instant
  expiresAt: Instant
  traceparent: string | null
}

/** Work for somebody of a team. It names nobody: who does it looks up for whom it is. */
export type Task = {
  taskId: string
  enrolmentId: string
  campaignId: string
  version: number
  step: string
  /** Id of the task step within its campaign. */
  name: string
  team: string
  title: InEachLanguage<string>
  outcomes: readonly { readonly outcome: string; readonly says: InEachLanguage<string> }[]
  state: 'open' | 'done' | 'withdrawn'
  outcome: string | null
  /** What somebody has said came of it, whether or not that has been decided on; null while nobody has. */
  said: string | null
  reason: string | null
  entity: EntityReference | null
  madeAt: Instant
  dueAt: Instant
}
/**
 * Somebody else who gets a message about a person, and by which relation; `ways` are all by which its step would
 * let them get it, where there is more than that one.
 */
export type Recipient = {
  personId: string
  kind: RelationKind
  scope: RelationScope
  ways?: readonly RelationKind[]
}

/**
 * Of the messages of one step that were planned together, one for each recipient, the one that stands first
 * here says what became of the step: it has come to somebody as soon as it has come to one of them.
 */
export const statesByReach: readonly IntentState[] = [
  'delivered',
  'sent',
  'sending',
  'queued',
  'planned',
  'held',
  'bounced',
  'failed',
  'expired',
  'skipped',
  'cancelled',
]

/** An event as the core sees it: checked, normalised, its person resolved. */
export type JourneyEvent = {
  source: string
  id: string
  subject: string
  type: string
  time: Instant
  data: JsonObject
  entity: EntityReference | null
  traceparent: string | null
  /** When Kafka had it at the latest, where that is before `time`: the clock of its publisher was ahead. */
  appendedAt?: Instant
  /** As of a {@link Trigger}; nobody publishes it. */
  day?: string
}

export function entityKey(entity: { type: string; id: string }): string {
  return `${entity.type}/${entity.id}`
}

export function consentKey(consent: {
  purpose: ConsentPurpose
  channel: ChannelName | null
}): string {
  return `${consent.purpose}/${consent.channel ?? ''}`
}

export function relationKey({ kind, otherId }: Pick<Relation, 'kind' | 'otherId'>): string {
  return `${kind}/${otherId}`
}

export function campaignKey(campaignId: string, version: number): string {
  return `${campaignId}@${version}`
}

export function entryOf(campaignId: string, entryKey: string): string {
  return `${campaignId} ${entryKey}`
}

/** Whether a message can still be withdrawn: it has not been handed to a worker. */
export function isPending(intent: Intent): boolean {
  return intent.state === 'planned' || intent.state === 'queued'
}

/** May still go out, or go out again: it waits, is with a worker that may give it back, or is held. */
export function isOpen(intent: Intent): boolean {
  return isPending(intent) || intent.state === 'sending' || intent.state === 'held'
}

/** What happens to one appointment says nothing of what hangs on another one. */
export function isOfAnotherEntity(enrolment: Enrolment, event: JourneyEvent): boolean {
  return (
    enrolment.entity !== null &&
    event.entity !== null &&
    entityKey(enrolment.entity) !== entityKey(event.entity)
  )
}
