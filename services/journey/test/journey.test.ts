import { createMemoryBroker } from '@wegwijs/kafka/memory'
import { systemClock } from '@wegwijs/runtime/clock'
import { createReadiness } from '@wegwijs/runtime/health'
import { createScope, type Scope } from '@wegwijs/runtime/lifecycle'
import { silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { readPersonFacts } from '@wegwijs/store/explain'
import { endHolding } from '@wegwijs/store/held-messages'
import { readOutcomes } from '@wegwijs/store/outcomes'
import { positionOf, resetPositions } from '@wegwijs/store/positions'
import { wake } from '@wegwijs/store/wake'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { signEvent } from '@wegwijs/wire/signature'
import { topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { afterEach, beforeEach, expect, inject, onTestFinished, test, vi } from 'vitest'
import { startJourney } from '../src/service.ts'

const secret = 'a secret of the tests, long enough to be one'
const start = '2026-03-02T09:00:00.000Z'

let store: Store
let scope: Scope
let broker: ReturnType<typeof createMemoryBroker>

beforeEach(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'journey')
  broker = createMemoryBroker()
  await broker.admin.ensureTopics(topicConfigs(store.namespace, { partitions: 3 }))
  await stepBusinessTime(store.db, start)
  scope = createScope('test')
})

afterEach(async () => {
  await scope.close()
  await store.close()
})

async function run(campaigns: Parameters<typeof smallHospital>[0]): Promise<void> {
  await applyDefinition(store, smallHospital(campaigns), 'test')
  await startService(scope)
}

async function startService(owner: Scope): Promise<void> {
  await startJourney(owner, {
    store,
    source: broker.source,
    admin: broker.admin,
    secret,
    log: silentLogger,
    clock: systemClock,
    metrics: createMetrics('journey'),
    readiness: createReadiness(),
  })
}

let count = 0
function event(type: string, over: Partial<TouchpointEvent> = {}): TouchpointEvent {
  count += 1
  return {
    id: `e${count}`,
    source: 'urn:test:ehr',
    type,
    subject: 'p1',
    time: start,
    data: {},
    ...over,
  }
}

async function publish(...events: TouchpointEvent[]): Promise<void> {
  const topics = topicsOf(store.namespace)
  const records = events.map((each) => ({ topic: topics.touchpoints, ...encodeRecord(each) }))
  await broker.publisher.publish(records, { deadlineMs: 5_000 })
  await decided()
}

/** Waits until every record that Kafka holds has been read. */
async function decided(): Promise<void> {
  const { touchpoints, urgent } = topicsOf(store.namespace)
  for (const topic of [touchpoints, urgent]) {
    for (const { partition, high } of await broker.admin.endOffsets(topic)) {
      if (high === 0n) continue
      await vi.waitFor(
        async () => expect(await positionOf(store.db, topic, partition)).toBe(high),
        { timeout: 20_000, interval: 5 },
      )
    }
  }
}

async function stepTo(instant: string): Promise<void> {
  await stepBusinessTime(store.db, instant)
  await wake(store.db, store.namespace, ['clock'])
  await vi.waitFor(
    async () =>
      expect(
        await store.db
          .selectFrom('timer')
          .select('timer_id')
          .where('due_at', '<=', instant)
          .execute(),
      ).toEqual([]),
    { timeout: 20_000, interval: 5 },
  )
}

const intents = () =>
  store.db.selectFrom('intent').selectAll().orderBy('planned_at').orderBy('message_id').execute()
const outcomes = async () =>
  (
    await store.db
      .selectFrom('event')
      .select(['type', 'outcome', 'event_id'])
      .orderBy('record_offset')
      .execute()
  ).map((row) => row.outcome)

test('an event starts a campaign, and a wait goes on when its time has come', async () => {
  await run([
    campaign({
      id: 'aftercare',
      steps: [
        message('hello'),
        { wait: { for: 'P2D', at: '10:00', on: 'working-day' } },
        message('later'),
      ],
    }),
  ])
  await publish(
    event('person.upserted.v1', {
      data: { givenName: 'Test', birthYear: 1950, contacts: { email: 'test@example.org' } },
    }),
    event('care.discharge.completed.v1', { data: { ward: 'C3' } }),
  )
  expect(await intents()).toMatchObject([
    {
      message_id: 'hello',
      state: 'planned',
      due_at: start,
      lane: 'transactional',
      channels: ['email', 'sms'],
    },
  ])
  expect(await store.db.selectFrom('timer').select('due_at').execute()).toEqual([
    { due_at: '2026-03-04T09:00:00.000Z' },
  ])
  await stepTo('2026-03-04T09:00:00.000Z')
  expect(await intents()).toMatchObject([
    { message_id: 'hello' },
    { message_id: 'later', due_at: '2026-03-04T09:00:00.000Z' },
  ])
  expect(await store.db.selectFrom('enrolment').select(['state', 'reason']).execute()).toEqual([
    { state: 'completed', reason: 'completed' },
  ])
})

test('whoever waits for a touchpoint, or for a receipt, goes on when it comes and not before', async () => {
  const answered = 'care.survey.answered.v1'
  await run([
    campaign({
      id: 'survey',
      steps: [{ waitFor: { touchpoint: answered, within: 'P3D' } }, message('hello')],
    }),
    campaign({
      id: 'cascade',
      steps: [
        message('hello'),
        {
          waitFor: {
            message: 'hello',
            status: ['delivered'],
            within: 'PT30M',
            // biome-ignore lint/suspicious/noThenProperty: the word in the file
            then: [message('later', { id: 'thanks' })],
            otherwise: [message('later', { id: 'again' })],
          },
        },
      ],
    }),
  ])
  await publish(event('care.discharge.completed.v1'))
  const [hello] = await intents()
  expect(await intents()).toMatchObject([{ campaign_id: 'cascade', message_id: 'hello' }])
  await store.db.updateTable('intent').set({ state: 'sent' }).execute()
  const receipt = event('message.delivered.v1', {
    source: 'urn:wegwijs:receipts:smtp',
    subject: hello?.person_id ?? '',
    data: { intentId: hello?.intent_id ?? '', provider: 'smtp', channel: 'email' },
  })
  await publish(signEvent(receipt, secret), event(answered))
  await stepTo('2026-03-06T09:00:00.000Z')
  expect((await intents()).map((row) => `${row.campaign_id}/${row.message_id}`).sort()).toEqual([
    'cascade/hello',
    'cascade/thanks',
    'survey/hello',
  ])
})

test('a late receipt takes back the next of a cascade, also when its run has gone through (P2)', async () => {
  const channels = { cascade: ['email', 'sms'] as ('email' | 'sms')[], after: 'PT30M' }
  await run([campaign({ id: 'tell', steps: [message('hello', { channels })] })])
  await publish(event('care.discharge.completed.v1'))
  const [hello] = await intents()
  await store.db.updateTable('intent').set({ state: 'sent' }).execute()
  await stepTo('2026-03-02T09:30:00.000Z')
  await stepTo('2026-03-02T10:00:00.000Z')
  const states = async () =>
    (await intents()).map(({ channels: left, turn, state }) => [left, turn, state])
  expect(await states()).toEqual([
    [['email', 'sms'], 0, 'sent'],
    [['sms'], 1, 'planned'],
  ])
  const receipt = event('message.delivered.v1', {
    source: 'urn:wegwijs:receipts:smtp',
    subject: hello?.person_id ?? '',
    data: { intentId: hello?.intent_id ?? '', provider: 'smtp', channel: 'email' },
  })
  await publish(signEvent(receipt, secret))
  expect(await intents()).toMatchObject([
    { state: 'delivered' },
    { state: 'cancelled', reason: 'awaited_after_all' },
  ])
})

test('over all channels there is one message over each, and they count as one', async () => {
  const steps = [message('hello', { channels: { all: ['email', 'sms'] } })]
  await run([campaign({ id: 'tell', steps })])
  await publish(event('care.discharge.completed.v1'))
  const planned = await intents()
  expect(planned.map(({ channels }) => channels).toSorted()).toEqual([['email'], ['sms']])
  expect(planned[0]?.part_of).toMatch(/^[0-9a-f-]{36}$/)
  expect(planned[1]?.part_of).toBe(planned[0]?.part_of)
})

test('what is said of how often, and what for, holds over batches', async () => {
  const discharged = 'care.discharge.completed.v1'
  const answered = 'care.survey.answered.v1'
  await run([
    campaign({
      id: 'survey',
      entry: { again: 'P30D' },
      goal: { touchpoint: answered, within: 'P21D' },
    }),
    campaign({
      id: 'aftercare',
      entry: 'every-time',
      atOnce: 1,
      steps: [{ wait: { for: 'P7D', on: 'any-day' } }, message('later')],
    }),
    campaign({
      id: 'planned',
      entry: 'every-time',
      atOnce: 1,
      steps: [message('later', { send: { for: 'P7D', on: 'any-day' } })],
    }),
  ])
  const runs = async () =>
    (await store.db.selectFrom('enrolment').selectAll().orderBy('campaign_id').execute()).map(
      ({ campaign_id: id, state, reason, goal_at: goalAt }) => [id, state, reason, goalAt],
    )
  await publish(event(discharged))
  await publish(event(discharged))
  expect(await runs()).toEqual([
    ['aftercare', 'running', null, null],
    ['planned', 'completed', 'completed', null],
    ['survey', 'completed', 'completed', null],
  ])
  await stepTo('2026-03-08T09:00:00.000Z')
  const time = '2026-03-08T09:00:00.000Z'
  await publish(event(answered, { time }))
  await publish(event(answered, { time }))
  expect(await runs()).toEqual([
    ['aftercare', 'running', null, null],
    ['planned', 'completed', 'completed', null],
    ['survey', 'exited', 'goal_reached', time],
  ])
  // The wait ends, and what it plans has expired when the next one comes.
  await stepTo('2026-03-10T09:00:00.000Z')
  const later = '2026-04-02T09:00:00.000Z'
  await stepTo(later)
  await publish(event(discharged, { time: later }))
  expect((await runs()).map(([id]) => id)).toEqual([
    ...['aftercare', 'aftercare'],
    ...['planned', 'planned'],
    ...['survey', 'survey'],
  ])
})

test('the same event counts once, however often it arrives (P2)', async () => {
  await run([campaign({ id: 'aftercare', entry: 'every-time' })])
  const discharge = event('care.discharge.completed.v1')
  await publish(discharge, discharge)
  await publish({ ...discharge, time: '2026-03-02T08:59:00.000Z' })
  expect(await intents()).toHaveLength(1)
  const position = await store.db
    .selectFrom('consumer_position')
    .selectAll()
    .where('records', '>', '0')
    .executeTakeFirstOrThrow()
  expect(position).toMatchObject({
    records: '3',
    applied: '1',
    duplicates: '2',
    dead_lettered: '0',
  })
})

test('what cannot be used becomes a dead letter with its bytes, and the partition goes on (P1)', async () => {
  await run([campaign({ id: 'aftercare' })])
  const topic = topicsOf(store.namespace).touchpoints
  await broker.publisher.publish(
    [{ topic, key: 'p1', value: Buffer.from([0xff, 0x00]), headers: { ce_id: 'x' } }],
    { deadlineMs: 5_000 },
  )
  await publish(
    event('care.unknown.v1'),
    event('care.appointment.booked.v1', { entity: 'appointment/A-1', version: 1, data: {} }),
    event('care.discharge.completed.v1', { source: 'urn:test:nobody' }),
    event('care.discharge.completed.v1', { source: 'urn:test:crm' }),
    event('care.discharge.completed.v1', { time: '2026-03-02T09:06:00.000Z' }),
    event('care.discharge.completed.v1', { time: '2025-11-01T09:06:00.000Z' }),
    event('message.delivered.v1', { source: 'urn:wegwijs:receipts:smtp' }),
    event('message.delivered.v1'),
    event('care.discharge.completed.v1'),
  )
  const letters = await store.db
    .selectFrom('dead_letter')
    .select(['error_class', 'path', 'value'])
    .orderBy('record_offset')
    .execute()
  expect(letters.map((letter) => letter.error_class)).toEqual([
    'not_json',
    'unknown_type',
    'data_invalid',
    'source_not_allowed',
    'type_not_allowed',
    'time_in_future',
    'older_than_inbox',
    'signature_invalid',
    'type_not_allowed',
  ])
  expect(letters[0]?.value).toEqual(Buffer.from([0xff, 0x00]))
  expect(letters[2]?.path).toBe('data.startsAt')
  expect(await intents()).toHaveLength(1)
})

test('the topic read again from offset 0 counts once, dead letters too (P1, P2)', async () => {
  await run([campaign({ id: 'aftercare', entry: 'every-time' })])
  await publish(
    event('care.discharge.completed.v1'),
    event('care.unknown.v1'),
    event('care.discharge.completed.v1'),
  )
  await scope.close()
  await store.db.updateTable('consumer_position').set({ next_offset: '0' }).execute()
  scope = createScope('again')
  await startService(scope)
  await decided()
  expect(await intents()).toHaveLength(2)
  expect(await store.db.selectFrom('dead_letter').select('error_class').execute()).toEqual([
    { error_class: 'unknown_type' },
  ])
  const position = await store.db
    .selectFrom('consumer_position')
    .selectAll()
    .where('records', '>', '0')
    .executeTakeFirstOrThrow()
  expect(position).toMatchObject({
    records: '6',
    applied: '2',
    duplicates: '3',
    dead_lettered: '1',
  })
})

test('a topic that was made anew and has grown past the position stops the service (P1)', async () => {
  await run([campaign({ id: 'aftercare', entry: 'every-time' })])
  const topic = topicsOf(store.namespace).touchpoints
  const first = event('care.discharge.completed.v1')
  await publish(first)
  await scope.close()
  broker.recreate(topic)
  // What the publisher sends again, and what is new: more than had been read.
  const later = [first, event('care.discharge.completed.v1'), event('care.discharge.completed.v1')]
  const records = later.map((each) => ({ topic, ...encodeRecord(each) }))
  await broker.publisher.publish(records, { deadlineMs: 5_000 })

  scope = createScope('again')
  await startService(scope)
  await scope.closed
  expect(scope.failures).toMatchObject([{ code: 'WEGWIJS_TOPIC_REPLACED', detail: { topic } }])
  expect(await intents()).toHaveLength(1)

  await resetPositions(store.db, topic, await broker.admin.endOffsets(topic))
  scope = createScope('after the reset')
  await startService(scope)
  await decided()
  expect(await intents()).toHaveLength(3)
})

test('a moved appointment re-times what is pending, a cancelled one withdraws it (P3)', async () => {
  const reminder = campaign({
    id: 'reminder',
    journey: 'operation',
    trigger: { touchpoint: 'care.appointment.booked.v1' },
    entry: 'once-per-entity',
    steps: [
      message('hello', {
        send: { until: 'entity.startsAt', offset: '-P1D', at: '18:00', on: 'any-day' },
        until: 'entity.startsAt',
      }),
    ],
  })
  await run([reminder])
  const booking = (version: number, startsAt: string) => ({
    entity: 'appointment/A-1',
    version,
    data: { startsAt },
  })
  await publish(event('care.appointment.booked.v1', booking(1, '2026-03-14T09:30:00+01:00')))
  expect(await intents()).toMatchObject([
    { state: 'planned', due_at: '2026-03-13T17:00:00.000Z', entity_version: 1 },
  ])
  await publish(event('care.appointment.moved.v1', booking(3, '2026-03-20T09:30:00+01:00')))
  await publish(event('care.appointment.moved.v1', booking(2, '2026-03-16T09:30:00+01:00')))
  const moved = await intents()
  expect(moved.find((intent) => intent.entity_version === 1)).toMatchObject({
    state: 'cancelled',
    reason: 'entity_superseded',
  })
  expect(moved.find((intent) => intent.entity_version === 3)).toMatchObject({
    state: 'planned',
    due_at: '2026-03-19T17:00:00.000Z',
  })
  expect(moved).toHaveLength(2)
  await publish(event('care.appointment.cancelled.v1', { entity: 'appointment/A-1', version: 4 }))
  expect((await intents()).map((intent) => intent.state)).toEqual(['cancelled', 'cancelled'])
  expect(await outcomes()).toEqual(['applied', 'applied', 'entity_not_newer', 'applied'])
})

test('what could not be planned at first is planned when the appointment moves to a day that lies ahead (P1)', async () => {
  const send = { until: 'entity.startsAt', offset: '-P1D', at: '18:00', on: 'any-day' } as const
  const reminder = campaign({
    id: 'reminder',
    journey: 'operation',
    entry: 'once-per-entity',
    trigger: { touchpoint: 'care.appointment.booked.v1' },
    steps: [message('hello', { send, until: 'entity.startsAt' })],
  })
  await run([reminder])
  const version = (number: number, startsAt: string) => ({
    entity: 'appointment/A-1',
    version: number,
    data: { startsAt },
  })
  const planned = () => store.db.selectFrom('intent').select(['state', 'due_at']).execute()
  await publish(event('care.appointment.booked.v1', version(1, '2020-03-14T09:30:00+01:00')))
  expect(await planned()).toEqual([])
  await publish(event('care.appointment.moved.v1', version(2, '2020-03-15T09:30:00+01:00')))
  await publish(event('care.appointment.moved.v1', version(3, '2096-03-20T09:30:00+01:00')))
  expect(await planned()).toEqual([{ state: 'planned', due_at: '2096-03-19T17:00:00.000Z' }])
})

test('what is under way when its appointment moves is planned anew in its place, and again (P1)', async () => {
  const trigger = { touchpoint: 'care.appointment.booked.v1' }
  const entry = 'once-per-entity' as const
  await run([campaign({ id: 'confirmation', journey: 'operation', entry, trigger })])
  const version = (number: number, day: number) => ({
    entity: 'appointment/A-1',
    version: number,
    data: { startsAt: `2026-03-${day}T08:30:00.000Z` },
  })
  await publish(event(trigger.touchpoint, version(1, 14)))
  await store.db.updateTable('intent').set({ state: 'sending' }).execute()
  await publish(event('care.appointment.moved.v1', version(2, 20)))
  await publish(event('care.appointment.moved.v1', version(3, 21)))
  const ofVersion = new Map((await intents()).map((intent) => [intent.entity_version, intent]))
  const instead_of = ofVersion.get(1)?.intent_id
  expect(ofVersion.get(1)).toMatchObject({ state: 'sending', instead_of: null })
  expect(ofVersion.get(2)).toMatchObject({ state: 'cancelled', instead_of })
  expect(ofVersion.get(3)).toMatchObject({ state: 'planned', instead_of })
})

test('a booking behind a change that has ended its campaign starts nothing (P3)', async () => {
  const moved = 'care.appointment.moved.v1'
  const trigger = { touchpoint: 'care.appointment.booked.v1' }
  const entry = 'once-per-entity' as const
  await run([
    campaign({
      id: 'confirmation',
      journey: 'operation',
      entry,
      trigger,
      exit: [{ touchpoint: moved }],
    }),
  ])
  const version = (number: number, data = {}) => ({
    entity: 'appointment/A-1',
    version: number,
    data,
  })
  await publish(event(moved, version(2, { startsAt: '2026-03-20T08:30:00.000Z' })))
  await publish(event(trigger.touchpoint, version(1, { startsAt: '2026-03-14T08:30:00.000Z' })))
  expect(await intents()).toEqual([])
  await publish(event('care.appointment.cancelled.v1', version(3)))
  expect(await store.db.selectFrom('entity').select(['data', 'said_in']).execute()).toEqual([
    {
      data: { startsAt: '2026-03-20T08:30:00.000Z' },
      said_in: {
        fields: { startsAt: 2 },
        touchpoints: { [moved]: 2, [trigger.touchpoint]: 1, 'care.appointment.cancelled.v1': 3 },
      },
    },
  ])
})

test.each(['sending', 'held'] as const)(
  'an exit reaches a message that is %s, though its campaign has run through (P3)',
  async (state) => {
    await run([campaign({ id: 'aftercare', exit: [{ touchpoint: 'care.admission.started.v1' }] })])
    await publish(event('care.discharge.completed.v1'))
    const ended = () => store.db.selectFrom('enrolment').select(['state', 'reason']).execute()
    expect(await ended()).toMatchObject([{ state: 'completed' }])
    await store.db.updateTable('intent').set({ state }).execute()
    await publish(event('care.admission.started.v1'))
    // Whoever has the message keeps it; the last check refuses it when it comes back.
    expect(await ended()).toEqual([{ state: 'exited', reason: 'exit_touchpoint' }])
    expect(await intents()).toMatchObject([{ state }])
  },
)

test('two ids of one person are linked, and two records of one person become one', async () => {
  await run([campaign({ id: 'aftercare' })])
  // Different ids lie in different partitions, between which there is no order.
  await publish(event('person.identified.v1', { data: { idSpace: 'crm', externalId: 'c1' } }))
  await publish(
    event('consent.granted.v1', {
      source: 'urn:test:crm',
      subject: 'c1',
      data: { purpose: 'marketing' },
    }),
    event('care.discharge.completed.v1'),
  )
  await publish(
    event('consent.withdrawn.v1', {
      source: 'urn:test:crm',
      subject: 'c2',
      data: { purpose: 'marketing' },
      time: '2026-03-01T09:00:00.000Z',
    }),
    event('care.discharge.completed.v1', { subject: 'p2' }),
  )
  await publish(
    event('person.merged.v1', { data: { idSpace: 'crm', externalId: 'c2' } }),
    event('person.merged.v1', { data: { idSpace: 'ehr', externalId: 'p2' } }),
  )
  const alive = await store.db
    .selectFrom('person')
    .select('person_id')
    .where('merged_into', 'is', null)
    .execute()
  expect(alive).toHaveLength(1)
  expect(await store.db.selectFrom('consent').select(['state', 'purpose']).execute()).toEqual([
    { state: 'withdrawn', purpose: 'marketing' },
  ])
  const states = (await intents()).map((intent) => `${intent.state} ${intent.reason}`)
  expect(states.sort()).toEqual(['cancelled merged_duplicate', 'planned null'])
  expect(new Set((await intents()).map((intent) => intent.person_id))).toEqual(
    new Set([alive[0]?.person_id]),
  )
})

test('a run keeps the record by which splits divide it, however often that becomes another one', async () => {
  const wait = { wait: { for: 'P1D', on: 'any-day' as const } }
  const arms = ['a', 'b'].map((name) => ({ name, weight: 1 }))
  await run([
    campaign({ id: 'runs', entry: 'every-time', steps: [{ split: { id: 'way', arms } }, wait] }),
    campaign({ id: 'ended', entry: 'every-time' }),
  ])
  await publish(event('care.discharge.completed.v1', { subject: 'p2' }))
  // Retention drops what was decided; what came of it is told all the same.
  const splits = async () => (await readOutcomes(store, 'runs')).map((each) => each.splits)
  const taken = [[{ split: 'way', arms: [expect.objectContaining({ times: 1 })] }]]
  expect(await splits()).toEqual(taken)
  const kept = await splits()
  await store.db.updateTable('event').set({ decisions: null }).execute()
  const runs = () =>
    store.db
      .selectFrom('enrolment')
      .select(['enrolment_id', 'person_id', 'trigger'])
      .orderBy('enrolment_id')
      .execute()
  const before = await runs()
  await publish(event('person.merged.v1', { data: { idSpace: 'ehr', externalId: 'p2' } }))
  await publish(
    event('person.merged.v1', { subject: 'p3', data: { idSpace: 'ehr', externalId: 'p1' } }),
  )
  const divided = (await runs()).map((row) => (row.trigger as { dividedAs?: string }).dividedAs)
  expect(divided).toEqual(before.map((row) => row.person_id))
  expect(await splits()).toEqual(kept)
  expect((await runs()).every((row) => row.person_id !== before[0]?.person_id)).toBe(true)
})

test('what two records entered long before they became one, counts once (P2)', async () => {
  await run([campaign({ id: 'aftercare', entry: 'once-per-journey' })])
  await publish(event('care.discharge.completed.v1'))
  await publish(event('care.discharge.completed.v1', { subject: 'p2' }))
  await publish(event('person.merged.v1', { data: { idSpace: 'ehr', externalId: 'p2' } }))
  const states = (await intents()).map((intent) => `${intent.state} ${intent.reason}`)
  expect(states.sort()).toEqual(['cancelled merged_duplicate', 'planned null'])
})

test('what one of two records told is not told by the other, however long ago it ended (P2)', async () => {
  const admission = (subject: string) => event('care.admission.started.v1', { subject })
  await run([campaign({ id: 'aftercare', entry: 'once-per-journey' })])
  await publish(admission('p2'), admission('p2'))
  await publish(event('care.discharge.completed.v1', { subject: 'p2' }))
  await store.db.updateTable('intent').set({ state: 'delivered' }).execute()
  await publish(event('care.discharge.completed.v1'))
  await publish(event('person.merged.v1', { data: { idSpace: 'ehr', externalId: 'p2' } }))
  const states = async () =>
    (await intents()).map((intent) => `${intent.state} ${intent.reason}`).sort()
  expect(await states()).toEqual(['cancelled merged_duplicate', 'delivered null'])
  // Both stays are one from here on: it has been entered.
  await publish(event('care.discharge.completed.v1', { subject: 'p2' }))
  expect(await intents()).toHaveLength(2)
  await publish(admission('p1'), event('care.discharge.completed.v1'))
  expect(await intents()).toHaveLength(3)
})

test('an appointment that two records know is told of in its newer version (P3)', async () => {
  await run([
    campaign({
      id: 'reminder',
      journey: 'operation',
      entry: 'once-per-entity',
      trigger: { touchpoint: 'care.appointment.booked.v1' },
      steps: [message('hello', { until: 'entity.startsAt' })],
    }),
  ])
  const appointment = (version: number, day: number, subject: string) =>
    event('care.appointment.booked.v1', {
      subject,
      entity: 'appointment/A-1',
      version,
      data: { startsAt: `2026-03-${day}T08:30:00.000Z` },
    })
  await publish(appointment(1, 14, 'p1'), appointment(2, 20, 'p2'))
  await publish(event('person.merged.v1', { data: { idSpace: 'ehr', externalId: 'p2' } }))
  const pending = (await intents()).filter(({ state }) => state === 'planned')
  expect(pending).toMatchObject([{ entity_version: 2 }])
})

test.each([
  ['closed by staff', { state: 'held' }, 'delivered'],
  [
    'skipped after an attempt without an answer',
    { state: 'skipped', duplicate: true },
    'delivered',
  ],
  ['skipped', { state: 'skipped' }, 'skipped'],
] as const)(
  'a receipt of a message that was %s leaves it as what it is (P4)',
  async (_how, left, state) => {
    await run([campaign({ id: 'aftercare' })])
    await publish(event('care.discharge.completed.v1'))
    const [{ person_id: personId, intent_id: intentId } = { person_id: '', intent_id: '' }] =
      await intents()
    await store.db.updateTable('intent').set(left).execute()
    const isHeld = left.state === 'held'
    const words = { reason: 'they have not got it', source: 'cli:jan' }
    if (isHeld) expect(await endHolding(store, [intentId], 'close', words)).toBeNull()
    const receipt = event('message.delivered.v1', {
      source: 'urn:wegwijs:receipts:smtp',
      subject: personId,
      data: { intentId, provider: 'smtp', channel: 'email' },
    })
    await publish(signEvent(receipt, secret))
    expect(await intents()).toMatchObject([{ state }])
    const facts = await readPersonFacts(store.db, personId)
    expect(facts?.events.at(-1)?.outcome).toBe(
      state === 'delivered' ? 'delivered' : 'message_status_known',
    )
    // What staff said stays beside it.
    expect(facts?.decisions.some(({ reason }) => reason === 'closed_by_staff')).toBe(isHeld)
    const told = await store.db.selectFrom('outbox').select('value').execute()
    const isTold = told.some(({ value }) => value?.toString('utf8').includes('"delivered"'))
    expect(isTold).toBe(state === 'delivered')
  },
)

test('a receipt that comes again when its person has become another one counts once (P2)', async () => {
  await run([campaign({ id: 'aftercare' })])
  await publish(event('care.discharge.completed.v1', { subject: 'p2' }))
  const [intent] = await intents()
  const receipt = (subject: string) =>
    signEvent(
      event('message.opened.v1', {
        id: 'r1',
        source: 'urn:wegwijs:receipts:smtp',
        subject,
        data: { intentId: intent?.intent_id ?? '', provider: 'smtp', channel: 'email' },
      }),
      secret,
    )
  await publish(receipt(intent?.person_id ?? ''))
  await publish(event('person.merged.v1', { data: { idSpace: 'ehr', externalId: 'p2' } }))
  const [moved] = await intents()
  expect(moved?.person_id).not.toBe(intent?.person_id)
  // Published before the merge, and asked for anew after it.
  await publish(receipt(intent?.person_id ?? ''), receipt(moved?.person_id ?? ''))
  const told = await store.db
    .selectFrom('event')
    .select(['person_id', 'subject'])
    .where('event_id', '=', 'r1')
    .execute()
  expect(told).toEqual([{ person_id: moved?.person_id, subject: moved?.person_id }])
})

test('two people with a receipt of the same id can become one (P1)', async () => {
  await run([campaign({ id: 'aftercare' })])
  await publish(event('care.discharge.completed.v1'))
  await publish(event('care.discharge.completed.v1', { subject: 'p2' }))
  for (const intent of await intents()) {
    const receipt = event('message.opened.v1', {
      id: 'r1',
      source: 'urn:wegwijs:receipts:smtp',
      subject: intent.person_id,
      data: { intentId: intent.intent_id, provider: 'smtp', channel: 'email' },
    })
    await publish(signEvent(receipt, secret))
  }
  await publish(event('person.merged.v1', { data: { idSpace: 'ehr', externalId: 'p2' } }))
  expect(await outcomes()).toContain('merged')
  expect(await store.db.selectFrom('dead_letter').select('reason').execute()).toEqual([])
})

test('somebody who died gets nothing that was planned (P3)', async () => {
  await run([
    campaign({
      id: 'aftercare',
      steps: [message('hello'), { wait: { for: 'P1D', on: 'any-day' } }, message('later')],
    }),
  ])
  await publish(
    event('care.discharge.completed.v1'),
    event('person.deceased.v1'),
    event('care.discharge.completed.v1'),
  )
  expect(await intents()).toMatchObject([{ state: 'cancelled', reason: 'person_deceased' }])
  expect(await store.db.selectFrom('timer').selectAll().execute()).toEqual([])
})

test('who is in flight stays on the version they entered (P5)', async () => {
  const steps = [
    message('hello'),
    { wait: { for: 'P1D', on: 'any-day' as const } },
    message('later'),
  ]
  await run([campaign({ id: 'aftercare', steps })])
  await publish(event('care.discharge.completed.v1'))
  await applyDefinition(
    store,
    smallHospital([campaign({ id: 'aftercare', steps: [message('hello')] })]),
    'test',
  )
  await publish(event('care.discharge.completed.v1', { subject: 'p2' }))
  await stepTo('2026-03-03T09:00:00.000Z')
  expect((await intents()).map((intent) => `${intent.message_id} ${intent.version}`)).toEqual([
    'hello 1',
    'hello 2',
    'later 1',
  ])
})

test('two workers on one topic, and one that ends in between, decide each event once (P1, P2, P6)', async () => {
  await run([campaign({ id: 'aftercare', entry: 'every-time' })])
  const second = createScope('second')
  await startService(second)
  const people = Array.from({ length: 40 }, (_, index) => `p${index}`)
  const round = () =>
    publish(...people.map((subject) => event('care.discharge.completed.v1', { subject })))
  await round()
  const closing = second.close()
  await round()
  await closing
  await round()
  expect(await intents()).toHaveLength(120)
})

const relation = (type: 'granted' | 'ended', externalId: string, over: object = {}) =>
  event(`relation.${type}.v1`, {
    data: {
      idSpace: 'crm',
      externalId,
      kind: 'caregiver',
      ...(type === 'granted' && { scope: ['appointments'] }),
    },
    ...over,
  })

const askingForCaregiver = campaign({
  id: 'aftercare',
  entry: 'every-time',
  audience: { where: { field: 'relation.caregiver.appointments', op: 'exists', value: true } },
})

test('a relation is granted and ended, in any order, and conditions see what holds', async () => {
  await run([askingForCaregiver])
  const discharge = () => event('care.discharge.completed.v1')
  await publish(discharge(), relation('granted', 'c1'), discharge())
  expect(await intents()).toHaveLength(1)
  const later = '2026-03-02T08:59:59.000Z'
  await publish(relation('ended', 'c2', { time: later }), relation('ended', 'c1'), discharge())
  await publish(relation('granted', 'c1', { time: later }), discharge())
  expect(await intents()).toHaveLength(1)
  expect((await outcomes()).filter((each) => each === 'relation_not_newer')).toHaveLength(1)
  const rows = await store.db.selectFrom('relation').select(['state', 'scope']).execute()
  expect(rows).toEqual([
    { state: 'ended', scope: [] },
    { state: 'ended', scope: [] },
  ])
})

test('a relation follows either of the two into another record, and ends when they die', async () => {
  await run([askingForCaregiver])
  const discharge = () => event('care.discharge.completed.v1')
  const crm = { source: 'urn:test:crm' }
  const merged = (subject: string, externalId: string) =>
    event('person.merged.v1', { ...crm, subject, data: { idSpace: 'crm', externalId } })
  await publish(relation('granted', 'c1'))
  await publish(merged('c2', 'c1'))
  await publish(merged('c3', 'c2'), discharge())
  expect(await intents()).toHaveLength(1)
  await publish(
    event('person.merged.v1', { subject: 'p9', data: { idSpace: 'ehr', externalId: 'p1' } }),
  )
  await publish(event('care.discharge.completed.v1', { subject: 'p9' }))
  expect(await intents()).toHaveLength(2)
  await publish(event('person.deceased.v1', { ...crm, subject: 'c3' }), discharge())
  expect(await intents()).toHaveLength(2)
})

test('two workers that grant relations both ways at once lock in one order (P6)', async () => {
  await run([askingForCaregiver])
  const second = createScope('second')
  onTestFinished(() => second.close())
  await startService(second)
  const crm = { source: 'urn:test:crm', data: { idSpace: 'ehr', kind: 'parent', scope: ['care'] } }
  for (let round = 0; round < 10; round += 1) {
    await publish(
      ...Array.from({ length: 20 }, (_, index) => [
        relation('granted', `x${index}`, { subject: `y${index}` }),
        event('relation.granted.v1', {
          ...crm,
          subject: `x${index}`,
          data: { ...crm.data, externalId: `y${index}` },
        }),
      ]).flat(),
    )
  }
  const rows = await store.db.selectFrom('relation').select('kind').execute()
  expect(rows).toHaveLength(40)
  expect(await store.db.selectFrom('dead_letter').select('reason').execute()).toEqual([])
})

test('a receipt about a message to a caregiver says of each what is theirs (P3, P6)', async () => {
  await run([
    campaign({
      id: 'aftercare',
      steps: [message('hello', { to: ['person', 'caregiver', 'parent'] })],
    }),
  ])
  const profile = (subject: string, over: object = {}) =>
    event('person.upserted.v1', {
      subject,
      data: { contacts: { email: `${subject}@example.org` } },
      ...over,
    })
  const granted = relation('granted', 'c1')
  await publish(
    profile('p1'),
    profile('c1', { source: 'urn:test:crm' }),
    { ...granted, data: { ...granted.data, scope: ['care'] } },
    event('care.discharge.completed.v1'),
  )
  const planned = await intents()
  const hers = planned.find((intent) => intent.recipient_id !== null)
  expect(planned.map(({ recipient_as }) => recipient_as).sort()).toEqual(['caregiver', null])
  expect(hers?.recipient_ways).toEqual(['caregiver', 'parent'])
  const receipt = (type: string, subject: string, more: object = {}) =>
    signEvent(
      event(type, {
        id: `r-${type}`,
        source: 'urn:wegwijs:receipts:smtp',
        subject,
        data: {
          intentId: hers?.intent_id ?? '',
          provider: 'smtp',
          channel: 'email',
          recipientId: hers?.recipient_id ?? '',
          ...more,
        },
      }),
      secret,
    )
  const both = [hers?.person_id ?? '', hers?.recipient_id ?? '']
  for (const subject of both) await publish(receipt('message.bounced.v1', subject))
  for (const subject of both) await publish(receipt('message.complained.v1', subject))
  const people = await store.db.selectFrom('person').select(['person_id', 'contacts']).execute()
  const refused = people
    .filter(
      ({ contacts }) => (contacts as { email?: { refusedAt: string | null } }).email?.refusedAt,
    )
    .map(({ person_id }) => person_id)
  expect(refused).toEqual([hers?.recipient_id])
  const consents = await store.db.selectFrom('consent').select('person_id').execute()
  expect(consents).toEqual([{ person_id: hers?.recipient_id }])
  const states = await store.db
    .selectFrom('intent')
    .select(['recipient_id', 'state'])
    .orderBy('state')
    .execute()
  expect(states).toEqual([
    { recipient_id: hers?.recipient_id, state: 'bounced' },
    { recipient_id: null, state: 'planned' },
  ])
})
