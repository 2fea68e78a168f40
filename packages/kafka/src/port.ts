import type { TopicConfig } from '@wegwijs/wire/topics'

/** A partition of a topic. */
export type TopicPartition = { readonly topic: string; readonly partition: number }

/** One record as the broker stores it. `offset` is exact, so it is a bigint. */
export type BrokerRecord = {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer>>
  readonly timestampMs: number
  /** Whose clock that is: by its setting `message.timestamp.type` the topic has its own, when it appended the record. */
  readonly timestampBy: 'broker' | 'publisher'
}

/**
 * Records of one partition, in offset order, none below `readFrom`.
 *
 * `readFrom` is the position the consumer stood at; it is what a stored position is compared with.
 * `nextOffset` is the position after this batch. Offsets may skip between the two: compaction and
 * transaction markers leave holes, also before the first and after the last record. A batch without
 * records is such a hole; it is applied like any other, or the position would stay behind the end.
 */
export type RecordBatch = {
  readonly topic: string
  readonly partition: number
  readonly readFrom: bigint
  readonly nextOffset: bigint
  readonly records: BrokerRecord[]
}

/**
 * What became of a batch. `done`: it is applied, go on at `nextOffset`. `seek`: the stored position
 * is another one, go on there; nothing of this batch was applied.
 */
export type BatchOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'seek'; readonly offset: bigint }

/** A statement for a batch of this size is quick, and twice the size would not be cheaper. */
export const DEFAULT_MAX_RECORDS = 500

/** The fingerprint of a record; made by `markOf`. */
export type RecordMark = {
  readonly offset: bigint
  readonly timestampMs: number
  /** Of key, value and headers, in hexadecimal digits. */
  readonly hash: string
}

/**
 * Where a partition is read on, and by what the topic is known again: `last` is the mark of a record
 * below `next` that was applied, best the last one; null when there is none.
 */
export type StoredPosition = { readonly next: bigint; readonly last: RecordMark | null }

/**
 * How to consume one topic as a member of one group.
 *
 * `positionOf` is asked each time a partition is assigned; null means from the beginning. It is the
 * only truth about positions: what the broker remembers of the group is for lag tools. Before
 * anything is handed out the broker must show the record of `last`; when retention has removed it
 * there is nothing to hold it against, and reading goes on.
 *
 * `onBatch` runs for one batch of a partition at a time, of at most `maxRecords` records (500), and
 * for `partitionsAtOnce` partitions side by side (1). It may take long: the membership is kept
 * alive meanwhile. `isCurrent()` turns false as soon as the partition is known to be
 * lost, or the consumer is closing: go on only if a position guard decides. When `onBatch` throws
 * a retryable WegwijsError the position is asked again and the batch comes again after a pause;
 * when it throws anything else the consumer stops for good and `failed` rejects with it.
 */
export type ConsumeOptions = {
  readonly topic: string
  readonly group: string
  readonly maxRecords?: number
  readonly partitionsAtOnce?: number
  readonly positionOf: (topic: string, partition: number) => Promise<StoredPosition | null>
  readonly onBatch: (batch: RecordBatch, isCurrent: () => boolean) => Promise<BatchOutcome>
}

export type Consumer = {
  /**
   * Takes no further batch, waits for the ones that run, up to the adapter's deadline, and leaves
   * the group. A handler that outlives the deadline is left behind, no longer current. Closing
   * twice is the same as closing once.
   */
  close(): Promise<void>
  /**
   * Rejects when the consumer stops for good, never settles otherwise. WEGWIJS_POSITION_LOST: the
   * broker no longer holds the position; WEGWIJS_TOPIC_REPLACED: it holds another record where the
   * last one was applied. Going on would skip events silently.
   */
  readonly failed: Promise<never>
  /** The partitions this member holds now. */
  assignments(): readonly TopicPartition[]
}

export type EventSource = {
  /**
   * Joins the group and starts to deliver; resolves once it is a member.
   *
   * @throws WegwijsError WEGWIJS_TOPIC_UNKNOWN, WEGWIJS_BROKER_UNAVAILABLE (retryable)
   */
  consume(options: ConsumeOptions): Promise<Consumer>
}

export type OutgoingRecord = {
  readonly topic: string
  readonly key: string
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string | Buffer>>
}

/** Where a record came to rest. */
export type RecordPlace = TopicPartition & { readonly offset: bigint }

export type EventPublisher = {
  /**
   * Resolves, in the order given, once every in-sync replica has every record. Records of one key
   * keep their order. A rejection never says that a record was not written: it may still arrive,
   * so the caller keeps its outbox row and readers count an event once.
   *
   * @throws WegwijsError WEGWIJS_PUBLISH_DEADLINE (retryable) no answer within `deadlineMs`;
   *   WEGWIJS_TOPIC_UNKNOWN; WEGWIJS_PUBLISH_REFUSED, the broker said no
   */
  publish(
    records: readonly OutgoingRecord[],
    options: { readonly deadlineMs: number },
  ): Promise<RecordPlace[]>
  close(): Promise<void>
}

/** The first offset a partition still holds, and the one its next record will get. */
export type PartitionRange = {
  readonly partition: number
  readonly low: bigint
  readonly high: bigint
}

export type TopicAdmin = {
  /**
   * Creates what is missing and waits until every partition has a leader. A topic that exists is
   * left as it is: partitions are never added, since that would move keys to other partitions.
   *
   * @throws WegwijsError WEGWIJS_BROKER_UNAVAILABLE (retryable)
   */
  ensureTopics(configs: readonly TopicConfig[]): Promise<void>
  /**
   * Removes topics with everything in them; one that does not exist is no fault.
   *
   * @throws WegwijsError WEGWIJS_BROKER_UNAVAILABLE (retryable)
   */
  removeTopics(topics: readonly string[]): Promise<void>
  /**
   * By partition, in ascending order.
   *
   * @throws WegwijsError WEGWIJS_TOPIC_UNKNOWN, WEGWIJS_BROKER_UNAVAILABLE (retryable)
   */
  endOffsets(topic: string): Promise<PartitionRange[]>
  /**
   * How many members a consumer group has now; of a group that nobody knows, none.
   *
   * @throws WegwijsError WEGWIJS_BROKER_UNAVAILABLE (retryable)
   */
  groupMembers(group: string): Promise<number>
  close(): Promise<void>
}
