import { sql } from 'kysely'
import type { Database, Querying } from './database.ts'
import { countsMark } from './history-counts.ts'
import { query, send } from './transaction.ts'

/** What came of the records of one batch; together they are all of its records (P1). */
export type BatchTally = { applied: number; duplicates: number; deadLettered: number }

/** Where the next batch of this partition begins; null when nothing of it was read yet. */
export async function positionOf(
  db: Database,
  topic: string,
  partition: number,
): Promise<bigint | null> {
  return query(async () => {
    const row = await db
      .selectFrom('consumer_position')
      .select('next_offset')
      .where('topic', '=', topic)
      .where('partition', '=', partition)
      .executeTakeFirst()
    return row ? BigInt(row.next_offset) : null
  })
}

/** The mark of a record, as the consumer made it; by it the topic is known again. */
export type AppliedRecord = {
  readonly offset: bigint
  readonly timestampMs: number
  readonly hash: string
}

/** Where a partition is read on, and the last record of it that was applied. */
export async function standingOf(
  db: Database,
  topic: string,
  partition: number,
): Promise<{ next: bigint; last: AppliedRecord | null } | null> {
  return query(async () => {
    const row = await db
      .selectFrom('consumer_position')
      .select(['next_offset', 'last_offset', 'last_timestamp_ms', 'last_hash'])
      .where('topic', '=', topic)
      .where('partition', '=', partition)
      .executeTakeFirst()
    if (!row) return null
    const { next_offset, last_offset, last_timestamp_ms, last_hash } = row
    const last =
      last_offset === null || last_hash === null
        ? null
        : {
            offset: BigInt(last_offset),
            timestampMs: Number(last_timestamp_ms),
            hash: last_hash,
          }
    return { next: BigInt(next_offset), last }
  })
}

/**
 * Accepts a topic that was made anew, or whose records were removed before they were read: it is
 * read from the first offset that Kafka has. What had counted counts once (P2). What was counted of
 * the partition stays. Resolves with what changed; nobody may be reading meanwhile.
 */
export async function resetPositions(
  db: Database,
  topic: string,
  ranges: readonly { partition: number; low: bigint }[],
): Promise<{ partition: number; from: string; to: string }[]> {
  return query(async () => {
    const { rows } = await sql<{ partition: number; from: string; to: string }>`
      with first as (
        select * from unnest(${ranges.map(({ partition }) => partition)}::int[],
          ${ranges.map(({ low }) => String(low))}::bigint[]) as first (partition, low)
      ), before as (
        select partition, next_offset from consumer_position where topic = ${topic} for update
      )
      update consumer_position as position set next_offset = first.low, last_offset = null,
        last_timestamp_ms = null, last_hash = null, updated_at = clock_timestamp()
      from first join before using (partition)
      where position.topic = ${topic} and position.partition = first.partition
      returning position.partition, before.next_offset as from, position.next_offset as to`.execute(
      db,
    )
    return rows.sort((a, b) => a.partition - b.partition)
  })
}

/** What a batch needs to know before anything else, read in the statement that takes the lock. */
export type LockedPosition = {
  next: bigint
  now: string
  /** Business time stands still until a conductor steps it: the clocks of others say nothing of it. */
  stands: boolean
  revision: number | null
  /** What is counted of what happens (history-counts.ts). */
  counts: string
  /** A rehearsal lets no event be decided now. */
  held: boolean
}

/**
 * Locks the position of a partition until the transaction ends. Whoever finds another position than
 * the one it read from has been overtaken: it must change nothing (P1, P2).
 */
export async function lockPosition(
  tx: Querying,
  topic: string,
  partition: number,
  readFrom: bigint,
): Promise<LockedPosition> {
  void send(
    tx,
    sql`insert into consumer_position (topic, partition, next_offset)
    values (${topic}, ${partition}, ${String(readFrom)}) on conflict do nothing`,
  )
  const { rows } = await send(
    tx,
    sql<Omit<LockedPosition, 'next'> & { next: string }>`
    select next_offset as next, business_now() as now, (select max(revision) from definition) as revision,
      ${countsMark} as counts, exists (select from rehearsal_clock) as stands,
      coalesce((select events_held from rehearsal_clock), false) as held
    from consumer_position where topic = ${topic} and partition = ${partition} for update`,
  )
  const [row] = rows
  if (!row) throw new RangeError(`no position for ${topic} ${partition}`)
  return { ...row, next: BigInt(row.next) }
}

/**
 * Moves the locked position behind a batch, and counts what became of its records. The commit waits
 * for it (`send`).
 */
export function advancePosition(
  tx: Querying,
  batch: {
    topic: string
    partition: number
    readFrom: bigint
    nextOffset: bigint
    records: number
    /** The mark of its last record; null for a batch of offsets without any. */
    last: AppliedRecord | null
  },
  tally: BatchTally,
): Promise<unknown> {
  const { last } = batch
  const skipped = Number(batch.nextOffset - batch.readFrom) - batch.records
  return send(
    tx,
    sql`update consumer_position set next_offset = ${String(batch.nextOffset)},
      records = records + ${batch.records}, applied = applied + ${tally.applied},
      duplicates = duplicates + ${tally.duplicates}, dead_lettered = dead_lettered + ${tally.deadLettered},
      skipped_offsets = skipped_offsets + ${skipped},
      last_offset = coalesce(${last && String(last.offset)}::bigint, last_offset),
      last_timestamp_ms = coalesce(${last && last.timestampMs}::bigint, last_timestamp_ms),
      last_hash = coalesce(${last && last.hash}, last_hash), updated_at = clock_timestamp()
    where topic = ${batch.topic} and partition = ${batch.partition}`,
  )
}
