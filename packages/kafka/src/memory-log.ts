import { fail } from '@wegwijs/runtime/failure'
import type { TopicConfig } from '@wegwijs/wire/topics'
import { Partitioners } from 'kafkajs'
import type { BrokerRecord, OutgoingRecord, PartitionRange, RecordPlace } from './port.ts'
import { bytesOf } from './record-bytes.ts'

/**
 * One partition. `records` are in offset order, possibly with holes; `high` is the offset the next
 * record gets, `low` the first one that can still be asked for.
 */
export type PartitionLog = { low: bigint; high: bigint; records: BrokerRecord[] }

export type TopicLogs = {
  /** Creates the topic unless it exists. */
  create(config: TopicConfig): void
  has(topic: string): boolean
  /** Deletes the topic, if there is one. */
  remove(topic: string): void
  /** Deletes what the topic holds and starts again at offset 0, as deleting and creating does. */
  recreate(topic: string): void
  /** Forgets the records below `low`, as retention does. */
  truncate(topic: string, partition: number, low: bigint): void
  /** Leaves `count` offsets unused, as a transaction marker or compaction does. */
  skipOffsets(topic: string, partition: number, count: bigint): void
  /** @throws WegwijsError WEGWIJS_TOPIC_UNKNOWN, WEGWIJS_PUBLISH_REFUSED; then nothing is kept */
  append(records: readonly OutgoingRecord[], timestampMs: number): RecordPlace[]
  /** @throws WegwijsError WEGWIJS_TOPIC_UNKNOWN */
  partitionsOf(topic: string): readonly PartitionLog[]
  ranges(topic: string): PartitionRange[]
  /** At most `limit` records from `position` on. */
  read(topic: string, partition: number, position: bigint, limit: number): BrokerRecord[]
}

/** Kafka's default for `max.message.bytes`. */
const KAFKA_MAX_BYTES = 1_048_588

const emptyPartition = (): PartitionLog => ({ low: 0n, high: 0n, records: [] })

const copyOfHeaders = (headers: OutgoingRecord['headers']): Record<string, Buffer> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]))

/** The index of the first record at or after `position`. */
function indexOf(records: readonly BrokerRecord[], position: bigint): number {
  let from = 0
  let to = records.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((records[middle]?.offset ?? position) < position) from = middle + 1
    else to = middle
  }
  return from
}

/** The topics of an in-memory broker, with Kafka's own choice of partition by key. */
export function createTopicLogs(
  partitionFor: (record: OutgoingRecord, usual: number) => number = (_, usual) => usual,
): TopicLogs {
  const topics = new Map<string, PartitionLog[]>()
  const maxBytes = new Map<string, number>()
  const timestampBy = new Map<string, BrokerRecord['timestampBy']>()
  const choosePartition = Partitioners.DefaultPartitioner()

  const partitionsOf = (topic: string): PartitionLog[] => {
    const partitions = topics.get(topic)
    if (!partitions) throw fail('WEGWIJS_TOPIC_UNKNOWN', { topic })
    return partitions
  }

  const partitionOf = (topic: string, partition: number): PartitionLog => {
    const log = partitionsOf(topic)[partition]
    if (!log) throw fail('WEGWIJS_TOPIC_UNKNOWN', { topic, partition })
    return log
  }

  const check = (record: OutgoingRecord) => {
    const { topic } = record
    partitionsOf(topic)
    if (bytesOf(record) > (maxBytes.get(topic) ?? KAFKA_MAX_BYTES)) {
      throw fail('WEGWIJS_PUBLISH_REFUSED', { topic, reason: 'MESSAGE_TOO_LARGE' })
    }
  }

  const appendOne = (record: OutgoingRecord, timestampMs: number): RecordPlace => {
    const { topic, key } = record
    const usual = choosePartition({
      topic,
      partitionMetadata: partitionsOf(topic).map((_, partitionId) => ({
        partitionErrorCode: 0,
        partitionId,
        leader: 0,
        replicas: [],
        isr: [],
      })),
      message: { key, value: record.value },
    })
    const partition = partitionFor(record, usual)
    const log = partitionOf(topic, partition)
    const offset = log.high
    log.high += 1n
    log.records.push({
      topic,
      partition,
      offset,
      key: Buffer.from(key),
      value: record.value && Buffer.from(record.value),
      headers: copyOfHeaders(record.headers),
      timestampMs,
      timestampBy: timestampBy.get(topic) ?? 'publisher',
    })
    return { topic, partition, offset }
  }

  return {
    create({ topic, partitions, settings }) {
      if (topics.has(topic)) return
      topics.set(topic, Array.from({ length: partitions }, emptyPartition))
      maxBytes.set(topic, Number(settings['max.message.bytes'] ?? KAFKA_MAX_BYTES))
      const isByBroker = settings['message.timestamp.type'] === 'LogAppendTime'
      timestampBy.set(topic, isByBroker ? 'broker' : 'publisher')
    },
    has: (topic) => topics.has(topic),
    remove(topic) {
      topics.delete(topic)
    },
    recreate(topic) {
      topics.set(topic, partitionsOf(topic).map(emptyPartition))
    },
    truncate(topic, partition, low) {
      const log = partitionOf(topic, partition)
      log.low = low
      if (low > log.high) log.high = low
      log.records = log.records.slice(indexOf(log.records, low))
    },
    skipOffsets(topic, partition, count) {
      partitionOf(topic, partition).high += count
    },
    append(records, timestampMs) {
      for (const record of records) check(record)
      return records.map((record) => appendOne(record, timestampMs))
    },
    partitionsOf,
    ranges: (topic) =>
      partitionsOf(topic).map(({ low, high }, partition) => ({ partition, low, high })),
    read(topic, partition, position, limit) {
      const { records } = partitionOf(topic, partition)
      const from = indexOf(records, position)
      return records.slice(from, from + limit)
    },
  }
}
