import { connectKafkajs } from '@wegwijs/kafka/kafkajs'
import { createMemoryBroker } from '@wegwijs/kafka/memory'
import type { EventPublisher, EventSource, TopicAdmin } from '@wegwijs/kafka/port'
import { createMemoryQueue } from '@wegwijs/queue/memory'
import { manualClock, systemClock } from '@wegwijs/runtime/clock'
import { fail, type WegwijsError } from '@wegwijs/runtime/failure'
import { createReadiness } from '@wegwijs/runtime/health'
import { createScope } from '@wegwijs/runtime/lifecycle'
import { type Logger, silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { appendOutbox, outboxBacklog } from '@wegwijs/store/outbox'
import { readStatus } from '@wegwijs/store/status'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest'
import { createRefusedTopics } from '../src/refused-topics.ts'
import { createRelayPass } from '../src/relay-pass.ts'
import { startScheduler } from '../src/service.ts'

let store: Store

beforeEach(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'refused')
})

afterEach(() => store.close())

type Broker = { publisher: EventPublisher; source: EventSource; admin: TopicAdmin }

const { kafkaBrokers } = inject('servers')

function openKafka(): Broker {
  const kafka = connectKafkajs({
    brokers: kafkaBrokers,
    clientId: 'refused',
    log: silentLogger,
    clock: systemClock,
  })
  onTestFinished(async () => {
    await kafka.publisher.close()
    await kafka.admin.close()
  })
  return kafka
}

const topics = () => topicsOf(store.namespace)
const record = (topic: string, key: string, value = key) => ({
  topic,
  key: 'one',
  headers: { ce_id: key },
  value: Buffer.from(value),
})
const topicConfig = (topic: string) =>
  topicConfigs(store.namespace, { partitions: 1 }).filter((each) => each.topic === topic)

/** Waits for a state, however long it takes within the time of the test. */
const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 25_000, interval: 20 })

/** What the topic holds, as it comes. */
async function readTopic({ source }: Broker, topic: string): Promise<string[]> {
  const values: string[] = []
  const consumer = await source.consume({
    topic,
    group: `${topic}.reader`,
    positionOf: async () => null,
    onBatch: async ({ records }) => {
      for (const each of records) values.push(String(each.headers.ce_id))
      return { kind: 'done' }
    },
  })
  onTestFinished(() => consumer.close())
  return values
}

async function startWith({ publisher }: Broker) {
  const scope = createScope('scheduler')
  onTestFinished(() => scope.close())
  const readiness = createReadiness()
  await startScheduler(scope, {
    store,
    queue: createMemoryQueue().queue,
    publisher,
    log: silentLogger,
    clock: systemClock,
    metrics: createMetrics('scheduler'),
    readiness,
    settings: { relaySweepMs: 20 },
  })
  return readiness
}

describe.each([
  ['the in-memory broker', createMemoryBroker, false],
  ['Kafka', openKafka, kafkaBrokers.length === 0],
] as const)('a topic that does not exist in %s', (_, open, cannotRun) => {
  it.skipIf(cannotRun)('keeps nothing but its own records waiting', async () => {
    const broker: Broker = open()
    const { messages, emitted } = topics()
    await broker.admin.ensureTopics(topicConfig(messages))
    const arrived = await readTopic(broker, messages)
    const readiness = await startWith(broker)
    await appendOutbox(store.db, [
      record(emitted, 'e1'),
      record(messages, 'm1'),
      record(emitted, 'e2'),
      record(messages, 'm2'),
    ])
    await until(async () =>
      expect(await readiness.report()).toMatchObject({ relay: true, topics: false }),
    )
    await until(async () => expect(arrived.slice(-2)).toEqual(['m1', 'm2']))
    await appendOutbox(store.db, [record(emitted, 'e3'), record(messages, 'm3')])
    await until(async () => expect(arrived.at(-1)).toBe('m3'))
    await until(async () => expect((await outboxBacklog(store.db)).count).toBe(3))
    const { waiting } = await readStatus(store.db)
    expect(waiting.filter(({ stage }) => stage === 'outbox')).toMatchObject([
      { topic: emitted, count: 3 },
    ])

    await broker.admin.ensureTopics(topicConfig(emitted))
    const late = await readTopic(broker, emitted)
    await until(async () => expect(late).toEqual(['e1', 'e2', 'e3']))
    await until(async () =>
      expect(await readiness.report()).toMatchObject({ relay: true, topics: true }),
    )
    await until(async () => expect((await outboxBacklog(store.db)).count).toBe(0))
  })
})

describe('the relay', () => {
  /** One pass after the other, on a clock that stands until it is moved. */
  function relay(broker = createMemoryBroker()) {
    const clock = manualClock()
    const readiness = createReadiness()
    const told: WegwijsError[] = []
    const metrics = createMetrics('scheduler').component('relay')
    const warn = ((_, fields) => told.push(fields?.error as WegwijsError)) as Logger['warn']
    const log = { ...silentLogger, warn } as Logger
    const refused = createRefusedTopics({ clock, log, metrics, readiness })
    const requests: string[][] = []
    const publisher: EventPublisher = {
      ...broker.publisher,
      publish: (records, options) => {
        requests.push(records.map(({ headers }) => String(headers.ce_id)))
        return broker.publisher.publish(records, options)
      },
    }
    const pass = createRelayPass({ store, publisher, clock, metrics, refused })
    const held = (topic: string) => broker.records(topic).map(({ headers }) => `${headers.ce_id}`)
    return { broker, clock, readiness, told, requests, refused, pass, held }
  }

  it('tries a refused topic with its oldest record, after pauses that grow, and says so each time', async () => {
    const { broker, clock, told, requests, pass, held } = relay()
    const { messages, emitted } = topics()
    await broker.admin.ensureTopics(topicConfig(messages))
    await appendOutbox(store.db, [record(emitted, 'e1'), record(emitted, 'e2')])
    await pass()
    expect(told).toMatchObject([
      {
        code: 'WEGWIJS_OUTBOX_STUCK',
        detail: { topic: emitted, code: 'WEGWIJS_TOPIC_UNKNOWN' },
      },
    ])
    const tries: number[] = []
    requests.splice(0)
    for (let second = 0; second < 60; second += 1) {
      await clock.advance(1_000)
      await appendOutbox(store.db, [record(messages, `m${second}`)])
      await pass()
      if (requests.some(([first]) => first === 'e1')) tries.push(second)
      requests.splice(0)
    }
    expect(tries).toEqual([0, 1, 3, 7, 15, 30, 45])
    expect(told).toHaveLength(1 + tries.length)
    expect(held(messages)).toHaveLength(60)
    await broker.admin.ensureTopics(topicConfig(emitted))
    await clock.advance(15_000)
    await pass()
    expect(requests).toEqual([['e1'], ['e2']])
  })

  it('sends what is before a record that is too large, once, and what is behind it when it fits', async () => {
    const { broker, clock, readiness, requests, pass, held } = relay()
    const { messages, emitted } = topics()
    const small = topicConfig(emitted).map((each) => ({
      ...each,
      settings: { ...each.settings, 'max.message.bytes': '20000' },
    }))
    await broker.admin.ensureTopics([...topicConfig(messages), ...small])
    const names = Array.from({ length: 40 }, (_, index) => `e${index}`)
    const rows = names.map((name) =>
      record(emitted, name, name === 'e29' ? 'x'.repeat(30_000) : name),
    )
    await appendOutbox(store.db, [...rows, record(messages, 'm1')])
    await pass()
    expect(held(emitted)).toEqual(names.slice(0, 29))
    expect(held(messages)).toEqual(['m1'])
    expect(await readiness.report()).toEqual({ topics: false })
    requests.splice(0)
    await clock.advance(15_000)
    await pass()
    await pass()
    expect(requests).toEqual([['e29']])
    expect((await outboxBacklog(store.db)).count).toBe(11)

    // Its limit is raised; of a topic in memory that makes another one.
    await broker.admin.removeTopics([emitted])
    await broker.admin.ensureTopics(topicConfig(emitted))
    await clock.advance(15_000)
    await pass()
    expect(held(emitted)).toEqual(names.slice(29))
    expect(await readiness.report()).toEqual({ topics: true })
    expect((await outboxBacklog(store.db)).count).toBe(0)
  })

  it('of another process may have carried what was refused here', async () => {
    const { broker, clock, readiness, pass } = relay()
    const { emitted } = topics()
    await appendOutbox(store.db, [record(emitted, 'e1')])
    await pass()
    expect(await readiness.report()).toEqual({ topics: false })
    await broker.admin.ensureTopics(topicConfig(emitted))
    await relay(broker).pass()
    await pass()
    expect(await readiness.report()).toEqual({ topics: false })
    await clock.advance(1_000)
    await pass()
    expect(await readiness.report()).toEqual({ topics: true })
  })

  it('takes a topic for refused whose pause ends while others are carried: nobody has tried it', async () => {
    const { broker, clock, readiness, told, requests, pass } = relay()
    const { messages, emitted } = topics()
    await broker.admin.ensureTopics(topicConfig(messages))
    await appendOutbox(store.db, [record(emitted, 'e1'), record(emitted, 'e2')])
    await pass()
    await appendOutbox(store.db, [record(messages, 'm1')])
    const { publish } = broker.publisher
    Object.assign(broker.publisher, {
      publish: async (...[records, options]: Parameters<EventPublisher['publish']>) => {
        await clock.advance(1_000)
        return publish(records, options)
      },
    })
    await pass()
    expect(await readiness.report()).toEqual({ topics: false })
    requests.splice(0)
    await pass()
    expect(requests).toEqual([['e1']])
    expect(told).toHaveLength(2)
  })

  it('keeps what Kafka has acknowledged when Kafka goes away before the rest', async () => {
    const { broker, pass, held } = relay()
    const { messages, emitted } = topics()
    await broker.admin.ensureTopics([...topicConfig(messages), ...topicConfig(emitted)])
    await appendOutbox(store.db, [record(messages, 'm1'), record(topics().deadLetters, 'd1')])
    await appendOutbox(store.db, [record(emitted, 'e1')])
    const { publish } = broker.publisher
    let calls = 0
    Object.assign(broker.publisher, {
      publish: (...[records, options]: Parameters<EventPublisher['publish']>) => {
        calls += 1
        // All together, then each topic on its own.
        if (calls === 4) broker.unavailable(true)
        return publish(records, options)
      },
    })
    await pass()
    expect(held(messages)).toEqual(['m1'])
    await expect(pass()).rejects.toMatchObject(
      fail('WEGWIJS_PUBLISH_DEADLINE', { deadlineMs: 10_000 }),
    )
    broker.unavailable(false)
    await pass()
    expect([held(messages), held(emitted)]).toEqual([['m1'], ['e1']])
  })
})
