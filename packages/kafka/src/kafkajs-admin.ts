import { fail } from '@wegwijs/runtime/failure'
import type { TopicConfig } from '@wegwijs/wire/topics'
import type { Admin } from 'kafkajs'
import { atMost, clientRetry, type KafkajsSettings, newClient } from './kafkajs-client.ts'
import { toFailure } from './kafkajs-failure.ts'
import type { PartitionRange, TopicAdmin } from './port.ts'

const POLL_MS = 50

/** Topics and offsets over a connection that is opened when first needed, and anew after a fault. */
export function createAdmin(settings: KafkajsSettings): TopicAdmin {
  const { clock, tuning } = settings
  let opened: Promise<Admin> | undefined

  const open = async (): Promise<Admin> => {
    const admin = newClient(settings).admin({ retry: { ...clientRetry, retries: 3 } })
    await admin.connect()
    return admin
  }

  const release = async () => {
    const last = opened
    opened = undefined
    if (last === undefined) return
    const ended = last.then((admin) => admin.disconnect())
    await atMost(clock, tuning.closeDeadlineMs, ended)
  }

  /** One request, in time or not at all; kafkajs would try for minutes. */
  const ask = async <Answer>(
    topic: string | undefined,
    request: (admin: Admin) => Promise<Answer>,
  ): Promise<Answer> => {
    const over = new AbortController()
    const late = clock.sleep(tuning.adminDeadlineMs, over.signal).then(() => {
      throw fail('WEGWIJS_BROKER_UNAVAILABLE', { reason: 'no answer in time' })
    })
    try {
      opened ??= open()
      return await Promise.race([opened.then(request), late])
    } catch (error) {
      // Its view of the cluster may be what is wrong: the next request begins with a fresh one.
      void release()
      throw toFailure(error, topic)
    } finally {
      over.abort()
      late.catch(() => undefined)
    }
  }

  const endOffsets = (topic: string): Promise<PartitionRange[]> =>
    ask(topic, async (admin) => {
      const offsets = await admin.fetchTopicOffsets(topic)
      return offsets
        .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
        .sort((a, b) => a.partition - b.partition)
    })

  /** A topic that was just made is unknown to some brokers and has no leader for a moment. */
  const untilAnswering = async ({ topic, partitions }: TopicConfig) => {
    const untilMs = clock.monotonicMs() + tuning.adminDeadlineMs
    for (;;) {
      try {
        if ((await endOffsets(topic)).length >= partitions) return
      } catch (error) {
        if (clock.monotonicMs() >= untilMs) throw error
      }
      await clock.sleep(POLL_MS)
    }
  }

  return {
    async ensureTopics(configs) {
      const existing = new Set(await ask(undefined, (admin) => admin.listTopics()))
      const missing = configs.filter(({ topic }) => !existing.has(topic))
      if (missing.length === 0) return
      const topics = missing.map(({ topic, partitions, replicationFactor, settings }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
      }))
      await ask(missing[0]?.topic, (admin) => admin.createTopics({ topics, waitForLeaders: false }))
      for (const config of missing) await untilAnswering(config)
    },
    endOffsets,
    close: release,
  }
}
