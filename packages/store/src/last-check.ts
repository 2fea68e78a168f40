import type { AgeRule } from '@wegwijs/campaign/addressees'
import type { Budget, QuietHours } from '@wegwijs/campaign/definition/policies'
import type { ChannelName } from '@wegwijs/campaign/definition/words'
import type { ReasonCode } from '@wegwijs/campaign/reasons'
import { type Question, statesByReach } from '@wegwijs/campaign/state'
import { type QueryResult, type RawBuilder, sql } from 'kysely'
import {
  countClaimed,
  counts,
  isAnyBefore,
  isAnyUnderWay,
  lockBudgets,
  placeFreeAt,
} from './contact-budgets.ts'
import type { Querying, Store } from './database.ts'
import { fixedStatements } from './fixed-statement.ts'
import { lockSameMessages, noOther, otherMessages } from './other-messages.ts'
import { appendOutbox } from './outbox.ts'
import { isTold, outcomeRecords, toldStates } from './outcome-events.ts'
import { nobodyElse, whoElse } from './recipients.ts'
import type { IntentState } from './schema.ts'
import { inTransaction, send } from './transaction.ts'
import { type EndedMessage, letGoOn } from './waiting-runs.ts'
import { type Wake, wake } from './wake.ts'

/**
 * The last check: the one place that says who may be written to (P3). It is made by the statement
 * that takes a message from `queued` to `sending`, for the messages whose sending starts next, and
 * whatever it does not find in order is not sent.
 *
 * First the rows are locked, in the order of their ids; then one statement, whose snapshot is taken
 * with all the locks held, looks at everything and moves every row: to `sending` under a new fence
 * and a lease, or to where its first refusal puts it. A stop that was committed before that
 * statement began is always seen. What commits later meets a message that is on its way: that is
 * the only window, and it ends with the lease.
 *
 * A message is not looked at, and stays as it is, when it is no longer `queued` for this job and
 * this channel: somebody else has it, or it was withdrawn. Nothing at all is claimed while the
 * definition is another one than the caller's, or while a rehearsal runs and the caller has not
 * verified that its provider is a sandbox.
 *
 * Who gets a message may be somebody else than whom it is about. Consents, addresses, clocks, quiet hours,
 * budgets and opt-outs are those of whoever gets it; a death or a stop by staff counts of either.
 *
 * The refusals, the first that holds decides. About the person, and about whoever gets it:
 *
 * - person_unknown (P3, fail closed), person_merged: there is nobody to check for.
 * - person_deceased: by the record, or by a stop that the journey has not applied yet.
 * - person_stopped: staff stopped the person; they were not asked for one message only.
 * - recipient_deceased: whoever would get it has died; as with the person.
 * - relation_ended: they are no caregiver, representative or parent of the person any more, or have become
 *   the person.
 * - relation_scope_missing: they may not hear of this any more.
 * - recipient_by_age: the rules of age say that it is for somebody else by now.
 * - merged_duplicate: two recipients of one message have become one, who has the other one, or may.
 * - consent_withdrawn: for this class or for everything, over all channels; a consent stop counts
 *   until a consent of the same purpose and channel has a later time of its own. A tie is a stop.
 * - consent_missing: the class needs a consent, and no channel of the message has one.
 *
 * About what the message is for:
 *
 * - the reason its enrolment has ended early: the message was on its way then, and came back. Of one
 *   that ended for the other record of the person, it may have been sent: then it is looked at like
 *   that of the other, or nobody would ever know.
 * - merged_duplicate: it was with a worker when two records became one person, and so was the same
 *   message of the other; that one was sent, or may have been while this one surely was not.
 * - entity_withdrawn, entity_superseded: it tells of an older version of the appointment or stay.
 * - older_version_told: it took the place of one of an older version, which went out after all.
 * - awaited_after_all: it took the place of one that was waited for in vain, and arrived after all.
 * - awaited_not_in_time: it was with a worker when it was waited for in vain, and another one came in its
 *   place.
 * - expired: it is no longer worth sending. One that may have been sent already is held.
 * - outcome_unknown: nobody knows either of the same message of the other record. Both are held; staff may
 *   have either sent once more.
 *
 * Not now (it stays planned; it may still expire):
 *
 * - entity_unapplied: an event has told of a newer version of the appointment or stay, and could not be applied.
 * - sending_stopped, campaign_stopped, template_stopped, channel_stopped, provider_stopped: operations
 *   hold it. It comes back by itself, ever more slowly, and at once when the stop is lifted.
 * - older_version_told, awaited_open: the one whose place it took is with a worker still. It comes back when
 *   the lease of that one must be over.
 * - merged_duplicate: the same message of the other run, or to the other one of two recipients who have become
 *   one, is with a worker, or goes first. It comes back when that one must be known. That to the other one of
 *   two recipients is held for staff: it looks again like what operations hold.
 * - awaited_open: the one whose place it took is held for staff. It looks again like what operations hold.
 * - quiet_hours: it is a time at which people of its class are left in peace. It comes back when that ends.
 * - sending_window: it is no day or hour that its own `send` names. It comes back on the next one.
 * - it is not due, or nothing is: a worker is never early.
 *
 * Not over this channel (the next channel of the message, at once; skipped with no_usable_channel
 * when there is none; held when this channel may have it and another one would be a second message):
 *
 * - consent_withdrawn, consent_missing: for this channel alone.
 * - contact_missing, contact_refused: no address, or one at which nothing arrives.
 *
 * Not now, though nothing else is in its way:
 *
 * - budget_used: the person has had as much of this as a contact budget allows. It comes back when the
 *   oldest message that counts has left the window; and already when the lease of one that is with a
 *   worker must be over, since that may not go out.
 *
 * Of several messages of one person that would take a place, one is claimed at a time. The others give
 * way: they stay planned and due, and come again when that one is counted. In a rehearsal a message gives
 * way to every earlier one that is due, whichever queue either is in: who gets the last place is then the
 * same each time.
 */
const refusals: readonly Refusal[] = [
  // P3 fail closed
  { effect: 'skip', reason: 'person_unknown', when: sql`person_missing or receiver_id is null` },
  // P3 death
  {
    effect: 'skip',
    reason: 'person_deceased',
    when: sql`deceased_at is not null or stop_about = 'death'`,
  },
  // P3, P6: what it stood for has moved to the other record
  { effect: 'skip', reason: 'person_merged', when: sql`merged_into is not null` },
  // P3 stops
  { effect: 'skip', reason: 'person_stopped', when: sql`stop_about = 'staff' or stop = 'staff'` },
  // P3 recipients
  {
    effect: 'skip',
    reason: 'recipient_deceased',
    when: sql`receiver_deceased_at is not null or stop = 'death'`,
  },
  {
    effect: 'skip',
    reason: 'relation_ended',
    when: sql`recipient_id is not null and (relation_holds is not true or receiver_id = person_id)`,
  },
  {
    effect: 'skip',
    reason: 'relation_scope_missing',
    when: sql`recipient_id is not null and not relation_has_scope`,
  },
  {
    effect: 'skip',
    reason: 'recipient_by_age',
    when: sql`by_age and case when recipient_id is null then not 'person' = any(who_by_age) else way is null end`,
  },
  // P2: two recipients of one message have become one
  { effect: 'cancel', reason: 'merged_duplicate', when: sql`same = 'told'` },
  // P3 consent
  {
    effect: 'skip',
    reason: 'consent_withdrawn',
    when: sql`withdrawn_everywhere or stop = 'consent'`,
  },
  // P3 consent
  {
    effect: 'skip',
    reason: 'consent_missing',
    when: sql`needs_consent and not granted_somewhere`,
  },
  // P3 cancellation
  {
    effect: 'cancel',
    reason: 'exit_touchpoint',
    when: sql`enrolment_state = 'exited' and not (duplicate and enrolment_reason = 'merged_duplicate')`,
  },
  // P2: the other one was with a worker, too, when the two became one person
  { effect: 'cancel', reason: 'merged_duplicate', when: sql`twin = 'told'` },
  // P3 superseded entities
  {
    effect: 'cancel',
    reason: 'entity_withdrawn',
    when: sql`entity_type is not null and entity_known is distinct from entity_version
      and entity_state = 'withdrawn'`,
  },
  {
    effect: 'cancel',
    reason: 'entity_superseded',
    when: sql`entity_type is not null and entity_known is distinct from entity_version`,
  },
  // P2: what changed since is another campaign's to tell
  {
    effect: 'cancel',
    reason: 'older_version_told',
    when: sql`first_is = 'of an older version' and first in ('sent', 'delivered')`,
  },
  // P2: it was waited for in vain, and came after all
  {
    effect: 'cancel',
    reason: 'awaited_after_all',
    when: sql`first_is = 'awaited' and has_arrived`,
  },
  // P2: what came in its place goes out, unless this one may have been sent before: it says so first
  {
    effect: 'cancel',
    reason: 'awaited_not_in_time',
    when: sql`second = 'gone' or (second = 'waiting' and not duplicate
      and reason is distinct from 'resent_by_staff')`,
  },
  // P3 expiry, P2
  { effect: 'hold', reason: 'outcome_unknown', when: sql`expires_at <= now and duplicate` },
  { effect: 'expire', reason: 'expired', when: sql`expires_at <= now` },
  // P2: of neither does anybody know
  {
    effect: 'hold',
    reason: 'outcome_unknown',
    when: sql`twin = 'unknown' and reason is distinct from 'resent_by_staff'`,
  },
  // P2: nobody knows yet
  {
    effect: 'await-lease',
    reason: 'merged_duplicate',
    when: sql`twin = 'open' or same = 'open'`,
  },
  // P2: staff have not said what came of the other one
  { effect: 'wait', reason: 'merged_duplicate', when: sql`same = 'held'` },
  {
    effect: 'await-lease',
    reason: 'older_version_told',
    when: sql`first_is = 'of an older version' and first = 'sending'`,
  },
  {
    effect: 'await-lease',
    reason: 'awaited_open',
    when: sql`first_is = 'awaited' and (first = 'sending' or is_resent)`,
  },
  { effect: 'wait', reason: 'awaited_open', when: sql`first_is = 'awaited' and first = 'held'` },
  // P3 superseded entities: nobody knows yet by what
  { effect: 'wait', reason: 'entity_unapplied', when: sql`entity_unapplied > entity_known` },
  // P3 operational stops, the widest first
  { effect: 'wait', reason: 'sending_stopped', when: stopped('all') },
  { effect: 'wait', reason: 'campaign_stopped', when: stopped('campaign', sql`campaign_id`) },
  { effect: 'wait', reason: 'template_stopped', when: stopped('template', sql`template_id`) },
  { effect: 'wait', reason: 'channel_stopped', when: stopped('channel', sql`channel`) },
  { effect: 'wait', reason: 'provider_stopped', when: stopped('provider', sql`asked_provider`) },
  // P3 quiet hours
  { effect: 'await-morning', reason: 'quiet_hours', when: sql`quiet_until is not null` },
  // P3 days and hours of its own
  { effect: 'await-window', reason: 'sending_window', when: sql`window_opens is not null` },
  // P3 never early
  { effect: 'unqueue', reason: null, when: sql`due_at > due_now` },
  // P3 consent, for this channel alone
  { effect: 'next', reason: 'consent_withdrawn', when: sql`withdrawn_here or stop = 'channel'` },
  { effect: 'next', reason: 'consent_missing', when: sql`needs_consent and not granted_here` },
  // P3 suppression
  { effect: 'next', reason: 'contact_missing', when: sql`address is null` },
  { effect: 'next', reason: 'contact_refused', when: sql`address_refused` },
  // P3 contact budget
  { effect: 'await-place', reason: 'budget_used', when: sql`place_free_at is not null` },
]

/** Every reason for which the last check may refuse, for tests and for the reference. */
export const lastCheckReasons: ReadonlySet<ReasonCode> = new Set(
  refusals.flatMap(({ reason }) => reason ?? []),
)

type Effect =
  | 'skip'
  | 'cancel'
  | 'expire'
  | 'hold'
  | 'await-lease'
  | 'await-morning'
  | 'await-place'
  | 'await-window'
  | 'wait'
  | 'unqueue'
  | 'next'
type Refusal = { effect: Effect; reason: ReasonCode | null; when: RawBuilder<unknown> }

function stopped(scope: string, target?: RawBuilder<unknown>): RawBuilder<unknown> {
  const matches = target ? sql`and operational.target = ${target}` : sql``
  return sql`exists (select from operational where operational.scope = ${sql.lit(scope)} ${matches})`
}

/** The messages whose sending starts next, and the job that each of them was queued for. */
export type ClaimItem = { readonly intentId: string; readonly jobId: string }

export type ClaimRequest = {
  readonly items: readonly ClaimItem[]
  readonly channel: ChannelName
  readonly provider: string
  /** A repeat over this channel with the same key is harmless. */
  readonly idempotent: boolean
  /** A new UUID: when no answer comes, {@link abandonClaim} finds by it what was claimed. */
  readonly claimId: string
  /** How long the claim is the caller's, counted from the moment it is made. */
  readonly leaseMs: number
  /** The definition that the caller renders by, and its classes that need a consent. */
  readonly revision: number
  readonly classesNeedingConsent: readonly string[]
  readonly quietHours: readonly (QuietHours & { readonly class: string })[]
  /** The organisation's, for whose own is not known. */
  readonly timeZone: string
  readonly budgets: readonly Budget[]
  readonly ages: readonly AgeRule[]
  /** The provider has said that it is a sandbox; without it a rehearsal sends nothing. */
  readonly rehearsalVerified: boolean
}

/** A message that is the caller's to send, with everything that is needed to render it. */
export type ClaimedMessage = {
  intentId: string
  personId: string
  /** Who gets it: the person, or somebody else whom `recipient` tells of. */
  receiverId: string
  recipient: {
    as: string
    fields: Record<string, unknown>
    locale: string | null
    timeZone: string | null
  } | null
  fence: number
  /** Counts from 1, on this channel. */
  attempt: number
  duplicate: boolean
  /** On this channel. */
  address: string
  enrolmentId: string
  campaignId: string
  messageId: string
  templateId: string
  templateHash: string
  /** What it asks, of a message that can be answered. */
  question: Question | null
  expiresAt: string
  traceparent: string | null
  /** Business time of the claim. */
  claimedAt: string
  person: {
    fields: Record<string, unknown>
    locale: string | null
    timeZone: string | null
    persona: string | null
    journeys: Record<string, { phase?: string }>
  }
  /** Data of the event that began the enrolment. */
  event: Record<string, unknown>
  /** Data of the entity that the message hangs on. */
  entity: Record<string, unknown>
  /** State of the newest message of the enrolment, by id of the step. */
  statuses: Record<string, string>
}

/** A message that was not claimed, and where it went. */
export type RefusedMessage = {
  intentId: string
  state: IntentState
  /** Null when it just was not due. */
  reason: string | null
}

export type ClaimResult = {
  claimed: ClaimedMessage[]
  refused: RefusedMessage[]
  /** Why nothing was looked at; `revision` is the definition in force. */
  obstacle: 'rehearsal' | 'definition' | null
  /** Business time stands still between the steps of a rehearsal. */
  rehearsal: boolean
}

/**
 * Claims those of `items` that may be sent now. Statements do not depend on their number (P8).
 *
 * In one trip, as long as no refusal is one that others are told of. What would have to be told stays
 * as it is then, and is looked at once more, in a transaction that refuses and tells and claims
 * nothing. What was claimed waits for no lock of that one, nor is it lost with it: what the second
 * look does not come to stays queued, and is brought again.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable): it may have happened all the same; call
 *   {@link abandonClaim} before anything else
 */
export async function claim(store: Store, request: ClaimRequest): Promise<ClaimResult> {
  let looked = await claimUntold(store, request, 'plain')
  if (looked[0]?.is_more) looked = await claimUntold(store, request, 'whole')
  const moved = looked.filter((row) => !row.is_left)
  const left = new Set(looked.filter((row) => row.is_left).map((row) => row.intent_id))
  const items = request.items.filter(({ intentId }) => left.has(intentId))
  if (items.length > 0) {
    const told = refuseAndTell(store, { ...request, items })
    const hasClaimed = moved.some((row) => row.next_state === 'sending')
    moved.push(...(await (hasClaimed ? told.catch(() => []) : told)))
  }
  const wakes = wakesOf(moved)
  // Only a hint: the scheduler sweeps. What was claimed must not wait for it, nor be lost with it.
  if (wakes.length > 0) void wake(store.db, store.namespace, wakes).catch(() => {})
  return resultOf(looked[0], moved, request)
}

/**
 * Of most messages less can be wrong: they go to the person, were never with a worker, stand in nobody's
 * place and may go out on any day. The statement that looks at no more than that costs a third less. When
 * any message of a claim is another one, it looks at none of them, and says so (`is_more`).
 */
type Look = 'plain' | 'whole'

const isMore = sql`(named.recipient_id is not null or named.by_age or named.fence > 0
  or named.instead_of is not null or named.sending_window is not null)`

async function claimUntold(store: Store, request: ClaimRequest, look: Look): Promise<Row[]> {
  const { checked } = await inTransaction(store.db, async (tx) => {
    if (look === 'plain') void lockItems(tx, request)
    else void send(tx, lockWhole(store.namespace, request))
    const { items, budgets } = request
    if (budgets.length > 0) {
      const ids = items.map(({ intentId }) => intentId)
      lockBudgets(tx, store.namespace, ids, budgets)
      // Whoever gets a message about somebody else may have become another record while it waited for theirs; the
      // merge waits for no row of it. Once more locks who they are now, and else nothing.
      if (look === 'whole') lockBudgets(tx, store.namespace, ids, budgets)
    }
    return { checked: checkAndMove(tx, request, { look, telling: false }) }
  })
  return (await checked).rows
}

async function refuseAndTell(store: Store, request: ClaimRequest): Promise<Row[]> {
  return inTransaction(store.db, async (tx) => {
    const locked = await lockItems(tx, request, sql`skip locked`)
    const ids = new Set(locked.rows.map((row) => row.intent_id))
    const items = request.items.filter(({ intentId }) => ids.has(intentId))
    const { rows } = await checkAndMove(tx, { ...request, items }, { look: 'whole', telling: true })
    const moved = rows.filter((row) => !row.is_left)
    letGoOn(tx, moved.flatMap(endedUnsent))
    void appendOutbox(
      tx,
      outcomeRecords(
        store.namespace,
        moved.flatMap((row) => outcomeOf(row, request.channel)),
      ),
    )
    return moved
  })
}

/**
 * In the order in which everybody locks them, or two claims of one job could deadlock. By their ids
 * alone: given the state too, the planner may walk the whole queue by its partial index, since
 * statistics never keep up with how full that is (P8).
 */
function lockItems(
  tx: Querying,
  request: ClaimRequest,
  skipLocked: RawBuilder<unknown> = sql``,
): Promise<QueryResult<{ intent_id: string }>> {
  return send(
    tx,
    sql`select intent_id from intent where intent_id = any(${idsOf(request)})
    order by intent_id for update ${skipLocked}`,
  )
}

/** Those to somebody else behind whoever claims the same message to others, too. */
function lockWhole(namespace: string, request: ClaimRequest): RawBuilder<unknown> {
  return sql`with locked as materialized (
      select enrolment_id, message_id, recipient_id from intent
      where intent_id = any(${idsOf(request)}) order by intent_id for update
    )${lockSameMessages(namespace)}`
}

function idsOf({ items }: ClaimRequest): RawBuilder<unknown> {
  return sql`${items.map((item) => item.intentId)}::uuid[]`
}

type Looked = { rehearsal: boolean; revision: number | null; is_more: boolean }
type Row = Looked & {
  intent_id: string | null
  person_id: string
  campaign_id: string
  version: number
  message_id: string
  enrolment_id: string
  template_id: string
  template_hash: string
  question: Question | null
  expires_at: string
  traceparent: string | null
  now: string
  provider: string | null
  duplicate: boolean
  /** The same person may have it from another record of theirs. */
  repeats: boolean
  effect: Effect | 'claim' | 'give-way'
  next_state: IntentState
  next_reason: string | null
  moves_on: boolean
  /** It was not moved: that is for the other one of the two looks. */
  is_left: boolean
  next_fence: number
  next_attempts: number
  address: string | null
  fields: Record<string, unknown>
  locale: string | null
  time_zone: string | null
  persona: string | null
  receiver_id: string
  /** As what whoever gets it may be told; null when it is the person. */
  way: string | null
  receiver_fields: Record<string, unknown>
  receiver_locale: string | null
  receiver_time_zone: string | null
  journeys: Record<string, { phase?: string }>
  trigger: { data?: Record<string, unknown> } | null
  entity_data: Record<string, unknown> | null
  statuses: Record<string, string> | null
}

/**
 * One row per message that was looked at; one row without a message when there was an obstacle, or
 * when none was left to look at.
 */
function checkAndMove(
  tx: Querying,
  { items, claimId, ...terms }: ClaimRequest,
  how: { look: Look; telling: boolean },
): Promise<QueryResult<Row>> {
  const ids = items.map(({ intentId }) => intentId)
  const asked = items.map(({ intentId, jobId }) => `${intentId} ${jobId}`)
  return send(tx, checksAndMoves({ ...terms, ...how }, { ids, asked, claimId }))
}

/** What many claims have in common, and the places of what they have not. */
type Terms = Omit<ClaimRequest, 'items' | 'claimId'>
type Places = Readonly<Record<'ids' | 'asked' | 'claimId', unknown>>
type Named = Terms & Places

const checksAndMoves = fixedStatements(
  ['ids', 'asked', 'claimId'],
  ({ look, telling, ...terms }: Terms & { look: Look; telling: boolean }, places) =>
    checkingAndMoving({ ...terms, ...places }, look, telling),
)

function checkingAndMoving(request: Named, look: Look, telling: boolean): RawBuilder<Row> {
  return sql<Row>`
    ${look === 'plain' ? plainLook(request) : wholeLook(request)}, operational as materialized (
      select scope, target from operational_stop s
      where not exists (select from stop_lift l where l.stop_id = s.stop_id)
    ), facts as materialized (${factsOf(request, look)}
    ), checked as materialized (
      select *, case ${sql.join(
        refusals.map(({ when }, index) => sql`when ${when} then ${sql.lit(index)}`),
        sql` `,
      )} end as refusal from facts
    ), judged as materialized (
      select *, ${effectOf(request)} as effect, ${reasonOf} as refusal_reason,
        channel_index + 1 < cardinality(channels) as has_next,
        duplicate and unknown_outcome = 'at-most-once' as only_here
      from checked
    ), decided as materialized (
      select *, ${nextState} as next_state, ${nextReason} as next_reason,
        effect = 'next' and has_next and not only_here as moves_on
      from judged
    ), moved as (${moveOf(request, telling)}
    )${hasBudgets(request) && !telling ? sql`, counted as (${countClaimed})` : sql``}
    select look.rehearsal, look.revision, look.is_more, d.*
    from look left join (
      select ${told}, next_fence, next_attempts, false as is_left from moved
      union all
      select ${told}, null, null, true from decided
      where intent_id not in (select intent_id from moved)
    ) as d on true
  `
}

/** How either look begins, by which they are told apart from outside. */
function plainLook(request: Named): RawBuilder<unknown> {
  const moreOfAny = sql`exists (select from named where ${isMore})`
  return sql`with named as materialized (${namedOf(request)}), look as materialized (${lookOf(moreOfAny)})`
}

function wholeLook(request: Named): RawBuilder<unknown> {
  return sql`with look as materialized (${lookOf(sql`false`)}), named as materialized (${namedOf(request)})`
}

function namedOf(request: Named): RawBuilder<unknown> {
  return sql`select * from intent where intent_id = any(${request.ids}::uuid[])`
}

function lookOf(moreOfAny: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`select business_now() as now, due_now() as due_now,
    exists (select from rehearsal_clock) as rehearsal,
    (select max(revision) from definition) as revision, ${moreOfAny} as is_more`
}

/** What is asked of `decided` and `moved`. */
const told = sql.join(
  (
    [
      'intent_id',
      'person_id',
      'campaign_id',
      'version',
      'message_id',
      'enrolment_id',
      'template_id',
      'template_hash',
      'question',
      'expires_at',
      'traceparent',
      'now',
      'provider',
      'duplicate',
      'repeats',
      'effect',
      'next_state',
      'next_reason',
      'moves_on',
      'address',
      'fields',
      'locale',
      'time_zone',
      'persona',
      'journeys',
      'receiver_id',
      'way',
      'receiver_fields',
      'receiver_locale',
      'receiver_time_zone',
      'trigger',
      'entity_data',
      'statuses',
    ] as const satisfies readonly (keyof Row)[]
  ).map((column) => sql.ref(column)),
)

const refusedEffect = sql`case refusal ${sql.join(
  refusals.map(({ effect }, index) => sql`when ${sql.lit(index)} then ${sql.lit(effect)}`),
  sql` `,
)} else 'claim' end`

/** The first to one receiver that counts may take a place; the next one must find it counted. */
function effectOf(request: Named): RawBuilder<unknown> {
  if (!hasBudgets(request)) return refusedEffect
  const place = sql`row_number() over (partition by receiver_id, refusal is null and counts
    order by due_at, intent_id)`
  return sql`case when refusal is null and counts and ${place} > 1 then 'give-way'
    when rehearses and counts and (refusal is null or refusal = ${sql.lit(noRoom)})
      and ${isAnyBefore(request.budgets)} then 'give-way'
    else ${refusedEffect} end`
}

const noRoom = refusals.findIndex(({ reason }) => reason === 'budget_used')

function hasBudgets({ budgets }: Terms): boolean {
  return budgets.length > 0
}

const reasonOf = sql`case refusal ${sql.join(
  refusals.map(({ reason }, index) => sql`when ${sql.lit(index)} then ${sql.lit(reason)}`),
  sql` `,
)} end`

const nextState = sql`case effect
  when 'claim' then 'sending'
  when 'skip' then 'skipped'
  when 'cancel' then 'cancelled'
  when 'expire' then 'expired'
  when 'hold' then 'held'
  when 'next' then case when only_here then 'held' when has_next then 'planned' else 'skipped' end
  else 'planned' end`

/** It is looked at again by itself, and nothing about it was decided. */
const briefly = (
  ['await-place', 'await-morning', 'await-window', 'await-lease', 'give-way', 'unqueue'] as const
).map((effect) => sql.lit(effect))

const nextReason = sql`case
  when effect = 'next' and only_here then 'outcome_unknown'
  when effect = 'next' and not has_next then 'no_usable_channel'
  when refusal_reason = 'exit_touchpoint' then coalesce(enrolment_reason, refusal_reason)
  -- P2: what staff said of it must not be asked of them again because the hour was wrong.
  when reason = 'resent_by_staff' and effect in (${sql.join(briefly, sql`, `)}) then reason
  when effect = 'give-way' then null
  else refusal_reason end`

/** Everything the clauses look at, of each message that may be looked at. */
function factsOf(request: Named, look: Look): RawBuilder<unknown> {
  const { asked } = request
  return sql`
    select i.job_id as asked_job, i.person_id, i.intent_id, i.class, i.enrolment_id, i.campaign_id, i.version, i.message_id, i.step,
      i.template_id, i.template_hash, i.question, i.channels, i.channel_index, i.unknown_outcome, i.duplicate,
      i.part_of, i.entity_type, i.entity_version, i.planned_for, i.due_at, i.expires_at, i.traceparent,
      i.provider, i.reason, look.rehearsal as rehearses, ${request.channel}::text as channel,
      ${request.provider}::text as asked_provider, look.now, look.due_now,
      p.person_id is null as person_missing, p.deceased_at, p.merged_into, p.fields, p.locale,
      p.time_zone, p.persona, p.journeys, i.recipient_id, i.by_age, w.receiver_id,
      w.fields as receiver_fields, w.locale as receiver_locale, w.time_zone as receiver_time_zone,
      r.deceased_at as receiver_deceased_at, relation.holds as relation_holds,
      relation.has_scope as relation_has_scope, relation.way, age.who as who_by_age, same.state as same, same.due_at as same_due_at,
      same.repeats or twin.repeats as repeats,
      contact ->> 'address' as address, contact ->> 'refusedAt' is not null as address_refused,
      contact ->> 'since' as address_since,
      run.state as enrolment_state, run.reason as enrolment_reason, run.trigger,
      e.version as entity_known, e.unapplied_version as entity_unapplied, e.state as entity_state,
      e.data as entity_data,
      i.class = any(${[...request.classesNeedingConsent]}::text[]) as needs_consent,
      c.withdrawn_everywhere, c.withdrawn_here, c.granted_here, c.granted_somewhere,
      ${counts(request.budgets, 'i')} as counts, place.until as place_free_at,
      quiet.until as quiet_until, ${look === 'plain' ? sql`null::timestamptz` : windowOf(request)} as window_opens,
      stop.kind as stop,
      case when i.recipient_id is null then stop.kind else about.kind end as stop_about,
      twin.state as twin, older.first, older.first_is, older.has_arrived, older.is_resent,
      instead.second, statuses.statuses
    from look join named i on (not look.rehearsal or ${request.rehearsalVerified})
      and look.revision = ${request.revision} and not look.is_more
      and i.state = 'queued' and i.intent_id || ' ' || i.job_id = any(${asked}::text[])
      and i.channels[i.channel_index + 1] = ${request.channel}
    left join person p on p.person_id = i.person_id
    ${look === 'plain' ? nobodyElse : whoElse(request)}
    ${look === 'plain' ? sql`cross join lateral (select null::text as kind) as about` : stopAbout}
    left join lateral (select w.contacts -> ${contactKinds[request.channel]}::text) as address (contact)
      on true
    left join enrolment run on run.person_id = i.person_id and run.enrolment_id = i.enrolment_id
    left join entity e on e.person_id = i.person_id and e.entity_type = i.entity_type
      and e.entity_id = i.entity_id
    left join lateral (${consentFacts}) as c on true
    left join lateral (${quietHoursOf(request)}) as quiet on true
    left join lateral (${placeOf(request)}) as place on true
    left join lateral (${firstStopOf(sql`w.receiver_id`)}) as stop on true
    ${look === 'plain' ? noOther : otherMessages(request)}
    left join lateral (${newestStatuses}) as statuses on true`
}

/** Of the person whom a message to somebody else is about. */
const stopAbout = sql`left join lateral (${firstStopOf(sql`case when i.recipient_id is not null then i.person_id end`)}) as about on true`

const contactKinds: Readonly<Record<ChannelName, string>> = {
  app: 'app',
  email: 'email',
  sms: 'phone',
}

/** Of the row `i`, which has a class, channels and the one it is at, and of whoever gets it (`w`). */
export const consentFacts = sql`
  select coalesce(bool_or(state = 'withdrawn' and k.channel = ''), false) as withdrawn_everywhere,
    coalesce(bool_or(state = 'withdrawn' and k.channel = i.channels[i.channel_index + 1]), false)
      as withdrawn_here,
    coalesce(bool_or(state = 'granted' and k.channel in ('', i.channels[i.channel_index + 1])), false)
      as granted_here,
    coalesce(bool_or(state = 'granted' and (k.channel = '' or k.channel = any(i.channels))), false)
      as granted_somewhere
  from consent k where k.person_id = w.receiver_id and k.purpose in (i.class, 'all')`

/** No row, and nothing to compute, for a class that has none. */
function quietHoursOf({ quietHours, timeZone }: Terms): RawBuilder<unknown> {
  return sql`
    select quiet_until(look.now, hours.begins, hours.ends, coalesce(w.time_zone, ${timeZone}), ${timeZone}) as until,
      hours.begins, hours.ends
    from unnest(${quietHours.map((hours) => hours.class)}::text[],
      ${quietHours.map(({ from }) => from)}::time[], ${quietHours.map(({ until }) => until)}::time[])
      as hours (class, begins, ends)
    where hours.class = i.class`
}

/** When the days and hours of its own open; null while they are. */
function windowOf({ timeZone }: Terms): RawBuilder<unknown> {
  return sql`case when i.sending_window is not null then sending_window_opens(look.now,
    ${windowBesideQuietHours}, coalesce(w.time_zone, ${timeZone}), ${timeZone}) end`
}

/**
 * A day on which any hour will do, and whose own hour is quiet, opens when the quiet hours end: twin of
 * openedBeside (packages/campaign/src/sending-window.ts).
 */
const windowBesideQuietHours = sql`case
  when i.sending_window ->> 'closes' is null and case
    when quiet.begins < quiet.ends then (i.sending_window ->> 'opens')::time >= quiet.begins
      and (i.sending_window ->> 'opens')::time < quiet.ends
    else (i.sending_window ->> 'opens')::time < quiet.ends
      or (i.sending_window ->> 'opens')::time >= quiet.begins end
  then jsonb_set(i.sending_window, '{opens}', to_jsonb(left(quiet.ends::text, 5)))
  else i.sending_window end`

/** Nothing to look at where there are no budgets. */
function placeOf(request: Named): RawBuilder<unknown> {
  return hasBudgets(request) ? placeFreeAt(request.budgets) : sql`select null::timestamptz as until`
}

/** Of the stops that stand the heaviest; `channel` is a consent that was withdrawn for this one. */
export function firstStopOf(person: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
  select (array['death', 'staff', 'consent', 'channel'])[min(
    case when s.kind = 'death' then 1 when s.kind = 'staff' then 2 when s.channel = '' then 3 else 4 end
  )] as kind
  from person_stop s
  where s.person_id = ${person} and s.purpose in (i.class, 'all')
    and s.channel in ('', i.channels[i.channel_index + 1])
    and not exists (select from stop_lift l where l.stop_id = s.stop_id)
    and not (s.kind = 'consent' and exists (
      select from consent k where k.person_id = s.person_id and k.purpose = s.purpose
        and k.channel = s.channel and k.at > s.at
        and not (k.state = 'granted' and k.origin = 'import' and s.origin <> 'import')))`
}

/** Null when it is the only one. See `latestOf` of the core: of what was planned last, and over further channels since, the furthest. */
const newestStatuses = sql`
  select case when exists (select from intent other where other.person_id = i.person_id
    and other.enrolment_id = i.enrolment_id and other.intent_id <> i.intent_id) then (
  select jsonb_object_agg(message_id, state) from (
    select distinct on (n.message_id) n.message_id, n.state from (
      select message_id, state, turn, planned_at, entity_version,
        first_value(planned_at) over of_message as first_at,
        first_value(entity_version) over of_message as first_version
      from intent where person_id = i.person_id and enrolment_id = i.enrolment_id
      window of_message as (partition by message_id
        order by turn > 0, planned_at desc, entity_version desc nulls last)
    ) as n
    where n.planned_at >= n.first_at
      and (n.turn > 0 or n.entity_version is not distinct from n.first_version)
    order by n.message_id, array_position(${[...statesByReach]}::text[], n.state)
  ) as newest) end as statuses`

/**
 * How long an operational stop holds a message before it looks again: as long as it has waited
 * already, within bounds, spread by its id, and never past its expiry. In whole milliseconds, like
 * every moment: a rehearsal that steps to where it reads that this is due would not have reached it.
 */
const looksAgainAt = sql`least(d.expires_at, date_trunc('milliseconds', d.now +
  greatest(interval '1 minute', least(interval '15 minutes', d.now - d.planned_for))
  * (1 + abs(hashtext(d.intent_id::text)::float8) / 2147483648)))`

/**
 * Whoever has the other one, or will when it is due, says by then what became of it, or the sweep does. Where
 * that comes too late for this one it looks halfway to its own end, and again: the other one may have come to
 * nothing by then, and neither would go. In whole milliseconds, too.
 */
function afterLease({ leaseMs }: Terms): RawBuilder<unknown> {
  const known = sql`greatest(d.now, d.same_due_at)`
  const lease = sql`make_interval(secs => ${leaseMs / 1000})`
  const halfway = sql`greatest(interval '1 second', (d.expires_at - ${known}) / 2)`
  return sql`least(d.expires_at, date_trunc('milliseconds', ${known} + case
    when ${known} + ${lease} < d.expires_at then ${lease} else ${halfway} end))`
}

/** `detail` remembers what was wrong with each channel, and what an expired message waited for. */
const nextDetail = sql`case
  when d.effect = 'next' then jsonb_set(coalesce(i.detail, '{}'), '{channels}',
    coalesce(i.detail -> 'channels', '{}') || jsonb_build_object(d.channel, d.refusal_reason))
  when d.effect = 'expire' and i.reason is not null then
    coalesce(i.detail, '{}') || jsonb_build_object('waitedFor', i.reason)
  else i.detail end`

function moveOf(request: Named, telling: boolean): RawBuilder<unknown> {
  return sql`
    update intent i set
      state = d.next_state,
      reason = d.next_reason,
      detail = ${nextDetail},
      due_at = case when d.effect = 'wait' then ${looksAgainAt}
        when d.effect = 'await-lease' then ${afterLease(request)}
        when d.effect = 'await-morning' then least(d.expires_at, d.quiet_until)
        when d.effect = 'await-window' then least(d.expires_at, d.window_opens)
        ${hasBudgets(request) ? placeFree(request) : sql``}
        when d.moves_on then d.now else i.due_at end,
      due_since = case
        when d.effect = 'wait' and d.refusal_reason in ('channel_stopped', 'provider_stopped')
          then coalesce(i.due_since, i.due_at)
        when d.effect in ('claim', 'give-way', 'unqueue') then i.due_since end,
      channel_index = i.channel_index + d.moves_on::integer,
      job_id = case when d.effect = 'claim' then i.job_id end,
      fence = i.fence + (d.effect = 'claim')::integer,
      claim_id = case when d.effect = 'claim' then ${request.claimId}::uuid end,
      lease_until = case when d.effect = 'claim' then
        clock_timestamp() + make_interval(secs => ${request.leaseMs / 1000}) end,
      attempts = case when d.moves_on then 0 else i.attempts + (d.effect = 'claim')::integer end,
      duplicate = i.duplicate or (d.effect = 'claim' and d.repeats),
      recipient_as = case when d.effect = 'claim' then coalesce(d.way, i.recipient_as)
        else i.recipient_as end,
      provider = case when d.effect = 'claim' then d.asked_provider else i.provider end,
      address_since = case when d.effect = 'claim' then d.address_since else i.address_since end,
      idempotent = case when d.effect = 'claim' then ${request.idempotent} else i.idempotent end,
      settled_at = case when d.next_state not in ('planned', 'sending') then d.now end,
      touched_at = clock_timestamp()
    from decided d where i.person_id = d.person_id and i.intent_id = d.intent_id
      -- Looked at again if it had to be waited for: nobody else's claim is ever overwritten (P2). Said
      -- so that no index fits, or the whole queue is walked for it (P8).
      and (i.state, i.job_id) is not distinct from ('queued', d.asked_job)
      and (d.next_state = any(${[...toldStates]}::text[])) = ${telling}
    returning d.*, i.fence as next_fence, i.attempts as next_attempts`
}

function placeFree(request: Named): RawBuilder<unknown> {
  return sql`when d.effect = 'await-place' then least(d.expires_at, d.place_free_at,
          case when ${isAnyUnderWay(request.budgets)} then ${afterLease(request)} end)`
}

function resultOf(
  looked: Looked | undefined,
  rows: readonly Row[],
  request: ClaimRequest,
): ClaimResult {
  const rehearsal = looked?.rehearsal ?? false
  const nothing = { claimed: [], refused: [], rehearsal }
  if (rehearsal && !request.rehearsalVerified) return { ...nothing, obstacle: 'rehearsal' }
  if (looked?.revision !== request.revision) return { ...nothing, obstacle: 'definition' }
  const claimed: ClaimedMessage[] = []
  const refused: RefusedMessage[] = []
  for (const row of rows) {
    if (row.intent_id === null) continue
    if (row.next_state === 'sending') claimed.push(claimedOf(row, row.intent_id))
    else refused.push({ intentId: row.intent_id, state: row.next_state, reason: row.next_reason })
  }
  return { claimed, refused, obstacle: null, rehearsal }
}

function claimedOf(row: Row, intentId: string): ClaimedMessage {
  return {
    intentId,
    personId: row.person_id,
    receiverId: row.receiver_id,
    recipient:
      row.way === null
        ? null
        : {
            as: row.way,
            fields: row.receiver_fields,
            locale: row.receiver_locale,
            timeZone: row.receiver_time_zone,
          },
    fence: row.next_fence,
    attempt: row.next_attempts,
    duplicate: row.duplicate || row.repeats,
    address: row.address ?? '',
    enrolmentId: row.enrolment_id,
    campaignId: row.campaign_id,
    messageId: row.message_id,
    templateId: row.template_id,
    templateHash: row.template_hash,
    question: row.question,
    expiresAt: row.expires_at,
    traceparent: row.traceparent,
    claimedAt: row.now,
    person: {
      fields: row.fields,
      locale: row.locale,
      timeZone: row.time_zone,
      persona: row.persona,
      journeys: row.journeys,
    },
    event: row.trigger?.data ?? {},
    entity: row.entity_data ?? {},
    statuses: row.statuses ?? { [row.message_id]: 'queued' },
  }
}

function outcomeOf(row: Row, channel: ChannelName) {
  if (row.intent_id === null || !isTold(row.next_state)) return []
  return [
    {
      intentId: row.intent_id,
      personId: row.person_id,
      campaignId: row.campaign_id,
      version: row.version,
      messageId: row.message_id,
      channel,
      provider: row.provider,
      state: row.next_state,
      reason: row.next_reason,
      fence: row.next_fence,
      at: row.now,
    },
  ]
}

/** Of what is cancelled here only a message that somebody has from another record ends what waits for it. */
function endedUnsent({ person_id, intent_id, next_state, next_reason }: Row): EndedMessage[] {
  const isOver =
    next_state === 'skipped' ||
    next_state === 'expired' ||
    (next_state === 'cancelled' && next_reason === 'merged_duplicate')
  return isOver && intent_id !== null ? [{ person_id, intent_id }] : []
}

function wakesOf(rows: readonly Row[]): Wake[] {
  const wakes: Wake[] = []
  if (rows.some((row) => row.moves_on || row.effect === 'give-way')) wakes.push('intents')
  if (rows.some((row) => row.intent_id !== null && isTold(row.next_state))) wakes.push('outbox')
  return wakes
}
