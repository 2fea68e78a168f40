import type { AttemptOutcome } from '@wegwijs/campaign/delivery'
import type { Channel } from '@wegwijs/channels/port'
import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import { createReadiness } from '@wegwijs/runtime/health'
import { silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { sweepLeases } from '@wegwijs/store/leases'
import { queuedJobs, releaseDue } from '@wegwijs/store/release'
import { createRenderer } from '@wegwijs/template/render'
import { type CrashingStore, crashBefore, loseAnswer } from '@wegwijs/test-support/crash'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { Lane } from '../src/lane.ts'
import { ProviderPace } from '../src/provider-pace.ts'
import { createRehearsalGuard } from '../src/rehearsal-guard.ts'
import { SendDeadlines } from '../src/send-deadlines.ts'
import { createCurrentRules } from '../src/sending-rules.ts'
import { createSettlements } from '../src/settlements.ts'
import { createTemplateShelf } from '../src/template-shelf.ts'
import { intentOf, type ScriptedChannel, scriptedChannel } from './delivery-harness.ts'

let store: Store

beforeEach(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'crash')
  await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
})

afterEach(() => store.close())

const never = new AbortController().signal
const leaseMs = 60_000

function laneOf(at: Store, channel: Channel, clock: Clock = systemClock, afterClaim = () => {}) {
  const metrics = createMetrics('test')
  const patience = { clock, log: silentLogger, readiness: createReadiness(), signal: never }
  const shelf = createTemplateShelf(at, silentLogger)
  const shape = { concurrency: 10, leavesRoom: false }
  return new Lane(channel, shape, {
    ...patience,
    store: at,
    rules: createCurrentRules(at),
    guard: createRehearsalGuard(),
    leaseMs,
    deadlines: new SendDeadlines(clock, 30_000),
    renderer: createRenderer(),
    answerLinks: { publicUrl: 'https://hospital.example.org', secret: 'of no matter here' },
    settlements: createSettlements(at, {
      ...patience,
      secret: 'a secret of the tests, long enough to be one',
      gather: { outcomesMs: 0, wakesMs: 0 },
      metrics: metrics.component('settle'),
    }),
    metrics: metrics.component('claim'),
    sends: metrics.component('send'),
    onFatal: () => {},
    pace: new ProviderPace(channel.provider, patience),
    templates: {
      take: async (references) => {
        afterClaim()
        return shelf.take(references)
      },
    },
  })
}

/** By a worker that stands still for the lease between its claim and its send. */
async function expectNothingSent(clock: Clock, standStill: () => void): Promise<void> {
  const channel = scriptedChannel('email')
  const [ids] = await seedMessages(store, 1)
  const [job] = await releaseDue(store, { perQueue: 10, batch: 10 })
  if (!ids || !job) throw new Error('no job')
  await laneOf(store, channel, clock, standStill).handle(job, never)
  expect(channel.messages).toEqual([])
  expect(await intentOf(store, ids.intentId)).toMatchObject({ state: 'planned', attempts: 0 })
}

/** What scheduler and worker do with what is due, in a process that may die in between. */
async function deliver(at: Store, channel: Channel): Promise<void> {
  const jobs = await releaseDue(at, { perQueue: 1_000, batch: 100 })
  for (const job of jobs) await laneOf(at, channel).handle(job, never)
}

/** A channel of a process: once that is dead it reaches nobody and hears nothing. */
function ofProcess(channel: ScriptedChannel, process: CrashingStore): Channel {
  return {
    ...channel,
    send: (message, signal) =>
      process.crashed() ? new Promise(() => {}) : channel.send(message, signal),
  }
}

/** What the schedulers of a system that goes on do about a dead worker, its lease having passed. */
async function repair(channel: Channel): Promise<void> {
  await store.db
    .updateTable('intent')
    .set({ lease_until: '2026-01-01T00:00:00Z' })
    .where('state', '=', 'sending')
    .execute()
  await sweepLeases(store, { limit: 100, graceMs: 0 })
  const { jobs } = await queuedJobs(store.db, { after: null, limit: 100, minAgeMs: 0 })
  for (const job of jobs) await laneOf(store, channel).handle(job, never)
  await deliver(store, channel)
}

/** Statements of one delivery of three messages, from release to settlement. */
async function countStatements(): Promise<number> {
  const counting = crashBefore(store, Number.POSITIVE_INFINITY)
  await seedMessages(store, 3)
  await deliver(counting, scriptedChannel('email'))
  return counting.statements()
}

describe('a process that is killed before any of its statements', () => {
  it('loses nothing and sends nothing twice', async () => {
    const total = await countStatements()
    expect(total).toBeGreaterThanOrEqual(6)
    for (let at = 1; at <= total + 1; at += 1) {
      const process = crashBefore(store, at)
      const channel = scriptedChannel('email')
      const seeded = await seedMessages(store, 3)
      await Promise.race([
        deliver(process, ofProcess(channel, process)).catch(() => {}),
        // What waits for the answer of a provider when its process dies waits for ever.
        untilDead(process),
      ])
      await repair(channel)
      for (const { intentId } of seeded) {
        const { state } = await intentOf(store, intentId)
        const times = channel.messages.filter((each) => each.intentId === intentId).length
        // At most once: sent and known, or handed over (or not) and held for a person.
        expect([at, state, times]).toSatisfy(
          () => (state === 'sent' && times === 1) || (state === 'held' && times <= 1),
        )
      }
    }
  })
})

async function untilDead(process: CrashingStore): Promise<void> {
  while (!process.crashed()) await new Promise((resolve) => setTimeout(resolve, 1))
  // What its event loop still had in hand when it was killed.
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('a process whose connection breaks after a commit', () => {
  it.each([
    ['claim', 1],
    ['settlement', 2],
    ['second claim', 3],
  ])('of the %s sends once, and knows it', async (_, at) => {
    const channel = scriptedChannel('email')
    const broken = loseAnswer(store, at)
    const lane = laneOf(broken, channel)
    const seeded = await seedMessages(store, 3)
    for (let round = 0; round < 3; round += 1) {
      for (const job of await releaseDue(store, { perQueue: 10, batch: round === 0 ? 2 : 10 })) {
        await lane.handle(job, never)
      }
    }
    for (const { intentId } of seeded) {
      expect(await intentOf(store, intentId)).toMatchObject({ state: 'sent' })
      expect(channel.messages.filter((each) => each.intentId === intentId)).toHaveLength(1)
      const attempts = await store.db
        .selectFrom('attempt')
        .select('outcome')
        .where('intent_id', '=', intentId)
        .where('outcome', '=', 'accepted')
        .execute()
      expect(attempts).toHaveLength(1)
    }
  })
})

describe('a job that is handed out twice at the same time', () => {
  it('is sent once', async () => {
    const channel = scriptedChannel('email')
    const lane = laneOf(store, channel)
    await seedMessages(store, 3)
    const [job] = await releaseDue(store, { perQueue: 10, batch: 10 })
    if (!job) throw new Error('no job')
    await Promise.all([lane.handle(job, never), lane.handle(job, never)])
    expect(channel.messages).toHaveLength(3)
  })
})

describe('a process that is stopped and goes on later', () => {
  it('sends nothing when its lease has passed between claim and send (P3)', async () => {
    let standstillMs = 0
    const clock: Clock = {
      ...systemClock,
      monotonicMs: () => systemClock.monotonicMs() + standstillMs,
    }
    await expectNothingSent(clock, () => {
      standstillMs = leaseMs
    })
  })

  it('sends nothing when its machine was suspended for that long, and only the wall clock knows (P3)', async () => {
    let suspendedMs = 0
    const clock: Clock = {
      ...systemClock,
      epochMs: () => systemClock.epochMs() + suspendedMs,
    }
    await expectNothingSent(clock, () => {
      suspendedMs = leaseMs
    })
  })

  it.each([
    ['at-least-once', 'planned'],
    ['at-most-once', 'held'],
  ])(
    'is heard when it comes back with an answer after its lease (P2): %s',
    async (unknown_outcome, meanwhile) => {
      const gate = Promise.withResolvers<void>()
      const channel = scriptedChannel('email', async () => {
        await gate.promise
        return { kind: 'accepted' }
      })
      const [ids] = await seedMessages(store, 1, { intent: { unknown_outcome } })
      const [job] = await releaseDue(store, { perQueue: 10, batch: 10 })
      if (!ids || !job) throw new Error('no job')
      const handling = laneOf(store, channel).handle(job, never)
      while (channel.messages.length === 0) await new Promise((resolve) => setImmediate(resolve))
      await store.db.updateTable('intent').set({ lease_until: '2026-01-01T00:00:00Z' }).execute()
      await sweepLeases(store, { limit: 10, graceMs: 0 })
      expect(await intentOf(store, ids.intentId)).toMatchObject({ state: meanwhile, fence: 2 })
      gate.resolve()
      await handling
      expect(await intentOf(store, ids.intentId)).toMatchObject({
        state: 'sent',
        duplicate: false,
        fence: 2,
      })
      await store.db.updateTable('intent').set({ due_at: '2026-01-01T00:00:00Z' }).execute()
      await repair(channel)
      expect(channel.messages).toHaveLength(1)
      const attempts = await store.db
        .selectFrom('attempt')
        .select(['outcome', 'fence'])
        .orderBy('recorded_at')
        .execute()
      const outcomes: AttemptOutcome['kind'][] = ['unknown', 'accepted']
      expect(attempts).toEqual(outcomes.map((outcome) => ({ outcome, fence: 1 })))
    },
  )
})
