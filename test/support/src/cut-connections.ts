import type { Store } from '@wegwijs/store/database'
import { sql } from 'kysely'

/**
 * Ends every connection of the namespace but the one that asks, as a restart of PostgreSQL does:
 * what was not committed is gone, and whoever waited for an answer never gets it.
 */
export async function cutConnections(store: Store): Promise<void> {
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = ${store.namespace} and pid <> pg_backend_pid()`.execute(store.db)
}
