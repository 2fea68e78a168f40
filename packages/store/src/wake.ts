import { type WaitOptions, waitFor } from '@wegwijs/runtime/lifecycle'
import { sql } from 'kysely'
import type { Querying, Store } from './database.ts'

/**
 * What one service tells another has happened. A wake-up is only ever a hint: whoever listens also
 * sweeps, so a lost one costs time and never a message.
 */
const allWakes = ['intents', 'outbox', 'clock'] as const
export type Wake = (typeof allWakes)[number]

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
  return store.listen(channelOf(store.namespace), (topic) => onWake(topic as Wake), onLost)
}

/**
 * Listens until the signal is aborted, on a new connection whenever the last one is lost. After
 * each new connection `onWake` is called with every topic, since nobody knows what was missed.
 */
export async function keepListening(
  store: Store,
  onWake: (topic: Wake) => void,
  options: Pick<WaitOptions, 'log' | 'signal' | 'clock'>,
): Promise<void> {
  const { signal } = options
  while (!signal.aborted) {
    const lost = Promise.withResolvers<void>()
    const listener = await waitFor(
      'the wake-up calls of PostgreSQL',
      () => listenForWakes(store, onWake, () => lost.resolve()),
      options,
    ).catch((error: unknown) => {
      if (signal.aborted) return null
      throw error
    })
    if (!listener) return
    for (const topic of allWakes) onWake(topic)
    const stop = () => lost.resolve()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    await lost.promise
    signal.removeEventListener('abort', stop)
    await listener.close().catch(() => undefined)
  }
}

function channelOf(namespace: string): string {
  return `${namespace}_wake`
}
