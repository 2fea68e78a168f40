import { Kafka, type KafkaJSDeleteGroupsError, logLevel } from 'kafkajs'
import { until } from './until.ts'

/** What a test does to a broker that no part of Wegwijs ever does. */
export type KafkaControl = {
  /** Forgets what the broker remembers of the positions of these groups; they must have no members. */
  forgetGroups(groups: readonly string[]): Promise<void>
  /** Removes the records below these offsets, as retention does. */
  removeRecords(
    topic: string,
    below: readonly { partition: number; offset: string }[],
  ): Promise<void>
  close(): Promise<void>
}

/** One of several may have been forgotten before another one was refused. @throws any other error */
function areUnknown(error: unknown): true {
  const refused = isOfGroups(error) ? error.groups : []
  if (refused.length > 0 && refused.every(({ errorCode }) => errorCode === GROUP_ID_NOT_FOUND)) {
    return true
  }
  throw error
}

/** By its name: classes of kafkajs cannot be imported from a module. */
function isOfGroups(error: unknown): error is KafkaJSDeleteGroupsError {
  return error instanceof Error && error.name === 'KafkaJSDeleteGroupsError'
}

const GROUP_ID_NOT_FOUND = 69

export function controlKafka(brokers: readonly string[], clientId: string): KafkaControl {
  const kafka = new Kafka({
    brokers: [...brokers],
    clientId: `${clientId}-control`,
    logLevel: logLevel.NOTHING,
    retry: { retries: 3 },
  })
  return {
    async forgetGroups(groups) {
      const admin = kafka.admin()
      await admin.connect()
      await until(`the groups ${groups.join(', ')} are forgotten`, () =>
        admin.deleteGroups([...groups]).then(() => true, areUnknown),
      )
      await admin.disconnect()
    },
    async removeRecords(topic, below) {
      const admin = kafka.admin()
      await admin.connect()
      // Without this kafkajs does not know the topic.
      await admin.fetchTopicOffsets(topic)
      await admin.deleteTopicRecords({ topic, partitions: [...below] })
      await admin.disconnect()
    },
    async close() {
      const admin = kafka.admin()
      try {
        await admin.connect()
        const topics = (await admin.listTopics()).filter((topic) =>
          topic.startsWith(`${clientId}.`),
        )
        await admin.deleteTopics({ topics })
      } catch {
        // Its broker is gone, or goes: nothing is left to tidy up.
      } finally {
        await admin.disconnect().catch(() => {})
      }
    },
  }
}
