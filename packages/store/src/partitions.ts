import { sql } from 'kysely'
import type { Database, DatabaseTransaction } from './database.ts'

const growingTables = ['event', 'decision', 'attempt'] as const

/** Months for which partitions are made ahead; a service that is down for longer than this writes to the default one. */
const monthsAhead = 3

/**
 * Makes the monthly partitions of the tables that only grow, up to {@link monthsAhead} months
 * ahead, and a default one so that a row always finds a place. Called when migrating and daily.
 * One that is not there yet needs the whole table for an instant, as detaching does: where a long
 * query holds it we step back, and the next day tries again.
 */
export async function keepPartitions(db: Database): Promise<void> {
  for (const table of growingTables) {
    const isMade = await givingWay(db, async (tx) => {
      await sql`create table if not exists ${sql.id(`${table}_default`)} partition of ${sql.id(table)} default`.execute(
        tx,
      )
      const { rows } = await sql<{ name: string; first: string; past: string }>`
        select to_char(month, 'YYYYMM') as name, month::date::text as first,
          (month + interval '1 month')::date::text as past
        from generate_series(date_trunc('month', clock_timestamp()),
          date_trunc('month', clock_timestamp()) + make_interval(months => ${monthsAhead}), interval '1 month') as month
      `.execute(tx)
      for (const month of rows) {
        await sql`
          create table if not exists ${sql.id(`${table}_${month.name}`)} partition of ${sql.id(table)}
          for values from (${sql.lit(month.first)}) to (${sql.lit(month.past)})
        `.execute(tx)
      }
    })
    if (!isMade) return
  }
}

/**
 * Drops the partitions whose last row was recorded more than `months` ago; nothing is deleted row by
 * row. Detaching needs the whole table for an instant: where a long query holds it, we step back, so
 * that no insert waits behind us, and the next day tries again. Returns what was dropped.
 */
export async function dropOldPartitions(db: Database, months: number): Promise<string[]> {
  const { rows } = await sql<{ name: string; parent: string }>`
    select child.relname as name, parent.relname as parent
    from pg_inherits
    join pg_class child on child.oid = inhrelid
    join pg_class parent on parent.oid = inhparent
    where child.relnamespace = current_schema()::regnamespace
      and parent.relname = any(${[...growingTables]})
      and right(child.relname, 6) ~ '^[0-9]{6}$'
      and to_date(right(child.relname, 6), 'YYYYMM') + interval '1 month'
        < date_trunc('month', clock_timestamp()) - make_interval(months => ${months})
  `.execute(db)
  const dropped: string[] = []
  for (const { name, parent } of rows) {
    if (await dropPartition(db, parent, name)) dropped.push(name)
  }
  return dropped
}

async function dropPartition(db: Database, parent: string, name: string): Promise<boolean> {
  return givingWay(db, async (tx) => {
    await sql`alter table ${sql.id(parent)} detach partition ${sql.id(name)}`.execute(tx)
    await sql`drop table ${sql.id(name)}`.execute(tx)
  })
}

/** False, and nothing is changed, when somebody holds for longer what `change` needs for itself. */
async function givingWay(
  db: Database,
  change: (tx: DatabaseTransaction) => Promise<void>,
): Promise<boolean> {
  try {
    await db.transaction().execute(async (tx) => {
      await sql`set local lock_timeout = '2s'`.execute(tx)
      await change(tx)
    })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === lockNotAvailable) return false
    throw error
  }
}

const lockNotAvailable = '55P03'
