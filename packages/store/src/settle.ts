import {
  type AfterAttempt,
  type AttemptedIntent,
  type AttemptOutcome,
  afterAttempt,
} from '@wegwijs/campaign/delivery'
import { type RawBuilder, sql } from 'kysely'
import { arrivalRecords } from './arrival-events.ts'
import { receiverOf } from './contact-budgets.ts'
import type { Querying, Store } from './database.ts'
import { fixedStatements } from './fixed-statement.ts'
import { type OutboxRecord, outboxArrays, outboxColumns, outboxInsert } from './outbox.ts'
import { isTold, type MessageOutcome, outcomeRecords } from './outcome-events.ts'
import { arraysOf, rowsOfArrays } from './rows.ts'
import { inTransaction, send } from './transaction.ts'
import { letGoOn } from './waiting-runs.ts'
import { type Wake, wake } from './wake.ts'

/**
 * Writes down what came of attempts: the attempt itself, where it leaves the message
 * (`afterAttempt` decides), and the record that tells others. All of them in one transaction, and
 * under the fence of the claim: whoever lost the lease changes nothing (P2).
 *
 * The facts that decide come from the locked row and not from the worker's memory, so the worker
 * and the sweep of lost leases cannot disagree.
 */
export type Settlement = {
  readonly intentId: string
  readonly fence: number
  readonly outcome: AttemptOutcome
}

/**
 * - `settled`: the message is now in `state`.
 * - `overtaken`: a receipt had already said more; the attempt is written down, the state stays.
 * - `repeated`: this attempt had been written down before; nothing was changed.
 * - `fenced`: the claim was no longer the caller's; nothing was changed. `settleLate` (leases.ts) may
 *   still hear what the provider said.
 */
export type Settled =
  | { readonly kind: 'settled'; readonly state: AfterAttempt['state'] }
  | { readonly kind: 'overtaken' | 'repeated' | 'fenced' }

/**
 * Settles claims, in one transaction; one answer each, in their order. Calling it again after a
 * failure is harmless. Statements do not depend on their number (P8).
 *
 * @param how.secret WEGWIJS_SECRET: what lies in an inbox of ours is reported as delivered; without it, it is not
 * @param how.tell is given the wake-ups, of which there are none for most calls; without it they are sent at once
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function settle(
  store: Store,
  settlements: readonly Settlement[],
  how: { secret?: string; tell?: (wakes: readonly Wake[]) => void } = {},
): Promise<Settled[]> {
  // A late one and a current one of the same message may come together.
  const byClaim = new Map(settlements.map((each) => [claimKey(each), each.outcome]))
  const { written, current } = await inTransaction(store.db, async (tx) => {
    // By their ids alone, so that there is one good plan whatever the statistics say.
    const locked = await lockAttempted(
      tx,
      sql`where i.intent_id = any(${settlements.map(({ intentId }) => intentId)}::uuid[])`,
    )
    const written = writeAttempts(tx, store.namespace, locked, {
      outcomeOf: (claim) => byClaim.get(claimKey(claim)),
      fenceStep: 0,
      secret: how.secret,
    })
    return { written, current: new Set(locked.map(claimKey)) }
  })
  if (how.tell) how.tell(wakesOf(written))
  else tellWrites(store, written)
  const settledOf = (each: Settlement) =>
    current.has(claimKey(each)) ? written.settled.get(each.intentId) : undefined
  return settlements.map((each) => settledOf(each) ?? { kind: 'fenced' })
}

/** By what a claim is known: the message, and its fence since. */
export function claimKey({ intentId, fence }: { intentId: string; fence: number }): string {
  return `${intentId} ${fence}`
}

/**
 * Gives back what a claim took whose answer never came: nothing of it was sent. Returns how many
 * messages that were. The rest of the claim's items is still queued.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function abandonClaim(
  store: Store,
  claimId: string,
  intentIds: readonly string[],
): Promise<number> {
  const written = await inTransaction(store.db, async (tx) => {
    // A claim that was sent may still wait for a lock when its connection is gone, and be committed
    // when it gets it: first whatever came before is over, then one looks what it took.
    void send(
      tx,
      sql`select from intent where intent_id = any(${[...intentIds]}::uuid[])
      order by intent_id for update`,
    )
    const locked = await lockAttempted(
      tx,
      sql`where i.intent_id = any(${[...intentIds]}::uuid[]) and i.claim_id = ${claimId}::uuid
        and i.state = 'sending'`,
    )
    return writeAttempts(tx, store.namespace, locked, {
      outcomeOf: () => ({ kind: 'not_started', reason: 'claim_unanswered' }),
      fenceStep: 0,
    })
  })
  tellWrites(store, written)
  return written.settled.size
}

export type LockedAttempt = AttemptedIntent & {
  personId: string
  /** Whose contact budget it counts for. */
  receiverId: string
  campaignId: string
  version: number
  messageId: string
  channel: string
  provider: string | null
  /** Time of the profile that told of the address to which it was to go; null when that is not known. */
  addressSince: string | null
  state: string
  fence: number
  /** An attempt with this fence is written down already. */
  recorded: boolean
  now: string
}

/** Locks claimed messages in the order of their ids; `where` says which, as `i`. */
export async function lockAttempted(
  tx: Querying,
  where: RawBuilder<unknown>,
  options: { skipLocked?: boolean } = {},
): Promise<LockedAttempt[]> {
  const { rows } = await sql<Omit<LockedAttempt, 'recorded'>>`
    select i.intent_id as "intentId", i.person_id as "personId", ${receiverOf('i')} as "receiverId", i.campaign_id as "campaignId",
      i.version, i.message_id as "messageId", i.channels, i.channel_index as "channelIndex",
      i.channels[i.channel_index + 1] as channel, i.attempts, i.due_at as "dueAt",
      i.expires_at as "expiresAt", i.unknown_outcome as "unknownOutcome", i.idempotent, i.duplicate,
      i.provider, i.address_since as "addressSince", i.state, i.fence, (select business_now()) as now
    from intent i ${where}
    order by i.intent_id for update of i ${options.skipLocked ? sql`skip locked` : sql``}
  `.execute(tx)
  const recorded = await recordedOf(
    tx,
    rows.filter(({ state }) => state !== 'sending'),
  )
  return rows.map((row) => ({ ...row, recorded: recorded.has(row.intentId) }))
}

/** Of which of these an attempt with this fence is written down already. What is still sending has none. */
async function recordedOf(
  tx: Querying,
  settled: readonly Omit<LockedAttempt, 'recorded'>[],
): Promise<ReadonlySet<string>> {
  if (settled.length === 0) return new Set()
  const { rows } = await sql<{ intentId: string }>`
    select i.intent_id as "intentId" from intent i
    where i.intent_id = any(${settled.map(({ intentId }) => intentId)}::uuid[]) and exists (
      select from attempt a where a.person_id = i.person_id and a.intent_id = i.intent_id
        and a.fence = i.fence)`.execute(tx)
  return new Set(rows.map(({ intentId }) => intentId))
}

export type WrittenAttempts = {
  settled: Map<string, Settled>
  outcomes: number
  /** How many are due again at once. */
  due: number
}

/**
 * Writes the attempts of locked messages and moves those that are still `sending`. With `fenceStep`
 * 1 whoever holds the claim is shut out. The commit waits for what is written (`send`).
 */
export function writeAttempts(
  tx: Querying,
  namespace: string,
  locked: readonly LockedAttempt[],
  how: {
    outcomeOf: (intent: LockedAttempt) => AttemptOutcome | undefined
    fenceStep: 0 | 1
    secret?: string | undefined
  },
): WrittenAttempts {
  const settled = new Map<string, Settled>()
  const rows: AttemptRow[] = []
  const outcomes: MessageOutcome[] = []
  for (const intent of locked) {
    const outcome = how.outcomeOf(intent)
    if (!outcome) continue
    if (intent.recorded) {
      settled.set(intent.intentId, { kind: 'repeated' })
      continue
    }
    const moves = intent.state === 'sending'
    const next = afterAttempt(intent, outcome, intent.now)
    rows.push(rowOf(intent, outcome, next, moves))
    settled.set(
      intent.intentId,
      moves ? { kind: 'settled', state: next.state } : { kind: 'overtaken' },
    )
    if (moves && isTold(next.state)) {
      outcomes.push({ ...intent, state: next.state, reason: next.reason, at: intent.now })
    }
  }
  const sent = outcomes.filter(({ state }) => state === 'sent')
  const arrivals = how.secret === undefined ? [] : arrivalRecords(namespace, sent, how.secret)
  const told = [...outcomeRecords(namespace, outcomes), ...arrivals]
  if (rows.length > 0) writeRows(tx, rows, told, how.fenceStep)
  letGoOn(
    tx,
    rows.filter((row) => row.moves && ['failed', 'expired'].includes(row.state)),
  )
  const due = rows.filter((row) => row.state === 'planned' && row.due_at <= row.now).length
  return { settled, outcomes: outcomes.length, due }
}

/** Only hints, after the commit: the scheduler sweeps. */
export function tellWrites(store: Store, written: WrittenAttempts): void {
  const wakes = wakesOf(written)
  if (wakes.length > 0) void wake(store.db, store.namespace, wakes).catch(() => {})
}

function wakesOf({ outcomes, due }: WrittenAttempts): Wake[] {
  return [...(due > 0 ? ['intents' as const] : []), ...(outcomes > 0 ? ['outbox' as const] : [])]
}

type AttemptRow = ReturnType<typeof rowOf>

function rowOf(intent: LockedAttempt, outcome: AttemptOutcome, next: AfterAttempt, moves: boolean) {
  return {
    person_id: intent.personId,
    intent_id: intent.intentId,
    receiver_id: intent.receiverId,
    moves,
    state: next.state,
    reason: next.reason,
    faults: next.fault && { [next.fault.channel]: safeText(next.fault.reason) },
    channel_index: next.channelIndex,
    attempts: next.attempts,
    due_at: next.dueAt,
    repeat: next.duplicate,
    final: next.state !== 'planned',
    now: intent.now,
    fence: intent.fence,
    channel: intent.channel,
    provider: intent.provider ?? '',
    outcome: outcome.kind === 'unrenderable' ? 'refused' : outcome.kind,
    gives_back: moves && outcome.kind !== 'accepted' && outcome.kind !== 'unknown',
    // The provider says of all attempts under this key that it has none of them.
    gives_back_all: moves && intent.duplicate && !next.duplicate && next.state !== 'sent',
    attempt_reason: 'reason' in outcome ? safeText(outcome.reason) : null,
    reference: outcome.kind === 'accepted' ? safeText(outcome.reference) : null,
    duplicate: intent.duplicate,
    address_since: intent.addressSince,
  }
}

const rowTypes = {
  person_id: 'uuid',
  intent_id: 'uuid',
  receiver_id: 'uuid',
  moves: 'boolean',
  state: 'text',
  reason: 'text',
  faults: 'jsonb',
  channel_index: 'integer',
  attempts: 'integer',
  due_at: 'timestamptz',
  repeat: 'boolean',
  final: 'boolean',
  now: 'timestamptz',
  fence: 'integer',
  channel: 'text',
  provider: 'text',
  outcome: 'text',
  gives_back: 'boolean',
  gives_back_all: 'boolean',
  attempt_reason: 'text',
  reference: 'text',
  duplicate: 'boolean',
  address_since: 'text',
} as const satisfies Record<keyof AttemptRow, string>

/**
 * What was certainly not handed over does not count for a contact budget. Of the attempts before it more
 * may be known, unless this answer is about them too.
 */
function giveBack(receivers: unknown): RawBuilder<unknown> {
  return sql`, given_back as (
      delete from counted_message c using written w
      where w.gives_back and c.person_id = w.receiver_id and c.intent_id = w.intent_id
        and (c.fence = w.fence or w.gives_back_all)
        -- Said once more as a list, as below.
        and c.person_id = any(${receivers}::uuid[])
    )`
}

function writeRows(
  tx: Querying,
  rows: readonly AttemptRow[],
  told: readonly OutboxRecord[],
  fenceStep: 0 | 1,
): void {
  const given = rows.filter((row) => row.gives_back)
  const values = {
    ...arraysOf(rowTypes, rows),
    ...outboxArrays(told),
    ids: rows.map((row) => row.intent_id),
    receivers: given.map((row) => row.receiver_id),
  }
  void send(tx, writing({ givesBack: given.length > 0, fenceStep }, values))
}

const rowNames = Object.keys(rowTypes) as (keyof AttemptRow)[]

const writing = fixedStatements(
  [...rowNames, ...outboxColumns, 'ids', 'receivers'],
  ({ givesBack, fenceStep }: { givesBack: boolean; fenceStep: 0 | 1 }, places) => sql`
    with written as materialized (${rowsOfArrays(rowTypes, places)}
    ), tried as (
      insert into attempt (person_id, intent_id, fence, business_at, channel, provider, outcome,
        reason, reference, duplicate, address_since)
      select person_id, intent_id, fence, now, channel, provider, outcome, attempt_reason,
        reference, duplicate, address_since
      from written
    ), told as (${outboxInsert(places)})${givesBack ? giveBack(places.receivers) : sql``}
    update intent i set
      state = case when w.moves then w.state else i.state end,
      reason = case when w.moves then w.reason else i.reason end,
      detail = case when w.faults is null then i.detail else jsonb_set(coalesce(i.detail, '{}'),
        '{channels}', coalesce(i.detail -> 'channels', '{}') || w.faults) end,
      channel_index = case when w.moves then w.channel_index else i.channel_index end,
      attempts = case when w.moves then w.attempts else i.attempts end,
      due_at = case when w.moves then w.due_at else i.due_at end,
      due_since = case when not w.moves then i.due_since
        when w.state = 'planned' and w.channel_index = i.channel_index
          then coalesce(i.due_since, nullif(i.due_at, w.due_at)) end,
      duplicate = case when w.moves then w.repeat else i.duplicate end,
      fence = i.fence + ${fenceStep},
      job_id = null, claim_id = null, lease_until = null,
      reference = coalesce(w.reference, i.reference),
      settled_at = case when not w.moves then i.settled_at when w.final then w.now end,
      touched_at = clock_timestamp()
    from written w
    where i.person_id = w.person_id and i.intent_id = w.intent_id
      -- Said once more as a list, or a plan made for small tables reads the whole table to join it.
      and i.intent_id = any(${places.ids}::uuid[])`,
)

const LONGEST_TEXT = 200

/**
 * What a provider said, fit for a row: PostgreSQL refuses a NUL, and with it the settlement of
 * everybody who is in the same statement.
 */
function safeText(text: string | undefined): string | null {
  if (text === undefined) return null
  return text
    .slice(0, LONGEST_TEXT)
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, ' ')
}
