import { createHash } from 'node:crypto'
import { fail, type WegwijsError } from '@wegwijs/runtime/failure'
import type { BrokerRecord, RecordMark } from './port.ts'

/** What tells a record from any other that may ever stand at its offset. */
export function markOf(record: BrokerRecord): RecordMark {
  const hash = createHash('sha256')
  const add = (part: Buffer | string | null) => {
    // With lengths, so that bytes that move from one part to the next make another record.
    hash.update(`${part === null ? -1 : Buffer.byteLength(part)}:`)
    if (part !== null) hash.update(part)
  }
  add(record.key)
  add(record.value)
  for (const name of Object.keys(record.headers).sort()) {
    add(name)
    add(record.headers[name] ?? null)
  }
  return {
    offset: record.offset,
    timestampMs: record.timestampMs,
    hash: hash.digest('hex').slice(0, HASH_DIGITS),
  }
}

/** 128 bits: nobody meets two records with the same by chance. */
const HASH_DIGITS = 32

/** Whether `record` is the very record of the mark. */
export function isMarked(record: BrokerRecord, mark: RecordMark): boolean {
  const own = markOf(record)
  return (
    own.offset === mark.offset && own.timestampMs === mark.timestampMs && own.hash === mark.hash
  )
}

/** The topic that is read is not the one that was read. */
export function replaced(topic: string, partition: number, mark: RecordMark): WegwijsError {
  const { offset, timestampMs } = mark
  return fail('WEGWIJS_TOPIC_REPLACED', {
    topic,
    partition,
    offset,
    appliedOf: new Date(timestampMs).toISOString(),
  })
}
