import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { type Pipe, type PipeOptions, startPipe } from '@wegwijs/demo/pipe'
import { taskWordOf } from '@wegwijs/dry-run/outcome-model'
import { createMemoryBroker, type MemoryBroker } from '@wegwijs/kafka/memory'
import { createMemoryQueue, type MemoryQueue } from '@wegwijs/queue/memory'
import { rehearse } from '@wegwijs/rehearsal/conductor'
import { systemClock } from '@wegwijs/runtime/clock'
import { createScope } from '@wegwijs/runtime/lifecycle'
import { createLogger } from '@wegwijs/runtime/log'
import { type AcceptedEmail, type AcceptedSms, fileNames } from '@wegwijs/sandbox/accepted'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { checkLedger } from '@wegwijs/store/ledger'
import { positionOf } from '@wegwijs/store/positions'
import { emptyNamespace, openNamespace } from '@wegwijs/test-support/namespace'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { isUrgent, topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { request } from 'undici'
import { expect, inject, vi } from 'vitest'

export const secret = 'a secret of the tests, long enough to be one'

/** Waits for a state, however long it takes within the time of a test. */
export function until(state: () => Promise<void> | void): Promise<void> {
  return vi.waitFor(state, { timeout: 30_000, interval: 10 })
}

/** A namespace in which nothing has happened yet, with a definition and business time that stands. */
export type Ground = {
  store: Store
  /** Forgets everything but the tables; business time stands at `begins` again. */
  clear(): Promise<void>
}

export async function openGround(bundle: DefinitionBundle, begins: string): Promise<Ground> {
  const store = await openNamespace(inject('servers').databaseUrl, 'flow')
  const lay = async () => {
    await stepBusinessTime(store.db, begins)
    await applyDefinition(store, bundle, 'test')
  }
  await lay()
  const clear = async () => {
    await emptyNamespace(store)
    await lay()
  }
  return { store, clear }
}

export type FlowOptions = Pick<PipeOptions, 'channels' | 'storeOf' | 'settings'> & {
  store: Store
  /** Another flow's, to be a second set of services on the same ground. */
  broker?: MemoryBroker
  queue?: MemoryQueue
  /** What the services are given instead of the queue itself. */
  queueAs?: (queue: MemoryQueue) => PipeOptions['queue']
}

type Sending = { method?: 'GET' | 'POST'; headers?: Record<string, string>; body?: string | Buffer }
// biome-ignore lint/suspicious/noExplicitAny: an answer is looked into, not built upon.
export type Answer = { status: number; headers: Record<string, unknown>; text: string; json: any }

/** Every service of Wegwijs, running on one ground, with what a test looks at and meddles with. */
export type Flow = {
  store: Store
  broker: MemoryBroker
  queue: MemoryQueue
  pipe: Pipe
  /** Publishes as a publisher on Kafka would, and waits until every record has been read. */
  publish(...events: readonly TouchpointEvent[]): Promise<void>
  /** Until the journey has read every record of both topics. */
  read(): Promise<void>
  /** Calls the gateway over its own port. */
  call(path: string, sending: Sending): Promise<Answer>
  /** Rehearses until nothing is left to happen, stopping at every moment, or at every step. */
  play(events: readonly TouchpointEvent[], step?: string): Promise<void>
  /** What the sandbox's SMTP server accepted, in its own words. */
  emails(): Promise<AcceptedEmail[]>
  sms(): Promise<AcceptedSms[]>
  /** Every line that a service has written. */
  logged(): string
  close(): Promise<void>
}

/** Waits no longer than a test can tell from a failure, and looks as often as a sweep would. */
export const brisk = {
  scheduler: {
    releaseSweepMs: 50,
    repairSweepMs: 50,
    relaySweepMs: 50,
    lostJobAgeMs: 20,
    leaseGraceMs: 0,
  },
} as const

export async function openFlow(options: FlowOptions): Promise<Flow> {
  const { store, broker = createMemoryBroker(), queue = createMemoryQueue() } = options
  await broker.admin.ensureTopics(topicConfigs(store.namespace, { partitions: 3 }))
  const directory = await mkdtemp(join(tmpdir(), 'wegwijs-flow-'))
  const lines: string[] = []
  const scope = createScope('flow')
  scope.onClose('sandbox files', () => rm(directory, { recursive: true }))
  const given = { channels: options.channels, storeOf: options.storeOf }
  const pipe = await startPipe(scope, {
    store,
    broker,
    queue: options.queueAs?.(queue) ?? queue,
    sandboxDirectory: directory,
    secret,
    log: (service) => createLogger(service, 'debug', { write: (line) => lines.push(line) }),
    // Bounced or silent messages are a story of their own.
    settings: { sandbox: { rates: { bounced: 0, none: 0 } }, ...options.settings },
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  })
  const accepted = async <Line>(name: string): Promise<Line[]> => {
    const text = await readFile(join(directory, name), 'utf8')
    return text
      .trimEnd()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  }
  const read = async () => {
    const { touchpoints, urgent } = topicsOf(store.namespace)
    for (const topic of [urgent, touchpoints]) {
      for (const { partition, high } of await broker.admin.endOffsets(topic)) {
        if (high === 0n) continue
        await until(async () =>
          expect(await positionOf(store.db, topic, partition)).toBeGreaterThanOrEqual(high),
        )
      }
    }
  }
  return {
    store,
    broker,
    queue,
    pipe,
    read,
    publish: async (...events) => {
      const topics = topicsOf(store.namespace)
      const records = events.map((event) => ({
        topic: isUrgent(event.type) ? topics.urgent : topics.touchpoints,
        ...encodeRecord(event),
      }))
      await broker.publisher.publish(records, { deadlineMs: 5_000 })
      await read()
    },
    call: async (path, { method = 'POST', headers = {}, body }) => {
      const answer = await request(`${pipe.gatewayUrl}${path}`, {
        method,
        headers,
        ...(body !== undefined && { body }),
      })
      const text = await answer.body.text()
      const json = /json/.test(String(answer.headers['content-type'])) ? JSON.parse(text) : null
      return { status: answer.statusCode, headers: answer.headers, text, json }
    },
    play: async (events, step = 'PT0S') => {
      const rates = options.settings?.sandbox?.rates
      await rehearse({
        events,
        step,
        store,
        publisher: broker.publisher,
        admin: broker.admin,
        sandboxStatus: async () => {
          const { receiptsPending, underWay } = pipe.sandbox.status()
          return { pending: receiptsPending + underWay }
        },
        ...(rates?.done && {
          teams: async () => ({ secret, wordOf: (task) => taskWordOf(task, rates) }),
        }),
        signal: scope.signal,
        stallMs: 30_000,
      })
    },
    emails: () => accepted<AcceptedEmail>(fileNames.email),
    sms: () => accepted<AcceptedSms>(fileNames.sms),
    logged: () => lines.join(''),
    close: async () => {
      await scope.close()
      expect(scope.failures).toEqual([])
    },
  }
}

/** P1, P2, P4 on the whole namespace, by the same check that operations run. */
export async function expectLedgerHolds({ store, broker, queue }: Flow): Promise<void> {
  const rules = await checkLedger(
    store,
    {
      endOffsets: broker.admin.endOffsets,
      queue: queue.queue,
      sleep: (ms) => systemClock.sleep(ms),
    },
    { sweepSeconds: 30 },
  )
  expect(rules.filter((rule) => rule.broken > 0)).toEqual([])
}
