import type { RecordBatch } from '@wegwijs/kafka/port'
import { systemClock } from '@wegwijs/runtime/clock'
import { silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import { openStore, type Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { fillNamespace } from '@wegwijs/test-support/fill-namespace'
import { openMortalStore } from '@wegwijs/test-support/mortal-store'
import { emptyNamespace, openNamespace } from '@wegwijs/test-support/namespace'
import { rowsRead, stopStatistics } from '@wegwijs/test-support/rows-read'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicsOf } from '@wegwijs/wire/topics'
import { expect, inject, onTestFinished, test } from 'vitest'
import { applyBatch } from '../src/batch.ts'
import { createCurrentDefinition } from '../src/current-definition.ts'
import { fireDueTimers } from '../src/timers.ts'

const now = '2026-03-02T09:00:00.000Z'

/** Everything that an ordinary batch may hold, about one person. */
const happenings = [
  { type: 'person.upserted.v1', data: { givenName: 'Test', contacts: { email: 'a@example.org' } } },
  { type: 'consent.granted.v1', data: { purpose: 'marketing' } },
  {
    type: 'care.appointment.booked.v1',
    entity: 'appointment/A-1',
    version: 1,
    data: { startsAt: '2026-03-14T08:30:00.000Z' },
  },
  {
    type: 'care.appointment.moved.v1',
    entity: 'appointment/A-1',
    version: 2,
    data: { startsAt: '2026-03-20T08:30:00.000Z' },
  },
  { type: 'care.discharge.completed.v1', data: {} },
  { type: 'care.unknown.v1', data: {} },
]

const send = { until: 'entity.startsAt', offset: '-P1D', on: 'any-day' as const }
const definition = smallHospital([
  campaign({
    id: 'aftercare',
    audience: {
      where: { happened: { touchpoint: 'care.discharge.completed.v1', within: 'P30D' } },
    },
    steps: [message('hello'), { wait: { for: 'PT1H', on: 'any-day' } }, message('later')],
  }),
  campaign({
    id: 'reminder',
    journey: 'operation',
    entry: 'once-per-entity',
    trigger: { touchpoint: 'care.appointment.booked.v1' },
    steps: [message('hello', { send })],
  }),
])

/** Every happening about each of these people, as a batch of partition 0. */
function batchAbout(subjects: readonly string[], readFrom: number, namespace: string): RecordBatch {
  const topic = topicsOf(namespace).touchpoints
  const source = 'urn:test:ehr'
  const events = subjects.flatMap((subject) => happenings.map((each) => ({ subject, ...each })))
  const records = events.map((happening, index) => {
    const offset = readFrom + index
    const { value, headers } = encodeRecord({ id: `e${offset}`, source, time: now, ...happening })
    const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])
    return {
      topic,
      partition: 0,
      offset: BigInt(offset),
      key: null,
      value,
      headers: Object.fromEntries(bytes),
      ...{ timestampMs: 0, timestampBy: 'publisher' as const },
    }
  })
  const nextOffset = BigInt(readFrom + records.length)
  return { topic, partition: 0, readFrom: BigInt(readFrom), nextOffset, records }
}

function batchDependencies(store: Store) {
  return {
    store,
    definition: createCurrentDefinition(store, silentLogger),
    secret: 'a secret of the tests, long enough to be one',
    log: silentLogger,
    metrics: createMetrics('journey').component('journey'),
    clock: systemClock,
  }
}

test('a batch takes as many statements for one person as for eighty (P8)', async () => {
  const store = await openNamespace(inject('servers').databaseUrl, 'statements')
  onTestFinished(store.close)

  const stepsFor = async (people: number): Promise<number> => {
    await emptyNamespace(store)
    await stepBusinessTime(store.db, now)
    await applyDefinition(store, definition, 'test')
    const mortal = openMortalStore(
      { databaseUrl: store.databaseUrl, namespace: store.namespace, applicationName: 'counted' },
      { at: Number.POSITIVE_INFINITY, stepDone: true },
    )
    const deps = batchDependencies(mortal)
    await deps.definition.latest()
    const before = mortal.steps
    const subjects = Array.from({ length: people }, (_, index) => `p${index}`)
    const outcome = await applyBatch(batchAbout(subjects, 0, store.namespace), deps)
    expect(outcome).toEqual({ kind: 'done' })
    const intents = await store.db.selectFrom('intent').select('intent_id').execute()
    expect(intents).toHaveLength(people * 3)
    const steps = mortal.steps - before
    await mortal.close()
    return steps
  }

  const one = await stepsFor(1)
  expect(await stepsFor(80)).toBe(one)
})

test('plans that were made while the tables were empty are good for full ones (P8)', async () => {
  const { databaseUrl } = inject('servers')
  const store = await openNamespace(databaseUrl, 'steady')
  onTestFinished(store.close)
  const { namespace } = store
  await stopStatistics(store)
  await stepBusinessTime(store.db, now)
  await applyDefinition(store, definition, 'test')
  const options = { databaseUrl, namespace, applicationName: 'steady', maxConnections: 1 }
  const steady = openStore({ ...options, steadyPlans: true })
  onTestFinished(steady.close)
  const deps = batchDependencies(steady)
  let offset = 0
  const apply = async (subjects: readonly string[]) => {
    const batch = batchAbout(subjects, offset, namespace)
    offset = Number(batch.nextOffset)
    expect(await applyBatch(batch, deps)).toEqual({ kind: 'done' })
  }
  let hour = 9
  const fire = async (people: number) => {
    hour += 1
    await stepBusinessTime(store.db, `2026-03-02T${hour}:30:00.000Z`)
    expect(await fireDueTimers(deps)).toBe(people)
  }

  for (let round = 0; round < 8; round += 1) {
    await apply([`early-${round}`])
    await fire(1)
  }
  await fillNamespace(store, 10_000, now)
  const subjects = Array.from({ length: 20 }, (_, index) => `late-${index}`)
  const read = await rowsRead(steady, async () => {
    await apply(subjects)
    await fire(subjects.length)
  })
  expect(Math.max(...Object.values(read)), JSON.stringify(read)).toBeLessThan(20 * 100)
})
