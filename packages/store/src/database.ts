import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import type { Schema } from './schema.ts'

export type Database = Kysely<Schema>
export type DatabaseTransaction = Transaction<Schema>
/** What a query needs: the database, or a transaction on it. */
export type Querying = Kysely<Schema>

/** One namespace on one PostgreSQL server. `pool` is for what Kysely cannot do: LISTEN. */
export type Store = { db: Database; namespace: string; databaseUrl: string; close(): Promise<void> }

export type StoreOptions = {
  databaseUrl: string
  /** Name of the PostgreSQL schema; two namespaces on one server never see each other. */
  namespace: string
  /** Shown by pg_stat_activity, so that operations see who holds what. */
  applicationName: string
  maxConnections?: number
  /** A connection that was lost while idle; queries in flight reject by themselves. */
  onIdleError?: (error: Error) => void
}

/** Opens a pool. Connects with the first query, so it never fails by itself. */
export function openStore(options: StoreOptions): Store {
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    application_name: options.applicationName,
    max: options.maxConnections ?? 10,
    options: `-c search_path=${options.namespace} -c TimeZone=UTC`,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 60_000,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    types: columnTypes,
  })
  // Without a listener a lost idle connection would end the process.
  pool.on('error', (error) => options.onIdleError?.(error))
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  return {
    db,
    namespace: options.namespace,
    databaseUrl: options.databaseUrl,
    close: () => db.destroy(),
  }
}

const timestamptz = 1184
const date = 1082

/** Moments as ISO 8601 text in UTC with milliseconds: texts that sort, instead of Date objects. */
const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text' | 'binary') => {
    if (oid === timestamptz) return isoInstant
    if (oid === date) return (text: string) => text
    return pg.types.getTypeParser(oid, format)
  }) as pg.CustomTypesConfig['getTypeParser'],
}

/** `2026-03-14 08:30:00.12+00` (the session runs in UTC) to `2026-03-14T08:30:00.120Z`. */
function isoInstant(text: string): string {
  const [day, rest] = [text.slice(0, 10), text.slice(11).replace(/\+00$/, '')]
  const [clock = '00:00:00', fraction = ''] = rest.split('.')
  return `${day}T${clock}.${fraction.slice(0, 3).padEnd(3, '0')}Z`
}
