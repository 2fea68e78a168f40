import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Querying, Store } from './database.ts'
import { rowsOf } from './rows.ts'
import type { Schema } from './schema.ts'
import { alone, query, send } from './transaction.ts'

/**
 * The way out. Whatever is published is a row here first, written in the transaction of what it
 * tells (P1); the relay carries the rows to Kafka in their order and marks them once Kafka has
 * acknowledged. A record may therefore arrive twice, with the same id, and never not at all.
 */
export type OutboxRecord = {
  topic: string
  key: string
  headers: Readonly<Record<string, string>>
  value: Buffer | null
}

/**
 * Adds records to the outbox, in one statement, for which a transaction need not wait (`send`). Call
 * `wake('outbox')` after the commit.
 */
export function appendOutbox(tx: Querying, records: readonly OutboxRecord[]): Promise<unknown> {
  return records.length > 0 ? send(tx, outboxInsert(records)) : Promise.resolve()
}

/** The insert itself, for a statement that writes more than that. */
export function outboxInsert(records: readonly OutboxRecord[]): RawBuilder<unknown> {
  const rows = records.map(({ topic, key, headers, value }) => ({
    topic,
    record_key: key,
    headers,
    value: value && `\\x${value.toString('hex')}`,
  }))
  return sql`insert into outbox (topic, record_key, headers, value)
    ${rowsOf('outbox', ['topic', 'record_key', 'headers', 'value'], rows)}`
}

export type RelayResult = {
  /** How many records Kafka acknowledged. */
  published: number
  /** The batch was full: there is probably more. */
  more: boolean
  /** Another relay of this namespace is at work; nothing was done. */
  busy: boolean
}

/**
 * Publishes the oldest records that are not published yet, at most `limit`, with their headers as
 * they stand. One relay of a namespace at a time, or their batches would overtake each other; the
 * lock goes with the transaction, so a relay that dies frees it. A relay that stood still past
 * `idle_in_transaction_session_timeout` has lost it, and repeats at most the batch it had in hand.
 *
 * @throws what `publish` threw; nothing is marked then, and all of it is published again
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function relayOutbox(
  store: Store,
  publish: (records: OutboxRecord[]) => Promise<unknown>,
  limit: number,
): Promise<RelayResult> {
  return query(() =>
    store.db.transaction().execute(async (tx) => {
      if (!(await takeLock(tx, `${store.namespace} outbox`))) {
        return { published: 0, more: false, busy: true }
      }
      const rows = await tx
        .selectFrom('outbox')
        .select(['outbox_id', 'topic', 'record_key', 'headers', 'value'])
        .where('published_at', 'is', null)
        .orderBy('outbox_id')
        .limit(limit)
        .execute()
      if (rows.length === 0) return { published: 0, more: false, busy: false }
      await publish(
        rows.map(({ topic, record_key, headers, value }) => ({
          topic,
          key: record_key,
          headers,
          value,
        })),
      )
      await sql`update outbox set published_at = clock_timestamp()
        where outbox_id = any(${rows.map((row) => row.outbox_id)}::bigint[])`.execute(tx)
      return { published: rows.length, more: rows.length === limit, busy: false }
    }),
  )
}

/**
 * Deletes records that were published more than `keepMs` (real time) ago, at most `limit`, the
 * oldest first. Returns how many there were.
 */
export async function purgeOutbox(store: Store, keepMs: number, limit: number): Promise<number> {
  const deleted = await alone(
    store.db,
    sql`delete from outbox where outbox_id in (
      select outbox_id from outbox
      where published_at < clock_timestamp() - make_interval(secs => ${keepMs / 1000})
      order by outbox_id limit ${limit} for update skip locked
    )`,
  )
  return Number(deleted.numAffectedRows ?? 0n)
}

/** How many records wait for Kafka, and for how many seconds the oldest has. */
export async function outboxBacklog(db: Querying): Promise<{ count: number; seconds: number }> {
  return query(async () => {
    const { rows } = await sql<{ count: number; seconds: number }>`
      select count(*)::int as count,
        coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as seconds
      from outbox where published_at is null`.execute(db)
    return rows[0] ?? { count: 0, seconds: 0 }
  })
}

/** True when this transaction alone has the lock of that name, until it ends. */
export async function takeLock(tx: Kysely<Schema>, name: string): Promise<boolean> {
  const { rows } = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as taken`.execute(tx)
  return rows[0]?.taken === true
}
