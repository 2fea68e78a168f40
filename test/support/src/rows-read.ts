import type { Store } from '@wegwijs/store/database'
import { sql } from 'kysely'

/**
 * How many rows and index entries `work` read on the one connection of `store`, by table. A plan that
 * reads a whole table shows here, however quick that is.
 */
export async function rowsRead(
  store: Store,
  work: () => Promise<unknown>,
): Promise<Record<string, number>> {
  const before = await readSoFar(store)
  await work()
  const after = await readSoFar(store)
  return Object.fromEntries(
    Object.entries(after)
      .map(([table, count]): [string, number] => [table, count - (before[table] ?? 0)])
      .filter(([, count]) => count > 0),
  )
}

async function readSoFar({ db }: Store): Promise<Record<string, number>> {
  await sql`select pg_stat_force_next_flush()`.execute(db)
  const { rows } = await sql<{ name: string; count: number }>`
    select t.relname as name, (t.seq_tup_read + coalesce(sum(i.idx_tup_read), 0))::float8 as count
    from pg_stat_user_tables t left join pg_stat_user_indexes i using (relid)
    where t.schemaname = current_schema()
    group by t.relname, t.seq_tup_read`.execute(db)
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]))
}

/** Keeps PostgreSQL from finding out by itself how full the tables have become. */
export async function stopStatistics({ db }: Store): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class
    where relnamespace = current_schema()::regnamespace and relkind = 'r'`.execute(db)
  for (const { name } of rows) {
    await sql`alter table ${sql.id(name)} set (autovacuum_enabled = false)`.execute(db)
  }
}
