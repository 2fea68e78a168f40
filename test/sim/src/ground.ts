import { createDialect, openStore, type Store } from '@wegwijs/store/database'
import { migrate } from '@wegwijs/store/migrate'
import { emptyNamespace } from '@wegwijs/test-support/namespace'
import { sql } from 'kysely'
import { begins } from './drafts.ts'
import type { LockWatch } from './gate.ts'
import type { Connections } from './gated-store.ts'

/**
 * A namespace in which the machine time of PostgreSQL is the world's too: functions of its own stand
 * before those of the server in the path of every session.
 */
export type SimulatedDatabase = {
  connections: Connections
  /** For looking and laying; its statements stand at no gate. */
  store: Store
  watch: LockWatch
  /** What the functions of the namespace take for the time. */
  setMachineTime(instant: string): Promise<void>
  clear(): Promise<void>
  close(): Promise<void>
}

export async function openSimulatedDatabase(
  databaseUrl: string,
  name: string,
): Promise<SimulatedDatabase> {
  const namespace = `sim_${name}`
  const machine = `${namespace}_machine`
  const admin = openStore({ databaseUrl, namespace: 'public', applicationName: namespace })
  await layMachine(admin, namespace, machine)
  const url = new URL(databaseUrl)
  // Named after it, so that the server's own functions are looked for last.
  url.searchParams.set(
    'options',
    `-c search_path=${namespace},pg_catalog -c TimeZone=UTC -c enable_seqscan=off -c deadlock_timeout=20ms -c synchronous_commit=off`,
  )
  const options = { databaseUrl: url.href, namespace, applicationName: namespace }
  const store = openStore({ ...options, maxConnections: 4 })
  await migrate(store)
  await tellAttemptsApart(store, machine)
  const dialect = createDialect({ ...options, maxConnections: 60, steadyPlans: true })
  const driver = dialect.createDriver()
  await driver.init()
  return {
    connections: { dialect, driver, namespace },
    store,
    watch: async (backends) => {
      const { rows } = await sql<{ pid: number }>`
        select distinct pid from pg_locks where not granted and pid = any(${[...backends]}::int[])`.execute(
        admin.db,
      )
      return new Set(rows.map((row) => row.pid))
    },
    setMachineTime: async (instant) => {
      await sql`update ${sql.table(`${machine}.clock`)} set instant = ${instant}`.execute(admin.db)
    },
    clear: () => emptyNamespace(store),
    close: async () => {
      // Not waited for: one that a worker had when it was ended may never be given back.
      void driver.destroy()
      await store.close()
      await sql`drop schema if exists ${sql.id(namespace)}, ${sql.id(machine)} cascade`.execute(
        admin.db,
      )
      await admin.close()
    },
  }
}

/**
 * The clock of a story stands still while one thing after another happens, as no real one does: two attempts of
 * one claim, its worker's and the sweep's, would have the same key.
 */
async function tellAttemptsApart({ db }: Store, machine: string): Promise<void> {
  await sql.raw(`create sequence ${machine}.attempts`).execute(db)
  await sql
    .raw(`alter table attempt alter column recorded_at
      set default clock_timestamp() + nextval('${machine}.attempts') * interval '1 microsecond'`)
    .execute(db)
}

async function layMachine(admin: Store, namespace: string, machine: string): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(admin.db)
  await run(`drop schema if exists ${namespace}, ${machine} cascade`)
  await run(`create schema ${namespace}`)
  await run(`create schema ${machine}`)
  await run(`create table ${machine}.clock (instant timestamptz not null)`)
  await run(`insert into ${machine}.clock values ('${begins}')`)
  await run(`create function ${namespace}.clock_timestamp() returns timestamptz
    language sql volatile as 'select instant from ${machine}.clock'`)
  await run(`create function ${namespace}.now() returns timestamptz
    language sql stable as 'select instant from ${machine}.clock'`)
  await run(`create function ${namespace}.pg_postmaster_start_time() returns timestamptz
    language sql stable as 'select ''${begins}''::timestamptz - interval ''1 day'''`)
}
