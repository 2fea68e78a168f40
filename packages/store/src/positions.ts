import { sql } from 'kysely'
import type { Database, Querying } from './database.ts'
import { query } from './transaction.ts'

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

/** What a batch needs to know before anything else, read in the statement that takes the lock. */
export type LockedPosition = { next: bigint; now: string; revision: number | null }

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
  await sql`insert into consumer_position (topic, partition, next_offset)
    values (${topic}, ${partition}, ${String(readFrom)}) on conflict do nothing`.execute(tx)
  const { rows } = await sql<{ next: string; now: string; revision: number | null }>`
    select next_offset as next, business_now() as now, (select max(revision) from definition) as revision
    from consumer_position where topic = ${topic} and partition = ${partition} for update`.execute(
    tx,
  )
  const [row] = rows
  if (!row) throw new RangeError(`no position for ${topic} ${partition}`)
  return { next: BigInt(row.next), now: row.now, revision: row.revision }
}

/** Moves the locked position behind a batch, and counts what became of its records. */
export async function advancePosition(
  tx: Querying,
  batch: {
    topic: string
    partition: number
    readFrom: bigint
    nextOffset: bigint
    records: number
  },
  tally: BatchTally,
): Promise<void> {
  const skipped = Number(batch.nextOffset - batch.readFrom) - batch.records
  await sql`update consumer_position set next_offset = ${String(batch.nextOffset)},
      records = records + ${batch.records}, applied = applied + ${tally.applied},
      duplicates = duplicates + ${tally.duplicates}, dead_lettered = dead_lettered + ${tally.deadLettered},
      skipped_offsets = skipped_offsets + ${skipped}, updated_at = clock_timestamp()
    where topic = ${batch.topic} and partition = ${batch.partition}`.execute(tx)
}
