import { createMemoryBroker, type MemoryBroker } from '@wegwijs/kafka/memory'
import { createMemoryQueue, type MemoryQueue } from '@wegwijs/queue/memory'
import type { DeliveryJob, JobQueue } from '@wegwijs/queue/port'
import { systemClock } from '@wegwijs/runtime/clock'
import { createReadiness } from '@wegwijs/runtime/health'
import { createScope, type Scope } from '@wegwijs/runtime/lifecycle'
import { silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { appendOutbox } from '@wegwijs/store/outbox'
import { releaseDue } from '@wegwijs/store/release'
import { liftOperation, stopOperation } from '@wegwijs/store/stops'
import { wake } from '@wegwijs/store/wake'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { later, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { queueNames } from '@wegwijs/wire/delivery-job'
import { topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { type SchedulerSettings, startScheduler } from '../src/service.ts'

let store: Store
let queue: MemoryQueue
let broker: MemoryBroker
let scopes: Scope[]

beforeEach(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'scheduler')
  queue = createMemoryQueue()
  broker = createMemoryBroker()
  await broker.admin.ensureTopics(topicConfigs(store.namespace, { partitions: 3 }))
  scopes = []
})

afterEach(async () => {
  for (const scope of scopes) await scope.close()
  await store.close()
})

/** Sweeps so rarely that a test without a wake-up would time out. */
const never = { releaseSweepMs: 3_600_000, relaySweepMs: 3_600_000, repairSweepMs: 3_600_000 }
const often = { releaseSweepMs: 20, relaySweepMs: 20, repairSweepMs: 20, lostJobAgeMs: 0 }

async function start(settings: Partial<SchedulerSettings> = {}, jobs: JobQueue = queue.queue) {
  const scope = createScope('scheduler')
  scopes.push(scope)
  const readiness = createReadiness()
  const metrics = createMetrics('scheduler')
  await startScheduler(scope, {
    store,
    queue: jobs,
    publisher: broker.publisher,
    log: silentLogger,
    clock: systemClock,
    metrics,
    readiness,
    settings,
  })
  return { scope, readiness, metrics }
}

async function heldJobs(): Promise<DeliveryJob[]> {
  const jobs: DeliveryJob[] = []
  for (const name of queueNames())
    for await (const job of queue.queue.heldJobs(name)) jobs.push(job)
  return jobs
}

const heldIntents = async () => (await heldJobs()).flatMap((job) => job.intents)

/** Waits for a state, however long it takes within the time of the test. */
const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 15_000, interval: 10 })

async function countStates(): Promise<Record<string, number>> {
  const rows = await store.db
    .selectFrom('intent')
    .select(['state', ({ fn }) => fn.countAll().as('count')])
    .groupBy('state')
    .execute()
  return Object.fromEntries(rows.map((row) => [row.state, Number(row.count)]))
}

describe('release', () => {
  it('is woken by new messages', async () => {
    await start(never)
    const seeded = await seedMessages(store, 3)
    await wake(store.db, store.namespace, ['intents'])
    await until(async () =>
      expect((await heldIntents()).toSorted()).toEqual(
        seeded.map((each) => each.intentId).toSorted(),
      ),
    )
  })

  it('is woken by a step of business time', async () => {
    await stepBusinessTime(store.db, '2026-03-02T09:00:00.000Z')
    await seedMessages(store, 3, { intent: { due_at: '2026-03-03T09:00:00Z' } })
    await start(never)
    expect(await heldIntents()).toEqual([])
    await stepBusinessTime(store.db, '2026-03-03T09:00:00.000Z')
    await wake(store.db, store.namespace, ['clock'])
    await until(async () => expect(await heldIntents()).toHaveLength(3))
  })

  it('finds by itself what nobody told of', async () => {
    await start(often)
    await seedMessages(store, 3, { intent: { due_at: later(new Date().toISOString(), 0.2) } })
    await until(async () => expect(await heldIntents()).toHaveLength(3))
  })

  it('by several schedulers gives each message to one job', async () => {
    await seedMessages(store, 1_000)
    await Promise.all([start(often), start(often), start(often)])
    await until(async () => expect(await countStates()).toEqual({ queued: 1_000 }))
    await until(async () => expect(await heldIntents()).toHaveLength(1_000))
    expect(new Set(await heldIntents()).size).toBe(1_000)
  })

  it('of what is transactional waits for no pass of bulk', async () => {
    const bulk = Promise.withResolvers<void>()
    const add: JobQueue['add'] = async (name, jobs) => {
      if (name.endsWith('.bulk')) await bulk.promise
      return queue.queue.add(name, jobs)
    }
    await seedMessages(store, 10, { intent: { lane: 'bulk' } })
    await start(often, { ...queue.queue, add })
    await until(async () => expect(await countStates()).toEqual({ queued: 10 }))
    const [urgent] = await seedMessages(store, 1)
    await until(async () => expect(await heldIntents()).toEqual([urgent?.intentId]))
    bulk.resolve()
    await until(async () => expect(await heldIntents()).toHaveLength(11))
  })

  it('holds back while Redis is away, says so, and goes on by itself', async () => {
    queue.unavailable(true)
    const { readiness } = await start({ ...often, releaseBatch: 10 })
    await seedMessages(store, 50)
    await until(async () =>
      expect(await readiness.report()).toMatchObject({ 'urgent release': false }),
    )
    expect(await countStates()).toEqual({ planned: 40, queued: 10 })
    queue.unavailable(false)
    await until(async () => expect(await heldIntents()).toHaveLength(50))
    await until(async () => expect(await readiness.report()).toMatchObject({ release: true }))
  })
})

describe('what the queue has lost', () => {
  it('is added again after a crash between commit and add', async () => {
    await seedMessages(store, 60)
    const released = await releaseDue(store, { perQueue: 100, batch: 100 })
    expect(await heldJobs()).toEqual([])
    await start(often)
    await until(async () => expect(await heldIntents()).toHaveLength(60))
    const ids = (jobs: readonly { jobId: string }[]) => jobs.map((job) => job.jobId).toSorted()
    expect(ids(await heldJobs())).toEqual(ids(released))
  })

  it('is added again when Redis was wiped with five thousand queued', async () => {
    await seedMessages(store, 2_500)
    await seedMessages(store, 2_500, { intent: { lane: 'bulk' } })
    await start(often)
    await until(async () => expect(await heldIntents()).toHaveLength(5_000))
    queue.wipe()
    await until(async () => expect(await heldIntents()).toHaveLength(5_000))
    expect(new Set(await heldIntents()).size).toBe(5_000)
    expect(await countStates()).toEqual({ queued: 5_000 })
  })

  it('comes back without what was withdrawn meanwhile', async () => {
    const [gone, kept] = await seedMessages(store, 2)
    await releaseDue(store, { perQueue: 100, batch: 100 })
    await store.db
      .updateTable('intent')
      .set({ state: 'cancelled' })
      .where('intent_id', '=', gone?.intentId ?? '')
      .execute()
    await start(often)
    await until(async () => expect(await heldIntents()).toEqual([kept?.intentId]))
  })
})

describe('a worker that never came back', () => {
  it('is given up when its lease has passed', async () => {
    const [ids] = await seedMessages(store, 1, {
      intent: { state: 'sending', fence: 1, attempts: 1, lease_until: '2026-01-01T00:00:00Z' },
    })
    await start({ ...often, leaseGraceMs: 0 })
    await until(async () => expect(await countStates()).toEqual({ held: 1 }))
    await until(async () =>
      expect(broker.records(topicsOf(store.namespace).messages)).toMatchObject([
        { key: Buffer.from(ids?.personId ?? '') },
      ]),
    )
  })
})

describe('an operational stop that is lifted', () => {
  it('lets go at once of what it held back', async () => {
    const stop = { scope: 'campaign', target: 'seeded' } as const
    const words = { reason: 'test', source: 'test' }
    await stopOperation(store.db, stop, words)
    await seedMessages(store, 5, {
      intent: { reason: 'campaign_stopped', due_at: later(new Date().toISOString(), 600) },
    })
    await start(often)
    await until(async () => expect(await countStates()).toEqual({ planned: 5 }))
    await liftOperation(store.db, stop, words)
    await until(async () => expect(await heldIntents()).toHaveLength(5))
  })

  it('lets go at once even when nobody was there, and another one stands', async () => {
    const stop = { scope: 'campaign', target: 'seeded' } as const
    const words = { reason: 'test', source: 'test' }
    const due_at = later(new Date().toISOString(), 600)
    await stopOperation(store.db, { scope: 'channel', target: 'sms' }, words)
    await stopOperation(store.db, stop, words)
    const held = await seedMessages(store, 2, { intent: { reason: 'campaign_stopped', due_at } })
    await seedMessages(store, 1, {
      intent: { reason: 'channel_stopped', channels: ['sms'], due_at },
    })
    await liftOperation(store.db, stop, words)
    await start(often)
    await until(async () => expect(await countStates()).toEqual({ planned: 1, queued: 2 }))
    expect((await heldIntents()).sort()).toEqual(held.map(({ intentId }) => intentId).sort())
  })

  it('lets go at once even when it came and went between two looks', async () => {
    const stop = { scope: 'campaign', target: 'seeded' } as const
    const words = { reason: 'test', source: 'test' }
    await start({ ...often, repairSweepMs: 500 })
    await seedMessages(store, 5, {
      intent: { reason: 'campaign_stopped', due_at: later(new Date().toISOString(), 600) },
    })
    await stopOperation(store.db, stop, words)
    await liftOperation(store.db, stop, words)
    await until(async () => expect(await heldIntents()).toHaveLength(5))
  })
})

describe('a definition that allows more', () => {
  it('lets go at once of what the one before had put off', async () => {
    await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
    const anHourAgo = later(new Date().toISOString(), -3_600)
    await store.db.updateTable('definition').set({ applied_at: anHourAgo }).execute()
    await seedMessages(store, 5, {
      intent: { reason: 'budget_used', due_at: later(new Date().toISOString(), 600) },
    })
    await start(often)
    await until(async () => expect(await countStates()).toEqual({ planned: 5 }))
    await applyDefinition(store, smallHospital([campaign({ id: 'another' })]), 'test')
    await until(async () => expect(await heldIntents()).toHaveLength(5))
  })
})

describe('the outbox', () => {
  const record = (key: string) => ({
    topic: topicsOf(store.namespace).messages,
    key: 'one',
    headers: { ce_id: key },
    value: Buffer.from(key),
  })
  const published = () =>
    broker.records(topicsOf(store.namespace).messages).map((each) => each.value?.toString())

  it('is carried to Kafka in its order when woken', async () => {
    await start(never)
    const keys = Array.from({ length: 1_200 }, (_, index) => String(index))
    await appendOutbox(store.db, keys.map(record))
    await wake(store.db, store.namespace, ['outbox'])
    await until(async () => expect(published()).toEqual(keys))
  })

  it('waits while Kafka is away, and nothing else does', async () => {
    broker.unavailable(true)
    const { readiness } = await start(often)
    await appendOutbox(store.db, [record('a')])
    await until(async () => expect(await readiness.report()).toMatchObject({ relay: false }))
    await seedMessages(store, 3)
    await until(async () => expect(await heldIntents()).toHaveLength(3))
    await appendOutbox(store.db, [record('b')])
    broker.unavailable(false)
    await until(async () => expect(published()).toEqual(['a', 'b']))
    await until(async () => expect(await readiness.report()).toMatchObject({ relay: true }))
  })

  it('is published again, never lost, when the acknowledgement was', async () => {
    broker.loseNextAnswer()
    await start(often)
    await appendOutbox(store.db, [record('a')])
    await until(async () => expect(published()).toEqual(['a', 'a']))
  })

  it('is carried once by several schedulers', async () => {
    await Promise.all([start(often), start(often)])
    const keys = Array.from({ length: 600 }, (_, index) => String(index))
    await appendOutbox(store.db, keys.map(record))
    await until(async () => expect(published()).toEqual(keys))
  })
})

describe('the scheduler', () => {
  it('shows what waits, and for how long', async () => {
    const { metrics, readiness } = await start(never)
    // What it looks for when it starts, it does not find any more.
    await until(async () =>
      expect(await readiness.report()).toMatchObject({ 'urgent release': true, release: true }),
    )
    queue.unavailable(true)
    await seedMessages(store, 1, { intent: { due_at: later(new Date().toISOString(), -90) } })
    expect(await metrics.text()).toMatch(
      /wegwijs_oldest_due_seconds\{lane="transactional",service="scheduler"\} (9\d|1\d\d)/,
    )
    queue.unavailable(false)
    await wake(store.db, store.namespace, ['intents'])
    await until(async () =>
      expect(await metrics.text()).toContain(
        'wegwijs_queue_jobs{queue="deliver.email.transactional",state="waiting",service="scheduler"} 1',
      ),
    )
    expect(await metrics.text()).toContain(
      'wegwijs_sent_total{component="release",service="scheduler"} 1',
    )
  })

  it('goes on while nobody of its version reads what is in force', async () => {
    const newer = { bundle: '{"policies":{}}', hash: 'newer', applied_by: 'a newer Wegwijs' }
    await store.db.insertInto('definition').values(newer).execute()
    const { scope, readiness } = await start(often)
    await until(async () => expect(await readiness.report()).toMatchObject({ upkeep: true }))
    const [message] = await seedMessages(store, 1)
    await until(async () => expect(await heldIntents()).toEqual([message?.intentId]))
    expect(scope.signal.aborted).toBe(false)
  })

  it('closes, and leaves nothing running', async () => {
    const { scope } = await start(often)
    await scope.close()
    expect(scope.failures).toEqual([])
    await seedMessages(store, 1)
    expect(await heldIntents()).toEqual([])
  })
})
