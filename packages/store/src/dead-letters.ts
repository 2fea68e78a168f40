import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { query } from './transaction.ts'

/** An event that could not be used, without its content. */
export type DeadLetter = {
  deadLetterId: string
  topic: string
  partition: number
  offset: string
  errorClass: string
  reason: string
  /** Where in the event the fault is, by keys of the publisher. */
  path: string | null
  recordedAt: string
  replayedAt: string | null
  replays: number
}

/** The same with its original bytes; this is personal data. */
export type DeadLetterRecord = DeadLetter & {
  key: Buffer | null
  value: Buffer | null
  headers: Readonly<Record<string, Buffer>>
  /** When it had come at the latest: when Kafka had it, or else when it was put aside. */
  cameAt: string
}

export type DeadLetterFilter = {
  /** Only of this class. */
  errorClass?: string
  /** Those that were replayed, too. */
  replayed?: boolean
  limit: number
}

/** The newest first. */
export async function listDeadLetters(
  db: Querying,
  filter: DeadLetterFilter,
): Promise<DeadLetter[]> {
  let rows = db.selectFrom('dead_letter').select(columns).orderBy('recorded_at', 'desc')
  if (filter.errorClass !== undefined) rows = rows.where('error_class', '=', filter.errorClass)
  if (!filter.replayed) rows = rows.where('replayed_at', 'is', null)
  const found = await query(() => rows.limit(filter.limit).execute())
  return found.map(asDeadLetter)
}

/** Ids in the order in which they are replayed: those of `ids` that exist, or all of a class that are open. */
export async function replayOrder(
  db: Querying,
  which: { ids: readonly string[] } | { errorClass: string },
): Promise<string[]> {
  const wanted =
    'ids' in which
      ? sql<boolean>`dead_letter_id = any(${[...which.ids]}::uuid[])`
      : sql<boolean>`error_class = ${which.errorClass} and replayed_at is null`
  const rows = await query(() => inOrder(db).select('dead_letter_id').where(wanted).execute())
  return rows.map((row) => row.dead_letter_id)
}

/** The oldest first. */
function inOrder(db: Querying) {
  return db
    .selectFrom('dead_letter')
    .orderBy('recorded_at')
    .orderBy('topic')
    .orderBy('partition')
    .orderBy('record_offset')
}

/** Those of `ids` that exist, in the order in which they are replayed. */
export async function readDeadLetters(
  db: Querying,
  ids: readonly string[],
): Promise<DeadLetterRecord[]> {
  if (ids.length === 0) return []
  const rows = await query(() =>
    inOrder(db)
      .select([...columns, 'record_key', 'value', 'headers', 'appended_at'])
      .where(sql<boolean>`dead_letter_id = any(${[...ids]}::uuid[])`)
      .execute(),
  )
  return rows.map((row) => ({
    ...asDeadLetter(row),
    key: row.record_key,
    value: row.value,
    headers: Object.fromEntries(
      Object.entries(row.headers).map(([name, value]) => [name, Buffer.from(value, 'base64')]),
    ),
    cameAt: row.appended_at ?? row.recorded_at,
  }))
}

/** Called after Kafka has acknowledged them: a replay that was cut off is made again. */
export async function markReplayed(db: Querying, ids: readonly string[]): Promise<void> {
  await query(() =>
    sql`update dead_letter set replayed_at = clock_timestamp(), replays = replays + 1
      where dead_letter_id = any(${[...ids]}::uuid[])`.execute(db),
  )
}

const columns = [
  'dead_letter_id',
  'topic',
  'partition',
  'record_offset',
  'error_class',
  'reason',
  'path',
  'recorded_at',
  'replayed_at',
  'replays',
] as const

function asDeadLetter(row: {
  dead_letter_id: string
  topic: string
  partition: number
  record_offset: string
  error_class: string
  reason: string
  path: string | null
  recorded_at: string
  replayed_at: string | null
  replays: number
}): DeadLetter {
  return {
    deadLetterId: row.dead_letter_id,
    topic: row.topic,
    partition: row.partition,
    offset: row.record_offset,
    errorClass: row.error_class,
    reason: row.reason,
    path: row.path,
    recordedAt: row.recorded_at,
    replayedAt: row.replayed_at,
    replays: row.replays,
  }
}
