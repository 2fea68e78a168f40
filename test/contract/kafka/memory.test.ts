import { createMemoryBroker } from '@wegwijs/kafka/memory'
import { describeKafkaPort } from './contract.ts'
import { describeOutage } from './outage.ts'

const open = async () => {
  const broker = createMemoryBroker({ restMs: 1, closeDeadlineMs: 50 })
  return {
    source: broker.source,
    publisher: broker.publisher,
    admin: broker.admin,
    truncate: async (topic: string, partition: number, low: bigint) =>
      broker.truncate(topic, partition, low),
    recreate: async ({ topic }: { topic: string }) => broker.recreate(topic),
    leaveGap: async (topic: string, partition: number) => broker.skipOffsets(topic, partition, 2n),
    goAway: async () => broker.unavailable(true),
    comeBack: async () => broker.unavailable(false),
    close: async () => {},
  }
}

describeKafkaPort('the Kafka port in memory', open)
describeOutage('the Kafka port in memory', open)
