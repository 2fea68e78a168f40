import { type ICustomPartitioner, Kafka, logLevel, Partitioners } from 'kafkajs'

export type PublishedRecord = { key: string; value: Buffer; headers: Record<string, string> }

/** A publisher that is no part of Wegwijs: it has a client, and a partitioner, of its own. */
export type OtherPublisher = {
  /** Resolves when every in-sync replica has them. */
  publish(topic: string, records: readonly PublishedRecord[]): Promise<void>
  close(): Promise<void>
}

/** By the hash of the key that Java clients use, or from one partition to the next. */
const partitioners: Readonly<Record<'by-key' | 'in-turn', () => ICustomPartitioner>> = {
  'by-key': () => Partitioners.DefaultPartitioner,
  'in-turn': () => () => {
    let turn = 0
    return ({ partitionMetadata }) => {
      turn += 1
      return partitionMetadata[turn % partitionMetadata.length]?.partitionId ?? 0
    }
  },
}

export async function connectPublisher(
  brokers: readonly string[],
  partitioner: keyof typeof partitioners,
): Promise<OtherPublisher> {
  const kafka = new Kafka({
    brokers: [...brokers],
    clientId: `publisher-${partitioner}`,
    logLevel: logLevel.NOTHING,
  })
  const producer = kafka.producer({
    createPartitioner: partitioners[partitioner](),
    allowAutoTopicCreation: false,
  })
  await producer.connect()
  return {
    async publish(topic, records) {
      await producer.send({ topic, acks: -1, messages: [...records] })
    },
    close: () => producer.disconnect(),
  }
}
