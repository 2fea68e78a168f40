import { connectKafkajs, type KafkajsOptions } from '@wegwijs/kafka/kafkajs'
import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import { silentLogger } from '@wegwijs/runtime/log'
import type { TopicConfig } from '@wegwijs/wire/topics'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { until } from '../until.ts'
import type { Harness } from './harness.ts'

export type KafkajsHarness = Harness & { readonly control: Admin }

/** The kafkajs adapter, and a plain kafkajs beside it that does things to the broker. */
export async function openKafkajs(
  brokers: readonly string[],
  tuning: KafkajsOptions['tuning'] = {},
  clock: Clock = systemClock,
): Promise<KafkajsHarness> {
  const log = silentLogger
  const kafka = connectKafkajs({ brokers, clientId: 'contract', log, tuning, clock })
  const client = new Kafka({
    brokers: [...brokers],
    clientId: 'contract-control',
    logLevel: logLevel.NOTHING,
  })
  const control = client.admin()
  await control.connect()

  const truncate = async (topic: string, partition: number, low: bigint) => {
    // Without this kafkajs does not know the topic.
    await control.fetchTopicOffsets(topic)
    await control.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(low) }] })
  }

  const recreate = async ({ topic, partitions }: TopicConfig) => {
    await control.deleteTopics({ topics: [topic] })
    await until(async () => !(await control.listTopics()).includes(topic))
    // A moment after it is gone from the list its name is still taken. And kafkajs may fail to wait
    // for the leaders of a topic that it has made, so what counts is that the broker answers for it.
    await until(async () => {
      const topics = [{ topic, numPartitions: partitions }]
      await control.createTopics({ topics, waitForLeaders: false }).catch(() => false)
      return control.fetchTopicOffsets(topic).then(
        () => true,
        () => false,
      )
    })
  }

  const leaveGap = async (topic: string, partition: number) => {
    const transactionalId = `${topic}-${Math.random()}`
    const producer = client.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ partition, value: 'never to be seen' }] })
    await transaction.abort()
    await producer.disconnect()
  }

  return {
    source: kafka.source,
    publisher: kafka.publisher,
    admin: kafka.admin,
    control,
    truncate,
    recreate,
    leaveGap,
    async close() {
      await kafka.close()
      await control.disconnect()
    },
  }
}
