import { silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import { applyDefinition } from '@wegwijs/store/definitions'
import { openMortalStore } from '@wegwijs/test-support/mortal-store'
import { emptyNamespace, openNamespace } from '@wegwijs/test-support/namespace'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicsOf } from '@wegwijs/wire/topics'
import { expect, inject, onTestFinished, test } from 'vitest'
import { applyBatch } from '../src/batch.ts'
import { createCurrentDefinition } from '../src/current-definition.ts'

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

test('a batch takes as many statements for one person as for eighty (P8)', async () => {
  const store = await openNamespace(inject('servers').databaseUrl, 'statements')
  onTestFinished(store.close)
  const send = { until: 'entity.startsAt', offset: '-P1D', on: 'any-day' as const }
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
      steps: [message('hello', { send })],
    }),
  ])

  const stepsFor = async (people: number): Promise<number> => {
    await emptyNamespace(store)
    await stepBusinessTime(store.db, now)
    await applyDefinition(store, definition, 'test')
    const mortal = openMortalStore(
      { databaseUrl: store.databaseUrl, namespace: store.namespace, applicationName: 'counted' },
      { at: Number.POSITIVE_INFINITY, stepDone: true },
    )
    const deps = {
      store: mortal,
      definition: createCurrentDefinition(mortal),
      secret: 'a secret of the tests, long enough to be one',
      log: silentLogger,
      metrics: createMetrics('journey').component('journey'),
    }
    await deps.definition.latest()
    const before = mortal.steps
    const topic = topicsOf(store.namespace).touchpoints
    const records = Array.from({ length: people }, (_, index) => `p${index}`)
      .flatMap((subject) => happenings.map((happening) => ({ subject, ...happening })))
      .map((happening, index) => {
        const source = 'urn:test:ehr'
        const { value, headers } = encodeRecord({
          id: `e${index}`,
          source,
          time: now,
          ...happening,
        })
        const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])
        const offset = BigInt(index)
        return {
          topic,
          partition: 0,
          offset,
          key: null,
          value,
          headers: Object.fromEntries(bytes),
          timestampMs: 0,
        }
      })
    const nextOffset = BigInt(records.length)
    const outcome = await applyBatch(
      { topic, partition: 0, readFrom: 0n, nextOffset, records },
      deps,
    )
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
