import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type LocalKafka, startKafka } from '@wegwijs/local/kafka'
import { manualClock } from '@wegwijs/runtime/clock'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { until } from '../until.ts'
import { newTopic, Opened } from './harness.ts'
import { type KafkajsHarness, openKafkajs } from './kafkajs-harness.ts'
import { Ledger } from './ledger.ts'
import { describeOutage } from './outage.ts'

const { kafkaBrokers } = inject('servers')

const START_LIMIT_MS = 120_000

/** The shortest that a local broker allows. */
const SESSION_TIMEOUT_MS = 1_000

// A broker of this file's own: taking away the shared one would disturb every other test.
let directory: string
let broker: LocalKafka

beforeAll(async () => {
  if (kafkaBrokers.length === 0) return
  directory = await mkdtemp(join(tmpdir(), 'wegwijs-outage-'))
  broker = await startKafka({ directory })
}, START_LIMIT_MS)
afterAll(async () => {
  if (kafkaBrokers.length === 0) return
  await broker.kill()
  await rm(directory, { recursive: true, force: true })
})

const isTrue = () => true
const isFalse = () => false

const open = () =>
  openKafkajs(broker.brokers, {
    adminDeadlineMs: 1_000,
    closeDeadlineMs: 2_000,
    fetchWaitMs: 100,
    heartbeatMs: 200,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
  })

/** A member in a process of its own, and what it has said so far. */
function startMember(topic: string): { process: ChildProcess; said: unknown[] } {
  const script = fileURLToPath(new URL('member.ts', import.meta.url))
  const options = [broker.brokers.join(','), topic, String(SESSION_TIMEOUT_MS)]
  const child = fork(script, options, { execArgv: [] })
  const said: unknown[] = []
  child.on('message', (word) => said.push(word))
  return { process: child, said }
}

// Without Kafka on this machine the global setup has said so, and what is missing.
describe.skipIf(kafkaBrokers.length === 0)('with a real broker', () => {
  describe('a member of a group', () => {
    let harness: KafkajsHarness
    const opened = new Opened()
    const children: ChildProcess[] = []

    beforeAll(async () => {
      harness = await open()
    })
    afterEach(async () => {
      for (const child of children.splice(0)) child.kill('SIGKILL')
      await opened.close()
    })
    afterAll(() => harness?.close())

    const topicWithOneRecord = async () => {
      const config = newTopic()
      const { topic } = config
      await harness.admin.ensureTopics([config])
      const record = { topic, key: 'a', value: Buffer.from('0'), headers: {} }
      await harness.publisher.publish([record], { deadlineMs: 10_000 })
      return topic
    }

    const stoppedMember = async (topic: string) => {
      const member = startMember(topic)
      children.push(member.process)
      await until(() => member.said.includes('began'))
      member.process.kill('SIGSTOP')
      return member
    }

    it('that stood still too long knows that its partition is no longer its own', async () => {
      const topic = await topicWithOneRecord()
      const member = await stoppedMember(topic)
      const ledger = new Ledger()
      const { positionOf, apply: onBatch } = ledger
      opened.add(await harness.source.consume({ topic, group: topic, positionOf, onBatch }))
      await until(() => ledger.applied.length === 1)
      member.process.kill('SIGCONT')
      member.process.send('go on')
      await until(() => member.said.includes('lost') || member.said.includes('current'))
      expect(member.said).toContain('lost')
      expect(ledger.values()).toEqual(['0'])
    })

    it('is kept while its handler runs, for longer than a silent one would be', async () => {
      const topic = await topicWithOneRecord()
      const ledger = new Ledger()
      const gate = Promise.withResolvers<void>()
      const slow = { isCurrent: () => false }
      opened.add(
        await harness.source.consume({
          topic,
          group: topic,
          positionOf: ledger.positionOf,
          onBatch: async (batch, isCurrent) => {
            slow.isCurrent = isCurrent
            await gate.promise
            return ledger.apply(batch)
          },
        }),
      )
      await until(() => slow.isCurrent())
      // A silent member measures the time: by the broker's own clock it has been silent too long.
      const other = await topicWithOneRecord()
      await stoppedMember(other)
      const membersOf = async (group: string) => {
        const { groups } = await harness.control.describeGroups([group])
        return groups[0]?.members.length
      }
      await until(async () => (await membersOf(other)) === 0)
      expect(await membersOf(topic)).toBe(1)
      expect(slow.isCurrent()).toBe(true)
      gate.resolve()
      await until(() => ledger.applied.length === 1)
      expect(ledger.offered).toHaveLength(1)
    })
  })

  it('keeps a record that follows one whose fate is unknown', async () => {
    // On a clock that stands still the deadline passes when kafkajs has given up, and nothing is on
    // its way any more. It would then give the number of that record to the next one, which the
    // broker would take for a repetition: acknowledged, and lost.
    const harness = await openKafkajs(broker.brokers, { requestTimeoutMs: 600 }, manualClock())
    const reader = await open()
    const config = newTopic()
    const { topic } = config
    await reader.admin.ensureTopics([config])
    const publish = (value: string) =>
      harness.publisher.publish([{ topic, key: 'a', value: Buffer.from(value), headers: {} }], {
        deadlineMs: 1,
      })
    // A busy machine may need longer than that for the first one.
    await until(() => publish('first').then(isTrue, isFalse))
    const highOf = async () => (await reader.admin.endOffsets(topic))[0]?.high ?? 0n
    const before = await highOf()
    process.kill(broker.pid, 'SIGSTOP')
    await expect(publish('unknown')).rejects.toMatchObject({ code: 'WEGWIJS_PUBLISH_DEADLINE' })
    process.kill(broker.pid, 'SIGCONT')
    await until(async () => (await highOf().catch(() => 0n)) > before)
    await until(() => publish('last').then(isTrue, isFalse))

    const { applied, apply: onBatch, positionOf } = new Ledger()
    const consumer = await reader.source.consume({ topic, group: topic, positionOf, onBatch })
    const end = await highOf()
    await until(() => applied.at(-1)?.offset === end - 1n)
    const values = new Set(applied.map(({ value }) => String(value)))
    expect([...values]).toEqual(['first', 'unknown', 'last'])
    await consumer.close()
    await reader.close()
    await harness.close()
  })

  describeOutage('the Kafka port through kafkajs', async () => ({
    ...(await open()),
    goAway: () => broker.kill(),
    comeBack: async () => {
      const preferredPort = Number(broker.brokers[0]?.split(':')[1])
      broker = await startKafka({ directory, preferredPort })
    },
  }))
})
