import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Querying, Store } from './database.ts'
import { arraysOf, rowsOfArrays, typesOf } from './rows.ts'
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
  return records.length > 0 ? send(tx, outboxInsert(outboxArrays(records))) : Promise.resolve()
}

export const outboxColumns = ['topic', 'record_key', 'headers', 'value'] as const
type OutboxColumn = (typeof outboxColumns)[number]

const outboxTypes = typesOf('outbox', outboxColumns)

export function outboxArrays(records: readonly OutboxRecord[]): Record<OutboxColumn, string> {
  const rows = records.map(({ topic, key, headers, value }) => ({
    topic,
    record_key: key,
    headers,
    value: value && `\\x${value.toString('hex')}`,
  }))
  return arraysOf(outboxTypes, rows)
}

/** The insert itself, of such arrays or their places, for a statement that writes more than that. */
export function outboxInsert(arrays: Readonly<Record<OutboxColumn, unknown>>): RawBuilder<unknown> {
  return sql`insert into outbox (topic, record_key, headers, value)
    ${rowsOfArrays(outboxTypes, arrays)}`
}

export type RelayOptions = {
  /** The most records of one topic. */
  perTopic: number
  /** What waits for these topics stays where it is. */
  without?: readonly string[]
}

export type RelayResult = {
  /** How many records Kafka acknowledged. */
  published: number
  /** All that was taken of a topic went, and was as much as may be: there is probably more. */
  more: boolean
  /** Another relay of this namespace is at work; nothing was done. */
  busy: boolean
}

/**
 * Publishes the oldest records of each topic that are not published yet, with their headers as they stand, in the
 * order in which they were written. What `publish` resolves to is marked: the first so many of a topic, or what
 * comes after them would overtake. One relay of a namespace at a time, or their batches would overtake each other;
 * the lock goes with the transaction, so a relay that dies frees it. A relay that stood still past
 * `idle_in_transaction_session_timeout` has lost it, and repeats at most the batch it had in hand.
 *
 * @param publish resolves to those of the records that Kafka acknowledged
 * @throws what `publish` threw; nothing is marked then, and all of it is published again
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function relayOutbox(
  store: Store,
  publish: (records: readonly OutboxRecord[]) => Promise<readonly OutboxRecord[]>,
  { perTopic, without = [] }: RelayOptions,
): Promise<RelayResult> {
  return query(() =>
    store.db.transaction().execute(async (tx) => {
      if (!(await takeLock(tx, `${store.namespace} outbox`))) {
        return { published: 0, more: false, busy: true }
      }
      const waiting = await oldestWaiting(tx, perTopic, without)
      if (waiting.size === 0) return { published: 0, more: false, busy: false }
      const went = await publish([...waiting.keys()])
      if (went.length === 0) return { published: 0, more: false, busy: false }
      await sql`update outbox set published_at = clock_timestamp()
        where outbox_id = any(${went.map((record) => waiting.get(record))}::bigint[])`.execute(tx)
      const counts = Map.groupBy(went, ({ topic }) => topic)
      const more = [...counts.values()].some((records) => records.length === perTopic)
      return { published: went.length, more, busy: false }
    }),
  )
}

/**
 * By record its id, in the order of the ids. From one topic to the next it goes by the index: what waits for
 * others costs nothing (P8).
 */
async function oldestWaiting(
  tx: Querying,
  perTopic: number,
  without: readonly string[],
): Promise<Map<OutboxRecord, string>> {
  const { rows } = await sql<OutboxRecord & { id: string }>`
    with recursive of (topic) as (
      (select topic from outbox where published_at is null order by topic limit 1)
      union all
      select (select o.topic from outbox o where o.published_at is null and o.topic > of.topic
        order by o.topic limit 1)
      from of where of.topic is not null
    )
    select oldest.* from of cross join lateral (
      select outbox_id as id, topic, record_key as key, headers, value from outbox o
      where o.published_at is null and o.topic = of.topic order by o.topic, o.outbox_id limit ${perTopic}
    ) as oldest
    where of.topic <> all(${[...without]}::text[]) order by oldest.id`.execute(tx)
  return new Map(
    rows.map(({ id, topic, key, headers, value }) => [{ topic, key, headers, value }, id]),
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
