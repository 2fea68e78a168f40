import { sql } from 'kysely'
import { receiverOf } from './contact-budgets.ts'
import type { Querying, Store } from './database.ts'
import {
  claimKey,
  type LockedAttempt,
  lockAttempted,
  type Settlement,
  tellWrites,
  writeAttempts,
} from './settle.ts'
import { inTransaction } from './transaction.ts'

/**
 * A message that was claimed and whose worker has not come back within its lease: the provider may
 * or may not have it (P2). Its fence is raised, so that a worker that wakes up late changes nothing.
 * One that a receipt has meanwhile moved on keeps its state; only its claim is over.
 *
 * For `graceMs` after PostgreSQL has started again nobody is given up: workers that could not reach
 * it meanwhile come first and say what became of theirs.
 *
 * Takes at most `limit`; any number of schedulers may sweep at once. Returns how many there were.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function sweepLeases(
  store: Store,
  { limit, graceMs }: { limit: number; graceMs: number },
): Promise<number> {
  const written = await inTransaction(store.db, async (tx) => {
    const locked = await lockAttempted(
      tx,
      sql`where i.intent_id in (
        select intent_id from intent
        where lease_until < clock_timestamp()
          and pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => ${graceMs / 1000})
        order by lease_until limit ${limit}
      ) and i.lease_until < clock_timestamp()`,
      { skipLocked: true },
    )
    return writeAttempts(tx, store.namespace, locked, {
      outcomeOf: () => ({ kind: 'unknown', reason: 'lease_expired' }),
      fenceStep: 1,
    })
  })
  tellWrites(store, written)
  return written.settled.size
}

/**
 * A worker that comes back after its lease knows what nobody else does: that the provider has taken
 * the message (P2). Such a message is `sent`, like one of which a receipt says so, and is neither held
 * nor sent again, nor over without having been sent; as long as nobody has claimed it since, which its
 * fence tells: the sweep raised it by one, and a claim would have raised it once more. Anything else is
 * left as it is.
 *
 * Returns the ids of those that are `sent` now. Calling it again after a failure is harmless.
 *
 * @param accepted settlements whose outcome is `accepted`, and which were fenced
 * @param secret as for `settle`
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function settleLate(
  store: Store,
  accepted: readonly Settlement[],
  secret?: string,
): Promise<ReadonlySet<string>> {
  const byClaim = new Map(accepted.map((each) => [claimKey(each), each.outcome]))
  const written = await inTransaction(store.db, async (tx) =>
    writeAttempts(tx, store.namespace, await lockGivenUp(tx, accepted), {
      outcomeOf: (claim) => byClaim.get(claimKey(claim)),
      fenceStep: 0,
      secret,
    }),
  )
  tellWrites(store, written)
  return new Set(written.settled.keys())
}

/**
 * Of these claims those that the sweep gave up and that were the last of their message, as they were
 * when it was `sending`. Locked in the order of their ids, or two of these could deadlock.
 */
async function lockGivenUp(tx: Querying, claims: readonly Settlement[]): Promise<LockedAttempt[]> {
  const ids = sql`${claims.map((claim) => claim.intentId)}::uuid[]`
  const { rows } = await sql<LockedAttempt>`
    select i.intent_id as "intentId", i.person_id as "personId", ${receiverOf('i')} as "receiverId", i.campaign_id as "campaignId",
      i.version, i.message_id as "messageId", i.channels,
      -- It may have been planned for its next channel since.
      array_position(i.channels, a.channel) - 1 as "channelIndex", a.channel, i.attempts,
      i.due_at as "dueAt", i.expires_at as "expiresAt", i.unknown_outcome as "unknownOutcome",
      i.idempotent, a.duplicate, a.provider, a.address_since as "addressSince", 'sending' as state, a.fence, false as recorded,
      business_now() as now
    from unnest(${ids}, ${claims.map((claim) => claim.fence)}::integer[]) as late (intent_id, fence)
    join intent i on i.intent_id = late.intent_id and i.fence = late.fence + 1
      and i.state in ('planned', 'queued', 'held', 'cancelled', 'skipped', 'expired')
    join attempt a on a.person_id = i.person_id and a.intent_id = i.intent_id
      and a.fence = late.fence and a.outcome = 'unknown' and a.reason = 'lease_expired'
    where i.intent_id = any(${ids})
    order by i.intent_id for update of i`.execute(tx)
  return rows
}
