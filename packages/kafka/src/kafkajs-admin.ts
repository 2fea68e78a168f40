import { fail, isFailure, isRetryable } from '@wegwijs/runtime/failure'
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
      throw noAnswer()
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

  const askForOffsets = (topic: string): Promise<PartitionRange[]> =>
    ask(topic, async (admin) => {
      const offsets = await admin.fetchTopicOffsets(topic)
      return offsets
        .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
        .sort((a, b) => a.partition - b.partition)
    })

  const endOffsets = (topic: string): Promise<PartitionRange[]> =>
    askForOffsets(topic).catch((error: unknown) => {
      if (!isFailure(error, 'WEGWIJS_TOPIC_UNKNOWN')) throw error
      // A client also fails on a topic that it was once asked about and that is gone by now.
      return askForOffsets(topic)
    })

  const existing = async (): Promise<ReadonlySet<string>> =>
    new Set(await ask(undefined, (admin) => admin.listTopics()))

  /** Asks again until the deadline; Kafka tells of a change to its topics only some time later. */
  const untilTrue = async (state: () => Promise<boolean>) => {
    const untilMs = clock.monotonicMs() + tuning.topicsDeadlineMs
    let met = false
    while (!met) {
      met = await state().catch((error: unknown) => {
        if (clock.monotonicMs() < untilMs && isPassing(error)) return false
        throw error
      })
      if (!met && clock.monotonicMs() >= untilMs) throw noAnswer()
      if (!met) await clock.sleep(POLL_MS)
    }
  }

  const create = (missing: readonly TopicConfig[]) => {
    const topics = missing.map(({ topic, partitions, replicationFactor, settings }) => ({
      topic,
      numPartitions: partitions,
      replicationFactor,
      configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
    }))
    return ask(missing[0]?.topic, (admin) => admin.createTopics({ topics, waitForLeaders: false }))
  }

  return {
    async ensureTopics(configs) {
      const before = await existing()
      const missing = configs.filter(({ topic }) => !before.has(topic))
      if (missing.length === 0) return
      // The name of a topic that was just removed is still taken: no fault, and not created either.
      await untilTrue(async () => {
        const present = await existing()
        const wanted = missing.filter(({ topic }) => !present.has(topic))
        if (wanted.length > 0) await create(wanted)
        return wanted.length === 0
      })
      for (const { topic, partitions } of missing) {
        await untilTrue(async () => (await askForOffsets(topic)).length >= partitions)
      }
    },
    async removeTopics(topics) {
      const before = await existing()
      const present = topics.filter((topic) => before.has(topic))
      if (present.length === 0) return
      await ask(present[0], (admin) => admin.deleteTopics({ topics: present }))
      await untilTrue(async () => {
        const left = await existing()
        return present.every((topic) => !left.has(topic))
      })
    },
    endOffsets,
    groupMembers: (group) =>
      ask(undefined, async (admin) => {
        const { groups } = await admin.describeGroups([group])
        return groups[0]?.members.length ?? 0
      }),
    close: release,
  }
}

const noAnswer = () => fail('WEGWIJS_BROKER_UNAVAILABLE', { reason: 'no answer in time' })

const isPassing = (error: unknown) =>
  isFailure(error, 'WEGWIJS_TOPIC_UNKNOWN') || isRetryable(error)
