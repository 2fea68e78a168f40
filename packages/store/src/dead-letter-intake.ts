import { derivedUuid } from '@wegwijs/runtime/derived-id'
import { topicsOf } from '@wegwijs/wire/topics'
import type { Rejection } from '@wegwijs/wire/touchpoint-event'
import type { Querying } from './database.ts'
import { insertRows } from './rows.ts'

/** A record that could not be used, as it came (P1). */
export type RejectedRecord = {
  topic: string
  partition: number
  offset: bigint
  key: Buffer | null
  value: Buffer | null
  headers: Readonly<Record<string, Buffer | readonly Buffer[] | undefined>>
  rejection: Rejection
}

/**
 * Puts rejected records aside twice: in the table, from which they can be replayed byte by byte,
 * and by the outbox on the dead-letter topic for whoever watches it. The id comes from the place
 * of the record, so that the same record is put aside once.
 */
export async function keepDeadLetters(
  tx: Querying,
  namespace: string,
  records: readonly RejectedRecord[],
): Promise<void> {
  await insertRows(
    tx,
    'dead_letter',
    [
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
    ],
    records.map((record) => ({
      dead_letter_id: derivedUuid(
        'dead-letter',
        record.topic,
        String(record.partition),
        String(record.offset),
      ),
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
    })),
  )
  await insertRows(
    tx,
    'outbox',
    ['topic', 'record_key', 'headers', 'value'],
    records.map((record) => ({
      topic: topicsOf(namespace).deadLetters,
      record_key: textOf(record.key),
      headers: {
        ...Object.fromEntries(headersOf(record).map(([name, value]) => [name, textOf(value)])),
        'dlq-original-topic': record.topic,
        'dlq-original-partition': String(record.partition),
        'dlq-original-offset': String(record.offset),
        'dlq-error-class': record.rejection.errorClass,
      },
      value: byteaOf(record.value),
    })),
  )
}

function headersOf(record: RejectedRecord): [string, Buffer][] {
  return Object.entries(record.headers).flatMap(([name, value]): [string, Buffer][] => {
    const first = Array.isArray(value) ? value[0] : value
    return Buffer.isBuffer(first) ? [[name.replaceAll('\u0000', ''), first]] : []
  })
}

/** JSON cannot hold bytes; PostgreSQL reads them from hex. */
function byteaOf(bytes: Buffer | null): string | null {
  return bytes === null ? null : `\\x${bytes.toString('hex')}`
}

/** For headers and keys on the way out; PostgreSQL's text takes no NUL. */
function textOf(bytes: Buffer | null): string {
  return bytes === null ? '' : bytes.toString('utf8').replaceAll('\u0000', '')
}
