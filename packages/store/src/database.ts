import { type Dialect, Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import { pipelining } from './pipelining-driver.ts'
import { PreparingClient } from './preparing-client.ts'
import type { Schema } from './schema.ts'
import { breakOffWhenSilent, LONGEST_SILENCE_MS } from './silent-link.ts'
import { leaveStandbys } from './standby-link.ts'

export type Database = Kysely<Schema>
export type DatabaseTransaction = Transaction<Schema>
/** What a query needs: the database, or a transaction on it. */
export type Querying = Kysely<Schema>

/** One namespace on one PostgreSQL server. */
export type Store = {
  db: Database
  namespace: string
  databaseUrl: string
  listen: Listen
  close(): Promise<void>
}

/**
 * Hears what is told on a channel of NOTIFY, which Kysely cannot do, on a connection of its own;
 * `onLost` when that breaks, and then nothing more is heard.
 */
export type Listen = (
  channel: string,
  onNotification: (payload: string) => void,
  onLost: (error: Error) => void,
) => Promise<{ close(): Promise<void> }>

export type StoreOptions = {
  databaseUrl: string
  /** Name of the PostgreSQL schema; two namespaces on one server never see each other. */
  namespace: string
  /** Shown by pg_stat_activity, so that operations see who holds what. */
  applicationName: string
  maxConnections?: number
  /** How long the server lets a statement take, in milliseconds; 0 is as long as it takes. */
  statementMs?: number
  /** How long a statement may be without an answer, 0 without end; only tests wait for less than as it is. */
  silenceMs?: number
  /**
   * For services, which ask the same again and again: each statement is planned once, `at-first` for whatever
   * values it gets, else when PostgreSQL has seen that no plan for given values is better.
   */
  steadyPlans?: boolean | 'at-first'
  /** A connection that was lost while idle; queries in flight reject by themselves. */
  onIdleError?: (error: Error) => void
  /** How notifications are heard instead. */
  listen?: Listen
}

/** Opens a pool. Connects with the first query, so it never fails by itself. */
export function openStore(options: StoreOptions): Store {
  return storeOn(createDialect(options), options)
}

/** The store on a dialect of the caller's; {@link openStore} is the one to use outside of tests. */
export function storeOn(dialect: Dialect, options: StoreOptions): Store {
  const db = new Kysely<Schema>({ dialect })
  return {
    db,
    namespace: options.namespace,
    databaseUrl: options.databaseUrl,
    listen: options.listen ?? listenOn(options),
    close: () => db.destroy(),
  }
}

function listenOn({ databaseUrl, namespace }: StoreOptions): Listen {
  return async (channel, onNotification, onLost) => {
    const client = new pg.Client({
      connectionString: databaseUrl,
      application_name: `${namespace} listener`,
      ...noticesTheEnd,
      query_timeout: ANSWER_WITHIN_MS,
    })
    let closed = false
    client.on('error', (error) => {
      if (!closed) onLost(error)
    })
    client.on('notification', ({ payload = '' }) => onNotification(payload))
    await client.connect()
    try {
      await client.query(`listen ${pg.escapeIdentifier(channel)}`)
    } catch (error) {
      closed = true
      void client.end()
      throw error
    }
    return {
      close: async () => {
        closed = true
        await client.end()
      },
    }
  }
}

const ANSWER_WITHIN_MS = 5_000

/** A peer that is gone without a word is noticed in twenty seconds, also while nothing is asked. */
const noticesTheEnd = {
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
  connectionTimeoutMillis: ANSWER_WITHIN_MS,
}

/** Kysely's way to PostgreSQL, over a pool whose sessions live in the namespace and in UTC. */
export function createDialect(options: StoreOptions): Dialect {
  const { steadyPlans = false, silenceMs = LONGEST_SILENCE_MS, statementMs = 60_000 } = options
  const pool = new pg.Pool({
    ...(steadyPlans ? { Client: PreparingClient } : {}),
    pipeline: true,
    connectionString: options.databaseUrl,
    application_name: options.applicationName,
    max: options.maxConnections ?? 10,
    options: `-c search_path=${options.namespace} -c TimeZone=UTC${steadyPlans ? ' -c enable_seqscan=off' : ''}${steadyPlans === 'at-first' ? ' -c plan_cache_mode=force_generic_plan' : ''}`,
    ...noticesTheEnd,
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: 60_000,
    types: columnTypes,
  })
  // A connection that is lost between two statements of a transaction says so to nobody; without a
  // listener that would end the process. The transaction's next statement rejects.
  pool.on('connect', (client) => {
    client.on('error', () => {})
    breakOffWhenSilent(client, silenceMs)
  })
  leaveStandbys(pool)
  // The same for one that is lost while idle.
  pool.on('error', (error) => options.onIdleError?.(error))
  return pipelining(new PostgresDialect({ pool }))
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
