import type { Consumer, EventPublisher, EventSource, TopicAdmin } from '@wegwijs/kafka/port'
import type { TopicConfig } from '@wegwijs/wire/topics'

/** One adapter on one broker, and what a test does to the broker behind the adapter's back. */
export type Harness = {
  readonly source: EventSource
  readonly publisher: EventPublisher
  readonly admin: TopicAdmin
  /** Removes the records below `low`, as retention does. */
  truncate(topic: string, partition: number, low: bigint): Promise<void>
  /** Deletes the topic and creates it again, empty. */
  recreate(topic: TopicConfig): Promise<void>
  /** Makes the partition skip some offsets without a record. */
  leaveGap(topic: string, partition: number): Promise<void>
  close(): Promise<void>
}

/** A broker of the test's own, which it may take away. */
export type OutageHarness = Harness & {
  goAway(): Promise<void>
  comeBack(): Promise<void>
}

let topics = 0

/** A topic that no other test, and no other run, uses. */
export function newTopic(partitions = 1, settings: Record<string, string> = {}): TopicConfig {
  topics += 1
  const topic = `contract-${process.pid}-${Math.random().toString(36).slice(2, 8)}-${topics}`
  return { topic, partitions, replicationFactor: 1, settings }
}

/** Closes what a test opened, whatever became of it, the last first. */
export class Opened {
  readonly #consumers: Consumer[] = []

  add(consumer: Consumer): Consumer {
    this.#consumers.push(consumer)
    return consumer
  }

  async close(): Promise<void> {
    const consumers = this.#consumers.splice(0).reverse()
    await Promise.all(consumers.map((consumer) => consumer.close()))
  }
}
