import type { ReasonCode } from '@wegwijs/campaign/reasons'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { sql } from 'kysely'
import type { Querying, Store } from './database.ts'
import { appendOutbox } from './outbox.ts'
import { isTold, outcomeRecords } from './outcome-events.ts'
import { insertRows } from './rows.ts'
import type { IntentState } from './schema.ts'
import type { StopWords } from './stops.ts'
import { inTransaction, query } from './transaction.ts'
import { wake } from './wake.ts'

/** A message of which nobody knows whether the provider has it (P2); ids and codes only. */
export type HeldMessage = {
  intentId: string
  personId: string
  campaignId: string
  messageId: string
  channel: string
  provider: string | null
  /** How the last attempt ended, in the provider's or our own code. */
  fault: string | null
  /** Since when it is held, in business time. */
  heldSince: string | null
  /** From then on it cannot be sent any more. */
  expiresAt: string
}

/** Those that have been held longest first. */
export async function listHeld(db: Querying, limit: number): Promise<HeldMessage[]> {
  const { rows } = await query(() =>
    sql<HeldMessage>`
      select intent_id as "intentId", person_id as "personId", campaign_id as "campaignId",
        message_id as "messageId", channels[channel_index + 1] as channel, provider,
        detail -> 'channels' ->> channels[channel_index + 1] as fault,
        settled_at as "heldSince", expires_at as "expiresAt"
      from intent where state = 'held' order by touched_at, intent_id limit ${limit}`.execute(db),
  )
  return rows
}

/** What staff do with held messages: send them once more, or close them, knowing what came of them. */
export type HeldEnd = 'resend' | 'close-as-sent' | 'close'

/** Why nothing was done: a message is not there, not held (any more), or not worth sending. */
export type HeldRefusal = {
  intentId: string
  why: 'unknown' | 'not_held' | 'expired'
  state: IntentState | null
}

/**
 * Ends the holding of these messages, all of them or none, and keeps who said so and why as a decision
 * about the person (P4). Null when it was done; else every message that stood in the way.
 *
 * - `resend`: planned again at once, marked as a possible repeat, over the same channel, under the
 *   same key. The last check is made as for any other (P3).
 * - `close-as-sent`: the provider has it: `sent`, with an attempt that says so.
 * - `close`: it is not sent any more: `cancelled`.
 *
 * A receipt, or a worker that comes back late, may come in between: then it is not held any more. One
 * that comes after a `close` is believed too: the message is what it says, and the words stay.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function endHolding(
  store: Store,
  intentIds: readonly string[],
  end: HeldEnd,
  words: StopWords,
): Promise<HeldRefusal[] | null> {
  const refused = await inTransaction(store.db, async (tx) => {
    const found = await lockMessages(tx, intentIds)
    const refusals = intentIds.flatMap((id) => refusalOf(id, found.get(id), end))
    if (refusals.length > 0) return refusals
    const held = [...found.values()]
    await moveHeld(tx, held, end)
    await keepWords(tx, held, end, words)
    await appendOutbox(tx, outcomeRecords(store.namespace, held.flatMap(toldOf(end))))
    return null
  })
  // Only a hint: the scheduler sweeps.
  if (!refused) await wake(store.db, store.namespace, ['intents', 'outbox']).catch(() => {})
  return refused
}

type LockedMessage = {
  intentId: string
  personId: string
  enrolmentId: string
  campaignId: string
  version: number
  messageId: string
  channel: string
  provider: string | null
  state: IntentState
  fence: number
  isExpired: boolean
  now: string
}

/** In the order in which everybody locks them. */
async function lockMessages(
  tx: Querying,
  intentIds: readonly string[],
): Promise<Map<string, LockedMessage>> {
  const { rows } = await sql<LockedMessage>`
    select intent_id as "intentId", person_id as "personId", enrolment_id as "enrolmentId",
      campaign_id as "campaignId", version, message_id as "messageId",
      channels[channel_index + 1] as channel, provider, state, fence,
      expires_at <= business_now() as "isExpired", business_now() as now
    from intent where intent_id = any(${[...intentIds]}::uuid[])
    order by intent_id for update`.execute(tx)
  return new Map(rows.map((row) => [row.intentId, row]))
}

function refusalOf(
  intentId: string,
  message: LockedMessage | undefined,
  end: HeldEnd,
): HeldRefusal[] {
  if (!message) return [{ intentId, why: 'unknown', state: null }]
  const { state, isExpired } = message
  if (state !== 'held') return [{ intentId, why: 'not_held', state }]
  if (end === 'resend' && isExpired) return [{ intentId, why: 'expired', state }]
  return []
}

const ends: Readonly<Record<HeldEnd, { state: IntentState; reason: ReasonCode }>> = {
  resend: { state: 'planned', reason: 'resent_by_staff' },
  'close-as-sent': { state: 'sent', reason: 'closed_by_staff' },
  close: { state: 'cancelled', reason: 'closed_by_staff' },
}

async function moveHeld(tx: Querying, held: readonly LockedMessage[], end: HeldEnd): Promise<void> {
  const { state, reason } = ends[end]
  const ids = sql`${held.map((message) => message.intentId)}::uuid[]`
  if (end === 'close-as-sent') {
    await sql`
      insert into attempt (person_id, intent_id, fence, business_at, channel, provider, outcome,
        reason, duplicate, address_since)
      select person_id, intent_id, fence, business_now(), channels[channel_index + 1],
        coalesce(provider, ''), 'accepted', 'said_by_staff', duplicate, address_since
      from intent where intent_id = any(${ids})`.execute(tx)
  }
  const isAgain = end === 'resend'
  await sql`
    update intent set state = ${state}, reason = ${reason}, touched_at = clock_timestamp(),
      -- P2: the person may get it twice, whoever decided so; and a provider may have what is closed.
      duplicate = duplicate or ${end !== 'close-as-sent'},
      due_at = case when ${isAgain} then date_trunc('milliseconds', business_now()) else due_at end,
      settled_at = case when ${isAgain} then null else business_now() end
    where intent_id = any(${ids})`.execute(tx)
}

/** As a decision of its own, which neither an event nor a timer led to. */
async function keepWords(
  tx: Querying,
  held: readonly LockedMessage[],
  end: HeldEnd,
  { reason: words, source: by }: StopWords,
): Promise<void> {
  await insertRows(
    tx,
    'decision',
    [
      'person_id',
      'decision_id',
      'ordinal',
      'business_at',
      'campaign_id',
      'version',
      'enrolment_id',
      'intent_id',
      'reason',
      'detail',
    ],
    held.map((message) => ({
      person_id: message.personId,
      decision_id: newUuid(),
      ordinal: 0,
      business_at: message.now,
      campaign_id: message.campaignId,
      version: message.version,
      enrolment_id: message.enrolmentId,
      intent_id: message.intentId,
      reason: ends[end].reason,
      detail: { words, by, end },
    })),
  )
}

function toldOf(end: HeldEnd) {
  const { state, reason } = ends[end]
  return ({ now: at, ...message }: LockedMessage) =>
    isTold(state) ? [{ ...message, state, reason, at }] : []
}
