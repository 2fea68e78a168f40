import { sql } from 'kysely'
import pg from 'pg'
import type { Querying, Store } from './database.ts'

/**
 * What one service tells another has happened. A wake-up is only ever a hint: whoever listens also
 * sweeps, so a lost one costs time and never a message.
 */
export type Wake = 'intents' | 'timers' | 'outbox' | 'clock' | 'definition'

/**
 * Tells all listeners of the namespace. Call it after the commit and outside the transaction:
 * NOTIFY inside one serialises the commits of the whole database.
 */
export async function wake(
  db: Querying,
  namespace: string,
  topics: readonly Wake[],
): Promise<void> {
  if (topics.length === 0) return
  await sql`select pg_notify(${channelOf(namespace)}, topic) from unnest(${[...topics]}::text[]) as topic`.execute(
    db,
  )
}

export type WakeListener = { close(): Promise<void> }

/**
 * Listens on a connection of its own. When that is lost, `onLost` is told and the caller opens
 * another; until then the sweeps do the work.
 */
export async function listenForWakes(
  store: Store,
  onWake: (topic: Wake) => void,
  onLost: (error: Error) => void,
): Promise<WakeListener> {
  const client = new pg.Client({
    connectionString: store.databaseUrl,
    application_name: `${store.namespace} listener`,
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
  })
  let closed = false
  client.on('error', (error) => {
    if (!closed) onLost(error)
  })
  client.on('notification', (notification) => onWake(notification.payload as Wake))
  await client.connect()
  await client.query(`listen ${pg.escapeIdentifier(channelOf(store.namespace))}`)
  return {
    close: async () => {
      closed = true
      await client.end()
    },
  }
}

function channelOf(namespace: string): string {
  return `${namespace}_wake`
}
