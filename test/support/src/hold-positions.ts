import type { Store } from '@wegwijs/store/database'
import { inTransaction } from '@wegwijs/store/transaction'
import { sql } from 'kysely'

/**
 * Holds the positions of all partitions, or of the one that is named, so that every batch of them waits
 * at the beginning of its transaction, until the function that it gives is called.
 */
export async function holdPositions(
  store: Store,
  partition: number | null = null,
): Promise<() => Promise<void>> {
  const held = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const holding = inTransaction(store.db, async (tx) => {
    await sql`select from consumer_position
      where partition = coalesce(${partition}, partition) for update`.execute(tx)
    held.resolve()
    await released.promise
  })
  await Promise.race([held.promise, holding])
  return async () => {
    released.resolve()
    await holding
  }
}

/** How many sessions of this namespace wait for a lock that another one holds. */
export async function waitingSessions(store: Store): Promise<number> {
  const { rows } = await sql<{
    waiting: number
  }>`select count(*)::int as waiting from pg_stat_activity
    where application_name = ${store.namespace} and wait_event_type = 'Lock'`.execute(store.db)
  return rows[0]?.waiting ?? 0
}
