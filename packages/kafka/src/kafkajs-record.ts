import type { Batch } from 'kafkajs'
import type { BrokerRecord, RecordBatch } from './port.ts'

type Message = Batch['messages'][number]

/**
 * What a fetch brought, from `position` on, in batches of at most `size` records that follow each
 * other without a gap. kafkajs can bring records from before the position that it was told.
 */
export function partsOf(batch: Batch, position: bigint, size: number): RecordBatch[] {
  const { topic, partition } = batch
  const records = batch.messages
    .map((message) => toRecord(batch, message))
    .filter((record) => record.offset >= position)
  // Markers of transactions after the last record are behind us with it.
  const endOffset = BigInt(batch.lastOffset()) + 1n
  const parts: RecordBatch[] = []
  let readFrom = position
  for (let from = 0; from < records.length; from += size) {
    const part = records.slice(from, from + size)
    const isLast = from + size >= records.length
    const nextOffset = isLast ? endOffset : (part.at(-1)?.offset ?? readFrom) + 1n
    parts.push({ topic, partition, readFrom, nextOffset, records: part })
    readFrom = nextOffset
  }
  return parts
}

/** The record at `offset`, when this fetch brought it. */
export function recordAt(batch: Batch, offset: bigint): BrokerRecord | undefined {
  const message = batch.messages.find((one) => BigInt(one.offset) === offset)
  return message && toRecord(batch, message)
}

function toRecord({ topic, partition }: Batch, message: Message): BrokerRecord {
  return {
    topic,
    partition,
    offset: BigInt(message.offset),
    key: message.key,
    value: message.value,
    headers: toHeaders(message.headers),
    timestampMs: Number(message.timestamp),
    timestampBy: isLogAppendTime(message) ? 'broker' : 'publisher',
  }
}

/** kafkajs gives it with every record of a batch, and does not declare it; by the record format it is 1. */
function isLogAppendTime(message: Message): boolean {
  const { batchContext } = message as Message & { batchContext?: { timestampType?: number } }
  return batchContext?.timestampType === 1
}

/**
 * Kafka allows a header name twice, of which the first one counts, any name, and a header without a value, which
 * kafkajs does not declare and gives as null.
 */
function toHeaders(headers: Message['headers']): Record<string, Buffer> {
  const given = Object.entries(headers ?? {}).flatMap(([name, value]): [string, Buffer][] => {
    const first: Buffer | string | null | undefined = Array.isArray(value) ? value[0] : value
    return first === undefined || first === null ? [] : [[name, Buffer.from(first)]]
  })
  return Object.fromEntries(given)
}
