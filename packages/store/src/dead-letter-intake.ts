import { derivedUuid } from '@wegwijs/runtime/derived-id'
import { appendTimeOf, originalTimestampHeader } from '@wegwijs/wire/append-time'
import { topicsOf } from '@wegwijs/wire/topics'
import type { Rejection } from '@wegwijs/wire/touchpoint-event'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { insertRows, rowsOf } from './rows.ts'

/** A record that could not be used, as it came (P1). */
export type RejectedRecord = {
  topic: string
  partition: number
  offset: bigint
  key: Buffer | null
  value: Buffer | null
  headers: Readonly<Record<string, Buffer>>
  timestampMs: number
  timestampBy: 'broker' | 'publisher'
  rejection: Rejection
}

/**
 * Puts rejected records aside twice: in the table, from which they can be replayed byte by byte,
 * and by the outbox on the dead-letter topic for whoever watches it. The id comes from the place
 * and the bytes of the record: one that is read again is put aside once, and another one that stands
 * in its place, in a topic that was made anew, is not taken for it (P1). Returns how many were new.
 */
export async function keepDeadLetters(
  tx: Querying,
  namespace: string,
  records: readonly RejectedRecord[],
): Promise<number> {
  if (records.length === 0) return 0
  const byId = new Map(records.map((record) => [idOf(record), record]))
  const rows = [...byId].map(([id, record]) => rowOf(id, record))
  const added = await sql<{ id: string }>`
    insert into dead_letter (${sql.join(columns.map((column) => sql.ref(column)))})
    ${rowsOf('dead_letter', columns, rows)} on conflict do nothing
    returning dead_letter_id as id`.execute(tx)
  const ids = new Set(added.rows.map(({ id }) => id))
  void insertRows(
    tx,
    'outbox',
    ['topic', 'record_key', 'headers', 'value'],
    [...byId].filter(([id]) => ids.has(id)).map(([, record]) => outgoingOf(namespace, record)),
  )
  return ids.size
}

const columns = [
  'dead_letter_id',
  'topic',
  'partition',
  'record_offset',
  'record_key',
  'value',
  'headers',
  'error_class',
  'reason',
  'path',
  'appended_at',
] as const

function idOf(record: RejectedRecord): string {
  const bytes = [record.key, record.value, ...headersOf(record).map(([, value]) => value)]
  return derivedUuid(
    'dead-letter',
    record.topic,
    String(record.partition),
    String(record.offset),
    ...bytes.map((each) => each?.toString('base64') ?? ''),
  )
}

function rowOf(id: string, record: RejectedRecord) {
  return {
    dead_letter_id: id,
    topic: record.topic,
    partition: record.partition,
    record_offset: String(record.offset),
    record_key: byteaOf(record.key),
    value: byteaOf(record.value),
    headers: Object.fromEntries(
      headersOf(record).map(([name, value]) => [name, value.toString('base64')]),
    ),
    error_class: record.rejection.errorClass,
    reason: record.rejection.reason,
    path: record.rejection.path?.replaceAll('\u0000', '') ?? null,
    appended_at: appendTimeOf(record),
  }
}

function outgoingOf(namespace: string, record: RejectedRecord) {
  const appendedAt = appendTimeOf(record)
  return {
    topic: topicsOf(namespace).deadLetters,
    record_key: textOf(record.key),
    headers: {
      ...Object.fromEntries(headersOf(record).map(([name, value]) => [name, textOf(value)])),
      'dlq-original-topic': record.topic,
      'dlq-original-partition': String(record.partition),
      'dlq-original-offset': String(record.offset),
      'dlq-error-class': record.rejection.errorClass,
      ...(appendedAt !== null && { [originalTimestampHeader]: appendedAt }),
    },
    value: byteaOf(record.value),
  }
}

function headersOf(record: RejectedRecord): [string, Buffer][] {
  return Object.entries(record.headers).map(([name, value]) => [
    name.replaceAll('\u0000', ''),
    value,
  ])
}

/** JSON cannot hold bytes; PostgreSQL reads them from hex. */
function byteaOf(bytes: Buffer | null): string | null {
  return bytes === null ? null : `\\x${bytes.toString('hex')}`
}

/** For headers and keys on the way out; PostgreSQL's text takes no NUL. */
function textOf(bytes: Buffer | null): string {
  return bytes === null ? '' : bytes.toString('utf8').replaceAll('\u0000', '')
}
