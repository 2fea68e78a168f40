import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectKafkajs } from '@wegwijs/kafka/kafkajs'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { silentLogger } from '@wegwijs/runtime/log'
import { startPrivate } from '@wegwijs/system-tests/private-servers'
import { until } from '@wegwijs/system-tests/until'
import { Kafka, logLevel } from 'kafkajs'
import { expect, inject, onTestFinished, test } from 'vitest'
import { type Match, startProxy } from './proxy.ts'

/** Keys of requests in Kafka's protocol. */
const JOIN_GROUP = 11
const HEARTBEAT = 12

/** After four bytes for its length a request begins with its key. */
function requestOf(key: number): Match {
  return (direction, bytes) => direction === 'toServer' && bytes.readInt16BE(4) === key
}

const cannotRun = inject('servers').kafkaBrokers.length === 0

// P1: what is published then would never be decided, by a service that says it is well.
test.skipIf(cannotRun)('a member whose way back into its group breaks off joins anew', async () => {
  const { servers, proxy, close } = await kafkaBehindProxy()
  onTestFinished(close)
  const group = newUuid()
  const topic = `topic-${group}`
  const kafka = connectKafkajs({
    brokers: servers,
    clientId: 'member',
    log: silentLogger,
    tuning: { sessionTimeoutMs: 1_000, heartbeatMs: 200, fetchWaitMs: 100 },
  })
  onTestFinished(kafka.close)
  await kafka.admin.ensureTopics([{ topic, partitions: 1, replicationFactor: 1, settings: {} }])
  const read: string[] = []
  const consumer = await kafka.source.consume({
    topic,
    group,
    positionOf: async () => (read.length === 0 ? null : { next: BigInt(read.length), last: null }),
    onBatch: async ({ records }) => {
      read.push(...records.map(({ value }) => String(value)))
      return { kind: 'done' }
    },
  })
  onTestFinished(consumer.close)
  const publish = (value: string) =>
    kafka.publisher.publish([{ topic, key: 'a', value: Buffer.from(value), headers: {} }], {
      deadlineMs: 30_000,
    })
  await publish('before')
  await until('the first record is read', () => read.length === 1)

  const heartbeat = await proxy.holdWhen(requestOf(HEARTBEAT))
  await untilExpelled(servers, group)
  const joining = proxy.holdWhen(requestOf(JOIN_GROUP))
  heartbeat.release()
  ;(await joining).discard()

  await publish('after')
  await until('the second record is read', () => read.length === 2)
  expect(read).toEqual(['before', 'after'])
})

async function kafkaBehindProxy() {
  const folder = await mkdtemp(join(tmpdir(), 'wegwijs-member-'))
  const server = await startPrivate('kafka', folder)
  const { port, proxyPort } = server.behind
  if (proxyPort === undefined) throw new RangeError('Kafka has no door')
  const proxy = await startProxy({ target: { host: '127.0.0.1', port }, port: proxyPort })
  const close = async () => {
    await proxy.close()
    await server.goAway()
    await rm(folder, { recursive: true, force: true })
  }
  return { servers: [proxy.address], proxy, close }
}

async function untilExpelled(brokers: string[], groupId: string): Promise<void> {
  const admin = new Kafka({ brokers, clientId: 'other', logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const membersOf = async () => (await admin.describeGroups([groupId])).groups[0]?.members.length
    await until('the group has expelled it', membersOf, (count) => count === 0)
  } finally {
    await admin.disconnect()
  }
}
