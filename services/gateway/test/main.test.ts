import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { connectKafkajs } from '@wegwijs/kafka/kafkajs'
import { exitCodes } from '@wegwijs/runtime/failure'
import { silentLogger } from '@wegwijs/runtime/log'
import { createApiKey } from '@wegwijs/store/api-keys'
import { applyDefinition } from '@wegwijs/store/definitions'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { smallHospital } from '@wegwijs/test-support/small-hospital'
import { topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import { request } from 'undici'
import { afterEach, describe, expect, inject, test, vi } from 'vitest'
import { event, idSpace, secret, source } from './rig.ts'

// The process as it is deployed, on real Kafka.

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const servers = inject('servers')
const children: ChildProcess[] = []
const undo: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const close of undo.splice(0).reverse()) await close()
})

function start(environment: Record<string, string>) {
  const child = spawn(process.execPath, [main], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const lines: Record<string, unknown>[] = []
  let rest = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts.map((line) => JSON.parse(line)))
  })
  const line = (message: string) => lines.find((each) => each.message === message)
  return { child, lines, line, ended: once(child, 'close').then(([code]) => code as number) }
}

describe.skipIf(servers.kafkaBrokers.length === 0)('with Kafka and PostgreSQL', () => {
  test('waits for topics and a definition, takes events, and ends in order when told to', async () => {
    const store = await openNamespace(servers.databaseUrl, 'gateway_main')
    undo.push(store.close)
    const { namespace } = store
    const gateway = start({
      WEGWIJS_NAMESPACE: namespace,
      WEGWIJS_DATABASE_URL: servers.databaseUrl,
      WEGWIJS_KAFKA_BROKERS: servers.kafkaBrokers.join(','),
      WEGWIJS_SECRET: secret,
      WEGWIJS_GATEWAY_PORT: '0',
    })
    await vi.waitFor(() => expect(gateway.line('listens')).toBeDefined(), 20_000)
    const [api, health] = ['listens', 'tells its health'].map(
      (message) => `http://127.0.0.1:${gateway.line(message)?.port}`,
    )
    const statusOf = async (url: string, body?: object, key = '') => {
      const answer = await request(url, {
        method: body ? 'POST' : 'GET',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/cloudevents+json',
        },
        ...(body && { body: JSON.stringify(body) }),
      })
      const text = await answer.body.text()
      return [answer.statusCode, text] as const
    }
    expect((await statusOf(`${health}/readyz`))[0]).toBe(503)
    const { admin, close } = connectKafkajs({
      brokers: servers.kafkaBrokers,
      clientId: 'test',
      log: silentLogger,
    })
    undo.push(close)
    await admin.ensureTopics(topicConfigs(namespace, { partitions: 1 }))
    const { key } = await createApiKey(store.db, {
      label: 'test',
      idSpace,
      sources: [source],
      types: ['care.*'],
    })
    expect((await statusOf(`${api}/v1/events`, event(), key))[0]).toBe(503)
    expect((await statusOf(`${health}/readyz`))[0]).toBe(503)
    expect((await statusOf(`${health}/livez`))[0]).toBe(200)

    await applyDefinition(store, smallHospital([]), 'test')
    await vi.waitFor(async () => expect((await statusOf(`${health}/readyz`))[0]).toBe(200), 20_000)
    expect((await statusOf(`${api}/v1/events`, event(), key))[0]).toBe(202)
    expect((await statusOf(`${health}/metrics`))[1]).toMatch(/wegwijs_sent_total{[^}]*} 1/)

    const kafka = connectKafkajs({
      brokers: servers.kafkaBrokers,
      clientId: 'test',
      log: silentLogger,
    })
    undo.push(kafka.close)
    const ranges = await kafka.admin.endOffsets(topicsOf(namespace).touchpoints)
    expect(ranges.map(({ high }) => Number(high)).reduce((sum, high) => sum + high, 0)).toBe(1)

    gateway.child.kill('SIGTERM')
    expect(await gateway.ended).toBe(0)
    expect(gateway.line('closed')).toMatchObject({ exitCode: 0 })
  })
})

test('a configuration with faults: it says all of them and ends', async () => {
  const gateway = start({ WEGWIJS_GATEWAY_PORT: 'x', WEGWIJS_SECRET: 'short' })
  expect(await gateway.ended).toBe(exitCodes.configuration)
  const told = JSON.stringify(gateway.lines)
  for (const name of ['DATABASE_URL', 'KAFKA_BROKERS', 'SECRET', 'GATEWAY_PORT']) {
    expect(told).toContain(`WEGWIJS_${name}`)
  }
  expect(told).not.toContain('short')
})
