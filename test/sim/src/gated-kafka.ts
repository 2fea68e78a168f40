import type { MemoryBroker } from '@wegwijs/kafka/memory'
import type {
  BrokerRecord,
  ConsumeOptions,
  Consumer,
  EventPublisher,
  EventSource,
  TopicAdmin,
} from '@wegwijs/kafka/port'
import type { Chance } from './chance.ts'
import type { Gate, Life } from './gate.ts'

export type GatedKafka = {
  source: EventSource
  publisher: EventPublisher
  admin: TopicAdmin
  /** The broker takes this life for dead, its handlers may run on: its partitions go to others. */
  expel(): void
  /** The process is gone: it never comes back. */
  abandon(): void
}

/** One worker's view of the broker; every hand-out and every publication stands at the gate. */
export function gatedKafka(
  broker: MemoryBroker,
  parts: {
    gate: Gate
    life: Life
    chance: Chance
    /** Everything of this partition below `offset` has been applied. */
    onRead: (topic: string, partition: number, offset: bigint) => void
  },
): GatedKafka {
  const { gate, life, chance, onRead } = parts
  const consumers: Consumer[] = []
  let batches = 0
  return {
    source: {
      consume: async (options) => {
        const joining = await gate.pass(life, `joins ${shortOf(options.topic)}`, () => {
          const joined = broker.source.consume(gated(options))
          // Whoever died while joining is a member all the same, until somebody notices.
          void joined.then(
            (consumer) => {
              if (life.dead) bury(consumer)
              else consumers.push(consumer)
            },
            () => undefined,
          )
          // Not awaited here: joining may wait for the handlers of others, which stand at the gate.
          return { joined }
        })
        return joining.joined
      },
    },
    publisher: {
      publish: (records, options) =>
        gate.pass(
          life,
          `publishes ${records.map((record) => nameOf(record.headers)).join(', ')}`,
          () => broker.publisher.publish(records, options),
        ),
      close: async () => undefined,
    },
    admin: {
      ...broker.admin,
      endOffsets: (topic) =>
        gate.pass(life, `asks for the end of ${shortOf(topic)}`, () =>
          broker.admin.endOffsets(topic),
        ),
    },
    expel: () => {
      for (const consumer of consumers) broker.expel(consumer)
    },
    abandon: () => {
      for (const consumer of consumers) bury(consumer)
    },
  }

  function gated(options: ConsumeOptions): ConsumeOptions {
    return {
      ...options,
      get maxRecords() {
        batches += 1
        return 1 + chance.whole(6, 'batch', life.slot, batches)
      },
      positionOf: async (topic, partition) => {
        const position = await options.positionOf(topic, partition)
        if (position !== null) onRead(topic, partition, position.next)
        return position
      },
      onBatch: async (batch, isCurrent) => {
        const label = `is handed ${batchLabel(batch.records, batch.topic)}`
        await gate.pass(life, label, () => undefined)
        const outcome = await options.onBatch(batch, isCurrent)
        if (outcome.kind === 'done') onRead(batch.topic, batch.partition, batch.nextOffset)
        return outcome
      },
    }
  }

  function bury(consumer: Consumer): void {
    broker.expel(consumer)
    consumer.failed.catch(() => undefined)
    void consumer.close()
  }
}

function batchLabel(records: readonly BrokerRecord[], topic: string): string {
  const [first] = records
  const place = first ? `${first.partition}@${first.offset}` : ''
  return `${shortOf(topic)} ${place}: ${records.map((record) => nameOf(record.headers)).join(', ')}`
}

function shortOf(topic: string): string {
  return topic.slice(topic.indexOf('.') + 1)
}

function nameOf(
  headers: BrokerRecord['headers'] | Readonly<Record<string, string | Buffer>>,
): string {
  return `${String(headers.ce_type ?? 'record')} ${String(headers.ce_id ?? '').slice(0, 8)}`
}
