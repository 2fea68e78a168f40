import { openNamespace } from '@wegwijs/test-support/namespace'
import { sql } from 'kysely'
import { expect, inject, it, onTestFinished, vi } from 'vitest'
import type { Querying } from '../src/database.ts'
import { forgetOldFromDefaults, keepPartitions } from '../src/partitions.ts'

it('the partition of a month to come waits for a long query, and nobody waits behind it (P1)', async () => {
  const store = await openNamespace(inject('servers').databaseUrl, 'partitions')
  onTestFinished(() => store.close())
  const { rows } = await sql<{ name: string }>`
    select child.relname as name from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = 'attempt'::regclass order by right(child.relname, 6) <> 'efault' desc, 1 desc limit 1`.execute(
    store.db,
  )
  const [last] = rows
  await sql`drop table ${sql.id(last?.name ?? '')}`.execute(store.db)
  const reading = Promise.withResolvers<void>()
  const over = Promise.withResolvers<void>()
  // As a dump does, or a report.
  const report = store.db.transaction().execute(async (tx) => {
    await sql`select count(*) from attempt`.execute(tx)
    reading.resolve()
    await over.promise
  })
  await reading.promise
  const kept = keepPartitions(store.db).then(
    () => 'stepped back',
    (error: unknown) => error,
  )
  try {
    await vi.waitFor(async () => {
      const waits = await sql`select from pg_stat_activity
        where application_name = ${store.namespace} and wait_event_type = 'Lock'`.execute(store.db)
      expect(waits.rows).toHaveLength(1)
    }, 5_000)
    // What became of a message, as delivery writes it down.
    const settled = await store.db.transaction().execute(async (tx) => {
      await sql`set local statement_timeout = '10s'`.execute(tx)
      return sql`insert into attempt (person_id, intent_id, fence, business_at, channel, provider, outcome, duplicate)
        values (gen_random_uuid(), gen_random_uuid(), 1, now(), 'sms', 's', 'accepted', false)`.execute(
        tx,
      )
    })
    expect(settled.numAffectedRows).toBe(1n)
  } finally {
    over.resolve()
    await report
  }
  expect(await kept).toBe('stepped back')
  await keepPartitions(store.db)
  const made = await sql`select from pg_class where oid = to_regclass(${last?.name ?? ''})`.execute(
    store.db,
  )
  expect(made.rows).toHaveLength(1)
})

/** Of a namespace without partitions of attempts ahead, where two rows of each month to come have been written, as by a clock ahead. */
async function withRowsAhead() {
  const store = await openNamespace(inject('servers').databaseUrl, 'partitions')
  onTestFinished(() => store.close())
  const { rows } = await sql<{ name: string; month: string }>`
    select concat('attempt_', to_char(month, 'YYYYMM')) as name, month::date::text as month
    from generate_series(date_trunc('month', now()) + interval '1 month',
      date_trunc('month', now()) + interval '3 months', interval '1 month') as month`.execute(
    store.db,
  )
  for (const { name, month } of rows) {
    await sql`drop table ${sql.id(name)}`.execute(store.db)
    for (const day of [0, 20]) {
      await sql`insert into attempt (person_id, recorded_at, intent_id, fence, business_at, channel, provider, outcome, duplicate)
        values (gen_random_uuid(), ${month}::date + ${day}::integer, gen_random_uuid(), 1, now(), 'sms', 's', 'accepted', false)`.execute(
        store.db,
      )
    }
  }
  return { db: store.db, names: rows.map(({ name }) => name) }
}

async function placesOf(db: Querying): Promise<Record<string, number>> {
  const { rows } = await sql<{ place: string; count: number }>`
    select tableoid::regclass::text as place, count(*)::int as count from attempt group by 1`.execute(
    db,
  )
  return Object.fromEntries(rows.map(({ place, count }) => [place, count]))
}

it('what has found its place in the default partition moves into that of its month (P1)', async () => {
  const { db, names } = await withRowsAhead()
  expect(await placesOf(db)).toEqual({ attempt_default: 6 })
  expect(await keepPartitions(db)).toEqual([])
  expect(await placesOf(db)).toEqual(Object.fromEntries(names.map((name) => [name, 2])))
  // It is as one that had been made before: with its key and what else the table has.
  const { rows } = await sql<{ table: string; indexes: number }>`
    select indrelid::regclass::text as table, count(*)::int as indexes from pg_index
    where indrelid = any(array(select inhrelid from pg_inherits where inhparent = 'attempt'::regclass)) group by 1`.execute(
    db,
  )
  expect(new Set(rows.map(({ indexes }) => indexes)).size).toBe(1)
  expect(await keepPartitions(db)).toEqual([])
})

it('what would take long to move stays, and the other months are made', async () => {
  const { db, names } = await withRowsAhead()
  const [first = '', ...others] = names
  await sql`create function dawdle() returns trigger language plpgsql as $$ begin perform pg_sleep(30); return old; end $$`.execute(
    db,
  )
  await sql`create trigger dawdles before delete on attempt_default for each row
    when (old.recorded_at < ${sql.lit(`${first.slice(-6, -2)}-${first.slice(-2)}-28`)}) execute function dawdle()`.execute(
    db,
  )
  expect(await keepPartitions(db)).toEqual([first])
  expect(await placesOf(db)).toEqual({
    attempt_default: 2,
    ...Object.fromEntries(others.map((name) => [name, 2])),
  })
})

it('what is old is deleted from the default partition, too', async () => {
  const { db } = await withRowsAhead()
  await sql`update attempt_default set recorded_at = recorded_at - interval '2 years'
    where ctid in (select ctid from attempt_default order by recorded_at limit 3)`.execute(db)
  expect(await forgetOldFromDefaults(db, 13, 2)).toBe(2)
  expect(await forgetOldFromDefaults(db, 13, 2)).toBe(1)
  expect(await placesOf(db)).toEqual({ attempt_default: 3 })
})
