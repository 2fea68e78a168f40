import { openNamespace } from '@wegwijs/test-support/namespace'
import { sql } from 'kysely'
import { expect, inject, it, onTestFinished, vi } from 'vitest'
import { keepPartitions } from '../src/partitions.ts'

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
