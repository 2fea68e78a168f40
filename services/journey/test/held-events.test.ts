import type { RecordBatch } from '@wegwijs/kafka/port'
import { systemClock } from '@wegwijs/runtime/clock'
import { silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import { applyDefinition } from '@wegwijs/store/definitions'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { topicsOf } from '@wegwijs/wire/topics'
import { expect, inject, test } from 'vitest'
import { applyBatch } from '../src/batch.ts'
import { createCurrentDefinition } from '../src/current-definition.ts'

const now = '2026-03-02T09:00:00.000Z'

test('a batch whose events are held looks ever less often, and is decided when they are not', async () => {
  const store = await openNamespace(inject('servers').databaseUrl, 'held_events')
  await applyDefinition(store, smallHospital([campaign({ id: 'aftercare' })]), 'test')
  await stepBusinessTime(store.db, now, { eventsHeld: true })
  const pauses: number[] = []
  const clock = {
    ...systemClock,
    sleep: async (ms: number) => {
      pauses.push(ms)
      if (pauses.length === 12) await stepBusinessTime(store.db, now)
    },
  }
  const deps = {
    store,
    definition: createCurrentDefinition(store, silentLogger),
    secret: 'held-events-secret-of-32-characters',
    log: silentLogger,
    metrics: createMetrics('wegwijs').component('journey'),
    clock,
  }
  const topic = topicsOf(store.namespace).touchpoints
  const batch: RecordBatch = { topic, partition: 0, readFrom: 0n, nextOffset: 1n, records: [] }

  expect(await applyBatch(batch, deps)).toEqual({ kind: 'done' })
  expect(pauses).toHaveLength(12)
  for (const [index, pause] of pauses.entries())
    expect(pause).toBeGreaterThanOrEqual(pauses[index - 1] ?? 1)
  expect(pauses[0]).toBeLessThanOrEqual(10)
  expect(pauses.slice(6)).toEqual(pauses.slice(6).map(() => 100))

  // Whoever lost the partition meanwhile leaves it to the next one.
  await stepBusinessTime(store.db, now, { eventsHeld: true })
  const next = { ...batch, readFrom: 1n, nextOffset: 2n }
  expect(await applyBatch(next, deps, () => false)).toEqual({ kind: 'seek', offset: 1n })
  await store.close()
})
