import type { Store } from '@wegwijs/store/database'
import { inTransaction } from '@wegwijs/store/transaction'
import { sql } from 'kysely'

/** Positions that are held: no batch gets past the beginning of its transaction. */
export type HeldPositions = {
  /** How many sessions wait for them, of whatever process. */
  waiting(): Promise<number>
  release(): Promise<void>
}

/** Holds the positions of all partitions, so that every batch waits at the beginning of its transaction. */
export async function holdPositions(store: Store): Promise<HeldPositions> {
  const held = Promise.withResolvers<number>()
  const released = Promise.withResolvers<void>()
  const holding = inTransaction(store.db, async (tx) => {
    // A test may take its time, and the server would end a session that does nothing with its locks.
    await sql`set local idle_in_transaction_session_timeout = 0`.execute(tx)
    await sql`select from consumer_position for update`.execute(tx)
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx)
    held.resolve(rows[0]?.pid ?? 0)
    await released.promise
  })
  const pid = await Promise.race([held.promise, holding.then(() => 0)])
  return {
    waiting: async () => {
      const { rows } = await sql<{ waiting: number }>`select count(*)::int as waiting
        from pg_stat_activity where ${pid}::int = any(pg_blocking_pids(pid))`.execute(store.db)
      return rows[0]?.waiting ?? 0
    },
    release: async () => {
      released.resolve()
      await holding
    },
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
