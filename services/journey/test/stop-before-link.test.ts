import { createMemoryBroker } from '@wegwijs/kafka/memory'
import { systemClock } from '@wegwijs/runtime/clock'
import { createReadiness } from '@wegwijs/runtime/health'
import { createScope } from '@wegwijs/runtime/lifecycle'
import { silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { applyDefinition } from '@wegwijs/store/definitions'
import { relayOutbox } from '@wegwijs/store/outbox'
import { positionOf } from '@wegwijs/store/positions'
import { recordStopEvents } from '@wegwijs/store/stops'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { startJourney } from '../src/service.ts'

test('a stop of a further id, answered before the link to it was read, holds of whom it was linked to (P3)', async () => {
  const store = await openNamespace(inject('servers').databaseUrl, 'stop_before_link')
  onTestFinished(() => store.close())
  await applyDefinition(store, smallHospital([campaign({ id: 'aftercare' })]), 'test')
  const broker = createMemoryBroker()
  await broker.admin.ensureTopics(topicConfigs(store.namespace, { partitions: 1 }))
  const { touchpoints, urgent } = topicsOf(store.namespace)
  const time = new Date().toISOString()
  const event = (type: string, id: string, over: object) => ({
    id,
    source: 'urn:test:ehr',
    type,
    subject: 'p1',
    time,
    data: {},
    ...over,
  })
  const publish = (each: ReturnType<typeof event>) =>
    broker.publisher.publish([{ topic: touchpoints, ...encodeRecord(each) }], { deadlineMs: 5_000 })
  await publish(event('person.upserted.v1', 'e1', { data: { birthYear: 1950 } }))
  await publish(event('person.identified.v1', 'e2', { data: { idSpace: 'crm', externalId: 'c1' } }))
  // Both were acknowledged. Then the same person says no, under the other id.
  const no = event('consent.withdrawn.v1', 'e3', {
    source: 'urn:test:crm',
    subject: 'c1',
    data: { purpose: 'all', origin: 'person' },
  })
  expect(await recordStopEvents(store, [{ event: no, idSpace: 'crm' }])).toEqual([true])
  await relayOutbox(
    store,
    async (records) => {
      await broker.publisher.publish(records, { deadlineMs: 5_000 })
      return records
    },
    { perTopic: 10 },
  )

  const scope = createScope('test')
  onTestFinished(() => scope.close())
  await startJourney(scope, {
    store,
    source: broker.source,
    admin: broker.admin,
    secret: 'a secret of the tests, long enough to be one',
    log: silentLogger,
    clock: systemClock,
    metrics: createMetrics('journey'),
    readiness: createReadiness(),
  })
  for (const topic of [urgent, touchpoints]) {
    await vi.waitFor(
      async () =>
        expect(await positionOf(store.db, topic, 0)).toBe(
          (await broker.admin.endOffsets(topic))[0]?.high,
        ),
      { timeout: 20_000, interval: 5 },
    )
  }
  const stopped = await store.db
    .selectFrom('person_stop')
    .innerJoin('person_identity', 'person_identity.person_id', 'person_stop.person_id')
    .select(['id_space', 'external_id', 'kind'])
    .where('external_id', '=', 'p1')
    .execute()
  const linked = await store.db
    .selectFrom('event')
    .select('outcome')
    .where('type', '=', 'person.identified.v1')
    .execute()
  expect({ linked, stopped }).toEqual({
    linked: [{ outcome: 'identity_linked' }],
    stopped: [{ id_space: 'ehr', external_id: 'p1', kind: 'consent' }],
  })
})
