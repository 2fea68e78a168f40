import { newUuid } from '@wegwijs/runtime/derived-id'
import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { openStore, type Store } from '../src/database.ts'
import { isMigrated, type MigrateOptions, migrate } from '../src/migrate.ts'

let store: Store

const table = (name: string): Migration => ({
  up: async (db) => {
    await sql`create table ${sql.id(name)} (id int)`.execute(db)
  },
})
const ground = { '1-ground': table('ground') }

beforeEach(async () => {
  const namespace = `migrate_${newUuid().slice(-12)}`
  const { databaseUrl } = inject('servers')
  store = openStore({ databaseUrl, namespace, applicationName: namespace })
  await migrate(store, { migrations: ground })
})
afterEach(async () => {
  await sql`drop schema ${sql.id(store.namespace)} cascade`.execute(store.db)
  await store.close()
})

async function ranIn({ db }: Store): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select name from kysely_migration order by name`.execute(db)
  return rows.map(({ name }) => name)
}

test('each migration is kept by itself, and the next call goes on after it', async () => {
  const failing: Migration = {
    up: async (db) => {
      await sql`create table half (id int)`.execute(db)
      await sql`select 1 / 0`.execute(db)
    },
  }
  const first = { ...ground, '2-kept': table('kept') }
  await expect(
    migrate(store, { migrations: { ...first, '3-last': failing } }),
  ).rejects.toMatchObject({ code: '22012' })
  expect(await ranIn(store)).toEqual(['1-ground', '2-kept'])
  expect(await migrate(store, { migrations: { ...first, '3-last': table('half') } })).toEqual([
    '3-last',
  ])
})

test('a migration makes way for who reads its table and those behind them, and says so', async () => {
  const told: unknown[] = []
  const reading = await store.db.startTransaction().execute()
  await sql`select from ground`.execute(reading)
  const options: MigrateOptions = {
    migrations: {
      ...ground,
      '2-column': {
        up: async (db) => {
          await sql`alter table ground add column more int`.execute(db)
        },
      },
    },
    onWait: (wait) => {
      told.push(wait)
      void reading.commit().execute()
    },
  }
  expect(await migrate(store, options)).toEqual(['2-column'])
  expect(told).toEqual([{ migration: '2-column', code: '55P03' }])
})

test('no statement of a migration is ended for the time that it takes', async () => {
  const seen: unknown[] = []
  const looking: Migration = {
    up: async (db) => {
      const { rows } = await sql`select current_setting('statement_timeout') as statement,
        current_setting('lock_timeout') as lock`.execute(db)
      seen.push(...rows)
    },
  }
  await migrate(store, { migrations: { ...ground, '2-look': looking } })
  expect(seen).toEqual([{ statement: '0', lock: '2s' }])
})

test('processes that migrate at once run each migration once between them', async () => {
  const names = ['2-a', '3-b', '4-c', '5-d']
  const migrations = {
    ...ground,
    ...Object.fromEntries(names.map((name) => [name, table(name)])),
  }
  const ran = await Promise.all([1, 2, 3].map(() => migrate(store, { migrations })))
  expect(ran.flat().sort()).toEqual(names)
})

test('processes that begin a namespace at once all find it whole', async () => {
  const namespace = `migrate_${newUuid().slice(-12)}`
  const { databaseUrl } = inject('servers')
  const beginners = [1, 2, 3].map(() =>
    openStore({ databaseUrl, namespace, applicationName: namespace }),
  )
  const schemaMade = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  // The first of them is in the middle of making the schema.
  const first = store.db.transaction().execute(async (tx) => {
    await sql`create schema ${sql.id(namespace)}`.execute(tx)
    schemaMade.resolve()
    await go.promise
  })
  await schemaMade.promise
  const migrating = Promise.all(beginners.map((each) => migrate(each)))
  migrating.catch(() => {})
  await vi.waitFor(async () => {
    const waiting = await sql`select from pg_stat_activity
      where application_name = ${namespace} and wait_event_type = 'Lock'`.execute(store.db)
    expect(waiting.rows).toHaveLength(beginners.length)
  }, 10_000)
  go.resolve()
  await first
  const ran = await migrating
  expect(new Set(ran.flat()).size).toBe(ran.flat().length)
  for (const each of beginners) {
    expect(await isMigrated(each)).toBe(true)
    await each.close()
  }
  const months = await sql`select from pg_inherits join pg_class parent on parent.oid = inhparent
    where parent.relnamespace = ${namespace}::regnamespace and parent.relkind = 'p'`.execute(
    store.db,
  )
  expect(months.rows).toHaveLength(3 * (1 + 4))
  await sql`drop schema ${sql.id(namespace)} cascade`.execute(store.db)
}, 60_000)
