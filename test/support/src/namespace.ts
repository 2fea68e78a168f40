import { newUuid } from '@wegwijs/runtime/derived-id'
import { openStore, type Store } from '@wegwijs/store/database'
import { migrate } from '@wegwijs/store/migrate'
import { sql } from 'kysely'

/** A migrated namespace of its own on the test server, gone again when it is closed. */
export async function openNamespace(databaseUrl: string, purpose: string): Promise<Store> {
  const namespace = `test_${purpose}_${newUuid().slice(-12)}`
  const store = openStore({
    databaseUrl,
    namespace,
    applicationName: namespace,
    maxConnections: 20,
  })
  await migrate(store)
  return {
    ...store,
    close: async () => {
      await sql`drop schema if exists ${sql.id(namespace)} cascade`.execute(store.db)
      await store.close()
    },
  }
}

/** Forgets everything but the shape of the tables: cheaper than another namespace. */
export async function emptyNamespace(store: Store): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
      and not relispartition and relname not like 'kysely%'`.execute(store.db)
  await sql`truncate ${sql.join(rows.map((row) => sql.id(row.name)))} restart identity`.execute(
    store.db,
  )
}
