import { createMemoryBroker } from '@wegwijs/kafka/memory'
import { systemClock } from '@wegwijs/runtime/clock'
import { createReadiness } from '@wegwijs/runtime/health'
import { createScope, type Scope } from '@wegwijs/runtime/lifecycle'
import { silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { positionOf } from '@wegwijs/store/positions'
import { wake } from '@wegwijs/store/wake'
import { type Death, deathsIn, openMortalStore } from '@wegwijs/test-support/mortal-store'
import { emptyNamespace, openNamespace } from '@wegwijs/test-support/namespace'
import { pictureOf } from '@wegwijs/test-support/picture'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { startJourney } from '../src/service.ts'

const start = '2026-03-02T09:00:00.000Z'
const dueLater = '2026-03-03T09:00:00.000Z'
const secret = 'a secret of the tests, long enough to be one'

const definition = smallHospital([
  campaign({
    id: 'aftercare',
    steps: [message('hello'), { wait: { for: 'P1D', on: 'any-day' } }, message('later')],
  }),
  campaign({
    id: 'reminder',
    journey: 'operation',
    entry: 'once-per-entity',
    trigger: { touchpoint: 'care.appointment.booked.v1' },
    steps: [
      message('hello', { send: { until: 'entity.startsAt', offset: '-P1D', on: 'any-day' } }),
    ],
  }),
])

const booking = (version: number, startsAt: string) => ({
  entity: 'appointment/A-1',
  version,
  data: { startsAt },
})
const happenings = [
  {
    type: 'person.upserted.v1',
    subject: 'p1',
    data: { givenName: 'Test', contacts: { email: 'a@example.org' } },
  },
  { type: 'care.discharge.completed.v1', subject: 'p1', data: {} },
  { type: 'care.discharge.completed.v1', subject: 'p2', data: {} },
  { type: 'care.unknown.v1', subject: 'p1', data: {} },
  { type: 'care.appointment.booked.v1', subject: 'p1', ...booking(1, '2026-03-14T08:30:00.000Z') },
  { type: 'care.appointment.moved.v1', subject: 'p1', ...booking(2, '2026-03-20T08:30:00.000Z') },
  { type: 'person.merged.v1', subject: 'p1', data: { idSpace: 'ehr', externalId: 'p3' } },
  { type: 'person.deceased.v1', subject: 'p2', data: {} },
]

type Life = { store: Store; steps: number }

/** Lets everything happen; the first worker dies as told, a second one finishes. */
async function live(
  store: Store,
  death: Death,
  check: (life: Life) => Promise<void>,
): Promise<void> {
  await emptyNamespace(store)
  const broker = createMemoryBroker({ restMs: 1 })
  const scopes: Scope[] = []
  const startOn = async (on: Store) => {
    const scope = createScope('journey')
    scopes.push(scope)
    await startJourney(scope, {
      store: on,
      source: broker.source,
      admin: broker.admin,
      secret,
      log: silentLogger,
      clock: systemClock,
      metrics: createMetrics('journey'),
      readiness: createReadiness(),
    })
  }
  await broker.admin.ensureTopics(topicConfigs(store.namespace, { partitions: 1 }))
  await stepBusinessTime(store.db, start)
  await applyDefinition(store, definition, 'test')
  const topic = topicsOf(store.namespace).touchpoints
  await broker.publisher.publish(
    happenings.map((happening, index) => ({
      topic,
      ...encodeRecord({ id: `e${index}`, source: 'urn:test:ehr', time: start, ...happening }),
    })),
    { deadlineMs: 5_000 },
  )
  const mortal = openMortalStore(
    { databaseUrl: store.databaseUrl, namespace: store.namespace, applicationName: 'mortal' },
    death,
  )
  // One that dies while it starts never says that it started.
  void startOn(mortal).catch(() => undefined)
  const allRead = async () =>
    expect(await positionOf(store.db, topic, 0)).toBe(BigInt(happenings.length))
  const fired = async () =>
    expect(await store.db.selectFrom('timer').select('timer_id').execute()).toEqual([])
  const patience = { timeout: 15_000, interval: 3 }
  /** Waits for `goal`; when the first worker dies on the way there, a second one takes over. */
  let replaced = false
  const reach = async (goal: () => Promise<void>) => {
    if (!replaced) await Promise.race([vi.waitFor(goal, patience), mortal.died])
    if (mortal.dead && !replaced) {
      replaced = true
      await scopes[0]?.close()
      await startOn(store)
    }
    await vi.waitFor(goal, patience)
  }
  try {
    await reach(allRead)
    await stepBusinessTime(store.db, dueLater)
    await wake(store.db, store.namespace, ['clock'])
    await reach(fired)
    await check({ store, steps: mortal.steps })
  } finally {
    for (const scope of scopes) await scope.close()
    await mortal.close()
  }
}

test('a worker that is killed before or after any step leaves nothing undone and nothing done twice (P1, P2)', async () => {
  let whole: unknown
  let steps = 0
  const store = await openNamespace(inject('servers').databaseUrl, 'crash')
  onTestFinished(store.close)
  await live(store, { at: Number.POSITIVE_INFINITY, stepDone: false }, async (life) => {
    whole = await pictureOf(life.store)
    steps = life.steps
  })
  expect(steps).toBeGreaterThan(20)
  for (const death of deathsIn(steps)) {
    await live(store, death, async () => {
      expect({ ...death, picture: await pictureOf(store) }).toEqual({ ...death, picture: whole })
    })
  }
}, 240_000)
