import { sql } from 'kysely'
import type { Store } from './database.ts'
import { lockAttempted, tellWrites, writeAttempts } from './settle.ts'
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
