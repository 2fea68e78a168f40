import { sql } from 'kysely'
import type { Database, DatabaseTransaction, Querying } from './database.ts'

const growingTables = ['event', 'decision', 'attempt'] as const

/** Months for which partitions are made ahead; a service that is down for longer than this writes to the default one. */
const monthsAhead = 3

/**
 * Makes the monthly partitions of the tables that only grow, up to {@link monthsAhead} months
 * ahead, and a default one so that a row always finds a place. Called when migrating and daily.
 * One that is not there yet needs the whole table for an instant, as detaching does: where a long
 * query holds it we step back, and the next day tries again.
 *
 * Rows of its month may have found their place in the default one: those from a clock that was months ahead, or from
 * when nobody had made partitions for long. They are moved into it. Where that would take too long they stay where they
 * are, and their month goes on there: returns the partitions that were not made for that.
 */
export async function keepPartitions(db: Database): Promise<string[]> {
  const crowded: string[] = []
  for (const table of growingTables) {
    const hasDefault = await givingWay(db, async (tx) => {
      await sql`create table if not exists ${sql.id(`${table}_default`)} partition of ${sql.id(table)} default`.execute(
        tx,
      )
    })
    if (hasDefault !== 'done') return crowded
    for (const month of await missingMonths(db, table)) {
      const made = await makePartition(db, table, month)
      if (made === 'in_the_way') return crowded
      if (made === 'too_long') crowded.push(month.name)
    }
  }
  return crowded
}

type Month = { name: string; first: string; past: string }

async function missingMonths(db: Database, table: string): Promise<Month[]> {
  const { rows } = await sql<Month>`
    select name, month::date::text as first, (month + interval '1 month')::date::text as past
    from generate_series(date_trunc('month', clock_timestamp()),
      date_trunc('month', clock_timestamp()) + make_interval(months => ${monthsAhead}), interval '1 month') as month,
      concat(${table}::text, '_', to_char(month, 'YYYYMM')) as name
    where to_regclass(name) is null`.execute(db)
  return rows
}

async function makePartition(db: Database, table: string, month: Month): Promise<Change> {
  const [parent, made, rest] = [sql.id(table), sql.id(month.name), sql.id(`${table}_default`)]
  const range = sql`for values from (${sql.lit(month.first)}) to (${sql.lit(month.past)})`
  const ofMonth = sql`recorded_at >= ${sql.lit(month.first)} and recorded_at < ${sql.lit(month.past)}`
  const { rows } = await sql`select from ${rest} where ${ofMonth} limit 1`.execute(db)
  return givingWay(db, async (tx) => {
    // Read from the table of tables: `to_regclass` may answer by what this session knew before.
    const known = await sql`select from pg_class
      where relname = ${month.name} and relnamespace = current_schema()::regnamespace`.execute(tx)
    if (known.rows.length > 0) return
    if (rows.length === 0) {
      await sql`create table ${made} partition of ${parent} ${range}`.execute(tx)
      return
    }
    // From here on nobody writes to the default one, nor reads the table while its rows are nowhere.
    await sql`lock table only ${parent} in access exclusive mode`.execute(tx)
    await sql`create table ${made} (like ${parent} including all)`.execute(tx)
    await sql`with moved as (delete from ${rest} where ${ofMonth} returning *)
      insert into ${made} select * from moved`.execute(tx)
    await sql`alter table ${parent} attach partition ${made} ${range}`.execute(tx)
  })
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

/**
 * Deletes from the default partitions what is as old as what {@link dropOldPartitions} drops, at most `limit` rows of each
 * table. Returns the most that one had.
 */
export async function forgetOldFromDefaults(
  db: Querying,
  months: number,
  limit: number,
): Promise<number> {
  let most = 0
  for (const table of growingTables) {
    const rest = sql.id(`${table}_default`)
    const deleted = await sql`delete from ${rest} where ctid = any(array(
      select ctid from ${rest}
      where recorded_at < date_trunc('month', now()) - make_interval(months => ${months}) limit ${limit}))`.execute(
      db,
    )
    most = Math.max(most, Number(deleted.numAffectedRows ?? 0))
  }
  return most
}

async function dropPartition(db: Database, parent: string, name: string): Promise<boolean> {
  const dropped = await givingWay(db, async (tx) => {
    await sql`alter table ${sql.id(parent)} detach partition ${sql.id(name)}`.execute(tx)
    await sql`drop table ${sql.id(name)}`.execute(tx)
  })
  return dropped === 'done'
}

/** `in_the_way`: somebody holds for longer what the change needs for itself. Then, and if it takes too long, nothing is changed. */
type Change = 'done' | 'in_the_way' | 'too_long'

/** Others wait while `change` has a table for itself: no statement of it waits for longer than two seconds, nor takes longer than four with that. */
async function givingWay(
  db: Database,
  change: (tx: DatabaseTransaction) => Promise<void>,
): Promise<Change> {
  try {
    await db.transaction().execute(async (tx) => {
      await sql`set local lock_timeout = '2s'`.execute(tx)
      await sql`set local statement_timeout = '4s'`.execute(tx)
      // One after the other, or two who make the same table find that it is there in the middle of it.
      await sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || ' partitions', 0))`.execute(
        tx,
      )
      await change(tx)
    })
    return 'done'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === lockNotAvailable) return 'in_the_way'
    if (code === statementCancelled) return 'too_long'
    throw error
  }
}

const lockNotAvailable = '55P03'
const statementCancelled = '57014'
