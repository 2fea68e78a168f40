import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import { type GroupSettings, MemoryGroup } from './memory-group.ts'
import { createTopicLogs } from './memory-log.ts'
import type {
  BrokerRecord,
  Consumer,
  EventPublisher,
  EventSource,
  OutgoingRecord,
  TopicAdmin,
} from './port.ts'

export type MemoryBroker = {
  readonly source: EventSource
  readonly publisher: EventPublisher
  readonly admin: TopicAdmin
  /** While true nothing is taken in, handed out or answered. */
  unavailable(away: boolean): void
  /** The next publish is written, and its answer is lost: the caller sees a missed deadline. */
  loseNextAnswer(): void
  /** Forgets the records below `low`, as retention does. */
  truncate(topic: string, partition: number, low: bigint): void
  /** Deletes the topic and creates it again, empty, from offset 0. */
  recreate(topic: string): void
  /** Leaves `count` offsets unused, as transaction markers and compaction do. */
  skipOffsets(topic: string, partition: number, count: bigint): void
  /** Takes the member for dead while its handler may still run: a zombie. It joins again later. */
  expel(consumer: Consumer): void
  /** What the topic holds, by partition and offset. */
  records(topic: string): BrokerRecord[]
  /** Resolves when every consumer has handled all there is, or nothing can be handed out. */
  idle(): Promise<void>
}

export type MemoryBrokerOptions = {
  /** Which partition a record goes to, when it is another one than Kafka's own choice by key. */
  readonly partitionOf?: (record: OutgoingRecord, usual: number) => number
  readonly clock?: Clock
  /** How long a partition rests after a retryable failure, on `clock` (100 ms). */
  readonly restMs?: number
  /** How long `close` waits for a handler, on `clock` (5 s). */
  readonly closeDeadlineMs?: number
}

/**
 * Kafka's behaviour towards its clients, in one process: topics, partitions chosen by key as Kafka
 * does it, groups that rebalance. It hands out as soon as there is something, in microtasks and
 * without timers, so the same calls give the same order every time.
 */
export function createMemoryBroker(options: MemoryBrokerOptions = {}): MemoryBroker {
  const logs = createTopicLogs(options.partitionOf)
  const groups = new Map<string, MemoryGroup>()
  const clock = options.clock ?? systemClock
  let away = false
  let losesAnswer = false
  let waiters: (() => void)[] = []

  const isIdle = () => away || [...groups.values()].every((group) => group.isIdle())

  const settings: GroupSettings = {
    logs,
    clock,
    restMs: options.restMs ?? 100,
    closeDeadlineMs: options.closeDeadlineMs ?? 5_000,
    isAway: () => away,
    onQuiet: () => {
      if (waiters.length === 0 || !isIdle()) return
      const resolved = waiters
      waiters = []
      for (const resolve of resolved) resolve()
    },
  }

  const wakeAll = () => {
    for (const group of groups.values()) group.wake()
  }

  const groupOf = (name: string): MemoryGroup => {
    const group = groups.get(name) ?? new MemoryGroup(settings)
    groups.set(name, group)
    return group
  }

  const refuseWhileAway = () => {
    if (away) throw fail('WEGWIJS_BROKER_UNAVAILABLE', { reason: 'the in-memory broker is away' })
  }

  const append = (records: readonly OutgoingRecord[]) => logs.append(records, clock.epochMs())

  return {
    source: {
      async consume(consumeOptions) {
        refuseWhileAway()
        logs.partitionsOf(consumeOptions.topic)
        return groupOf(consumeOptions.group).join(consumeOptions)
      },
    },
    publisher: {
      async publish(records, { deadlineMs }) {
        if (away) throw fail('WEGWIJS_PUBLISH_DEADLINE', { deadlineMs })
        const places = append(records)
        wakeAll()
        if (losesAnswer) {
          losesAnswer = false
          throw fail('WEGWIJS_PUBLISH_DEADLINE', { deadlineMs })
        }
        return places
      },
      async close() {},
    },
    admin: {
      async ensureTopics(configs) {
        refuseWhileAway()
        for (const config of configs) logs.create(config)
      },
      async removeTopics(topics) {
        refuseWhileAway()
        for (const topic of topics) logs.remove(topic)
        wakeAll()
      },
      async endOffsets(topic) {
        refuseWhileAway()
        return logs.ranges(topic)
      },
      async groupMembers(group) {
        refuseWhileAway()
        return groups.get(group)?.size() ?? 0
      },
      async close() {},
    },
    unavailable(isAway) {
      away = isAway
      wakeAll()
    },
    loseNextAnswer() {
      losesAnswer = true
    },
    truncate(topic, partition, low) {
      logs.truncate(topic, partition, low)
      wakeAll()
    },
    recreate(topic) {
      logs.recreate(topic)
      wakeAll()
    },
    skipOffsets(topic, partition, count) {
      logs.skipOffsets(topic, partition, count)
      wakeAll()
    },
    expel(consumer) {
      for (const group of groups.values()) group.expel(consumer)
    },
    records: (topic) => logs.partitionsOf(topic).flatMap((log) => log.records),
    async idle() {
      if (isIdle()) return
      await new Promise<void>((resolve) => {
        waiters.push(resolve)
      })
    },
  }
}
