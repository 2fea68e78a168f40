import { connect, createServer, type Server, type Socket } from 'node:net'
import { compileDefinition } from '@wegwijs/campaign/compile'
import { createMemoryBroker, type MemoryBroker } from '@wegwijs/kafka/memory'
import { systemClock } from '@wegwijs/runtime/clock'
import { createScope, type Scope } from '@wegwijs/runtime/lifecycle'
import { createLogger } from '@wegwijs/runtime/log'
import { createMetrics, type Metrics } from '@wegwijs/runtime/metrics'
import { createApiKey, type NewApiKey } from '@wegwijs/store/api-keys'
import { openStore, type Store } from '@wegwijs/store/database'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { smallHospital } from '@wegwijs/test-support/small-hospital'
import { decodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { Agent, request } from 'undici'
import { inject, vi } from 'vitest'
import type { Limits } from '../src/limits.ts'
import { type GatewayDeps, startGateway } from '../src/service.ts'

export const secret = 'a secret of at least thirty-two characters'
export const source = 'urn:test:ehr'
export const idSpace = 'ehr'

export type Answer = {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: an answer is looked into, not built upon.
  json: any
}

type Sending = { body?: string | Buffer | object; headers?: Record<string, string | string[]> }

/** One gateway on real HTTP and a real database, with Kafka in memory. */
export type Rig = {
  url: string
  store: Store
  broker: MemoryBroker
  scope: Scope
  metrics: Metrics
  /** A key of the EHR that may publish everything of its own. */
  key: string
  database: Wire
  makeKey(over?: Partial<NewApiKey>): Promise<string>
  call(method: 'GET' | 'POST', path: string, sending?: Sending): Promise<Answer>
  /** Posts events with the rig's key: one as a structured event, several as a batch. */
  send(events: object | readonly object[], over?: Sending): Promise<Answer>
  /** What the topic holds, decoded, in order of partition and offset. */
  published(): TouchpointEvent[]
  logged(): string
  close(): Promise<void>
}

export type RigOptions = {
  limits?: Partial<Limits>
  over?: Partial<GatewayDeps>
  /** False: no topics and no broker yet. */
  kafkaAway?: boolean
  databaseAway?: boolean
}

export async function openRig(options: RigOptions = {}): Promise<Rig> {
  const { databaseUrl } = inject('servers')
  const home = await openNamespace(databaseUrl, 'gateway')
  const database = await openWire(databaseUrl)
  if (options.databaseAway) database.cut()
  const store = openStore({
    databaseUrl: database.url,
    namespace: home.namespace,
    applicationName: 'gateway under test',
    onIdleError: () => {},
  })
  const broker = createMemoryBroker()
  const topics = topicsOf(home.namespace)
  await broker.admin.ensureTopics(topicConfigs(home.namespace, { partitions: 3 }))
  if (options.kafkaAway) broker.unavailable(true)
  const lines: string[] = []
  const metrics = createMetrics('gateway')
  const scope = createScope('gateway')
  const definition = compileDefinition(1, smallHospital([]), [])
  const { url } = await startGateway(scope, {
    store,
    publisher: broker.publisher,
    admin: broker.admin,
    definition: () => definition,
    secret,
    host: '127.0.0.1',
    port: 0,
    log: createLogger('gateway', 'debug', { write: (line) => lines.push(line) }),
    metrics,
    limits: { keyLifetimeMs: 0, retryAfterSeconds: 5, ...options.limits },
    ...options.over,
  })
  const agent = new Agent({ connections: 50 })
  const makeKey = async (over: Partial<NewApiKey> = {}) => {
    const { key } = await createApiKey(home.db, {
      label: 'test',
      idSpace,
      sources: [source],
      types: ['care.*', 'person.*', 'consent.*'],
      ...over,
    })
    return key
  }
  const key = await makeKey()
  const call: Rig['call'] = async (method, path, { body, headers = {} } = {}) => {
    const raw = typeof body === 'string' || Buffer.isBuffer(body)
    const answer = await request(`${url}${path}`, {
      method,
      headers,
      dispatcher: agent,
      ...(body !== undefined && { body: raw ? body : JSON.stringify(body) }),
    })
    const text = await answer.body.text()
    const isJson = /json/.test(String(answer.headers['content-type']))
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text,
      json: isJson ? JSON.parse(text) : null,
    }
  }
  return {
    url,
    store: home,
    broker,
    scope,
    metrics,
    key,
    database,
    makeKey,
    call,
    send: (events, over = {}) =>
      call('POST', '/v1/events', {
        body: events,
        ...over,
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': Array.isArray(events)
            ? 'application/cloudevents-batch+json'
            : 'application/cloudevents+json',
          ...over.headers,
        },
      }),
    published: () =>
      broker.records(topics.touchpoints).map((record) => {
        const decoded = decodeRecord(record)
        if (!decoded.event) throw new Error(`published what cannot be read`)
        return decoded.event
      }),
    logged: () => lines.join(''),
    close: async () => {
      await scope.close()
      await agent.destroy()
      await store.close()
      await database.close()
      await home.close()
    },
  }
}

/** Waits for a state, however long it takes within the time of the test. */
export const until = (check: () => Promise<void> | void) =>
  vi.waitFor(check, { timeout: 20_000, interval: 10 })

let count = 0

/** A valid event; what is given comes over it. */
export function event(over: Record<string, unknown> = {}): Record<string, unknown> {
  count += 1
  return {
    specversion: '1.0',
    id: `e-${count}`,
    source,
    type: 'care.discharge.completed.v1',
    subject: 'P-1',
    time: systemClock.instant(),
    data: { ward: 'B2' },
    ...over,
  }
}

export function withdrawal(over: Record<string, unknown> = {}): Record<string, unknown> {
  return event({
    type: 'consent.withdrawn.v1',
    data: { purpose: 'marketing', origin: 'person' },
    ...over,
  })
}

/** An instant so many minutes from now, by the machine's clock. */
export function inMinutes(minutes: number): string {
  return new Date(systemClock.epochMs() + minutes * 60_000).toISOString()
}

/** The line between a process and a server, that can be cut, or left open and silent. */
export type Wire = {
  url: string
  cut(): void
  hush(): void
  mend(): void
  close(): Promise<void>
}

async function openWire(databaseUrl: string): Promise<Wire> {
  const target = new URL(databaseUrl)
  const pairs = new Set<[Socket, Socket]>()
  let state: 'whole' | 'cut' | 'silent' = 'whole'
  const server: Server = createServer((near) => {
    if (state === 'cut') {
      near.resetAndDestroy()
      return
    }
    const far = connect(Number(target.port || 5432), target.hostname)
    const pair: [Socket, Socket] = [near, far]
    pairs.add(pair)
    for (const [one, other] of [pair, [far, near] as const]) {
      one.on('data', (chunk) => {
        if (state === 'whole') other.write(chunk)
      })
      one.on('error', () => {})
      one.on('close', () => {
        other.destroy()
        pairs.delete(pair)
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String(typeof address === 'object' && address ? address.port : '')
  const destroyAll = () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy()
  }
  return {
    url: url.href,
    cut: () => {
      state = 'cut'
      destroyAll()
    },
    hush: () => {
      state = 'silent'
    },
    mend: () => {
      // What was swallowed meanwhile is lost; those connections are of no more use.
      destroyAll()
      state = 'whole'
    },
    close: async () => {
      destroyAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
