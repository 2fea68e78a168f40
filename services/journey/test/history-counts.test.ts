import type { Happened } from '@wegwijs/campaign/happened'
import type { RecordBatch } from '@wegwijs/kafka/port'
import { systemClock } from '@wegwijs/runtime/clock'
import { silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { holdPositions, waitingSessions } from '@wegwijs/test-support/hold-positions'
import { openMortalStore } from '@wegwijs/test-support/mortal-store'
import { emptyNamespace, openNamespace } from '@wegwijs/test-support/namespace'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicsOf } from '@wegwijs/wire/topics'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { applyBatch } from '../src/batch.ts'
import { createCurrentDefinition } from '../src/current-definition.ts'
import { beforeTransactions } from './before-transactions.ts'

const now = '2026-03-20T09:00:00.000Z'
const answered = 'care.survey.answered.v1'
const discharge = 'care.discharge.completed.v1'

let store: Store

beforeEach(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'counts')
  await stepBusinessTime(store.db, now)
})

afterEach(() => store.close())

type Told = {
  type: string
  subject: string
  id?: string
  time?: string
  data?: object
  entity?: string
  version?: number
}

let count = 0
/** One reader of one partition, that applies what it is given behind what it had. */
function reader(partition: number) {
  const topic = topicsOf(store.namespace).touchpoints
  const deps = {
    store,
    definition: createCurrentDefinition(store, silentLogger),
    secret: 'a secret of the tests, long enough to be one',
    log: silentLogger,
    metrics: createMetrics('journey').component('journey'),
    clock: systemClock,
  }
  let readFrom = 0n
  return async (told: readonly Told[]): Promise<void> => {
    const records = told.map(({ id, time = now, data = {}, ...each }, index) => {
      count += 1
      const { value, headers } = encodeRecord({
        id: id ?? `e${count}`,
        source: 'urn:test:ehr',
        time,
        data: data as Record<string, never>,
        ...each,
      })
      const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])
      const offset = readFrom + BigInt(index)
      return {
        topic,
        partition,
        offset,
        key: null,
        value,
        headers: Object.fromEntries(bytes),
        ...{ timestampMs: 0, timestampBy: 'publisher' as const },
      }
    })
    const nextOffset = readFrom + BigInt(records.length)
    const batch: RecordBatch = { topic, partition, readFrom, nextOffset, records }
    expect(await applyBatch(batch, deps)).toEqual({ kind: 'done' })
    readFrom = nextOffset
  }
}

const plain = campaign({ id: 'plain', trigger: { touchpoint: 'care.admission.started.v1' } })

/** A campaign for whom `happened` holds when they answer a survey. */
const forWhom = (id: string, happened: Happened) =>
  campaign({
    id,
    entry: 'every-time',
    trigger: { touchpoint: answered },
    audience: { where: { happened } },
    steps: [message('hello')],
  })

const publish = (...campaigns: ReturnType<typeof campaign>[]) =>
  applyDefinition(store, smallHospital([plain, ...campaigns]), 'test')

async function countsOfEverybody(): Promise<Record<string, unknown>> {
  const rows = await store.db
    .selectFrom('person as p')
    .innerJoin('person_identity as i', 'i.person_id', 'p.person_id')
    .select(['i.external_id', 'p.happened'])
    .where('p.merged_into', 'is', null)
    .execute()
  return Object.fromEntries(rows.map((row) => [row.external_id, Object.values(row.happened)]))
}

/** What a scan of the stored events gives, person by person. */
async function scanned(type: string): Promise<Record<string, unknown>> {
  const events = await store.db
    .selectFrom('event as e')
    .innerJoin('person_identity as i', 'i.person_id', 'e.person_id')
    .select(['i.external_id', 'e.time'])
    .where('e.type', '=', type)
    .execute()
  const days: Record<string, [Record<string, number>]> = {}
  for (const { external_id: id, time } of events) {
    const local = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Amsterdam' })
    const day = Date.parse(local.format(Date.parse(time))) / 86_400_000
    const own = days[id] ?? [{}]
    own[0][day] = (own[0][day] ?? 0) + 1
    days[id] = own
  }
  return days
}

const registered = () =>
  store.db.selectFrom('history_count').selectAll().orderBy('touchpoint').execute()

/** What became of each event of that campaign, in their order. */
async function reasonsOf(campaignId: string): Promise<string[]> {
  const events = await store.db
    .selectFrom('event')
    .select('decisions')
    .orderBy('record_offset')
    .execute()
  const decisions = events.flatMap(
    (row) => (row.decisions ?? []) as { campaignId: string; reason: string }[],
  )
  return decisions
    .filter((each) => each.campaignId === campaignId)
    .map(({ reason }) => reason)
    .filter((reason) => reason === 'enrolled' || reason === 'condition_false')
}

test('what happened before a campaign was published counts for its first event', async () => {
  const tell = reader(0)
  await publish()
  await tell([
    { type: answered, subject: 'p1', time: '2026-03-10T09:00:00.000Z' },
    { type: answered, subject: 'p1', time: '2026-02-27T22:30:00.000Z', id: 'twice' },
    { type: answered, subject: 'p1', time: '2026-02-27T22:30:00.000Z', id: 'twice' },
    // A day before the window begins.
    { type: answered, subject: 'p1', time: '2026-02-17T22:30:00.000Z' },
    { type: answered, subject: 'p2', time: '2026-03-10T09:00:00.000Z' },
  ])
  await publish(forWhom('often', { touchpoint: answered, within: 'P30D', times: { atLeast: 3 } }))
  expect(await countsOfEverybody()).toEqual({
    p1: [{ 20511: 1, 20522: 1 }],
    p2: [{ 20522: 1 }],
  })
  await tell([
    { type: answered, subject: 'p1', id: 'last' },
    { type: answered, subject: 'p2' },
  ])
  expect(await reasonsOf('often')).toEqual(['enrolled', 'condition_false'])
  // The one event of each that it was asked at is counted, too, and once.
  await tell([{ type: answered, subject: 'p1', id: 'last' }])
  expect(await countsOfEverybody()).toEqual({
    p1: [{ 20511: 1, 20522: 1, 20532: 1 }],
    p2: [{ 20522: 1, 20532: 1 }],
  })
})

test('what no campaign asks for any more is not counted, and a longer window looks back again', async () => {
  const tell = reader(0)
  await publish(forWhom('often', { touchpoint: answered, within: 'P3D' }))
  await tell([
    { type: answered, subject: 'p1', time: '2026-03-01T09:00:00.000Z' },
    { type: answered, subject: 'p1', time: '2026-03-19T09:00:00.000Z' },
    { type: discharge, subject: 'p1', time: '2026-03-01T09:00:00.000Z' },
  ])
  expect(await countsOfEverybody()).toEqual({ p1: [{ 20531: 1 }] })
  await publish(forWhom('often', { touchpoint: answered, within: 'P30D' }))
  expect(await countsOfEverybody()).toEqual({ p1: [{ 20513: 1, 20531: 1 }] })
  expect(await registered()).toMatchObject([{ touchpoint: answered, days: 30, ready: true }])

  const where = { field: 'event.ward', op: 'exists' as const, value: false }
  await publish(forWhom('often', { touchpoint: discharge, within: 'P30D', where }))
  expect(await registered()).toMatchObject([{ touchpoint: discharge, days: 30, ready: true }])
  await tell([{ type: discharge, subject: 'p1', data: { ward: 'west' } }])
  await tell([{ type: answered, subject: 'p1' }])
  await tell([{ type: discharge, subject: 'p1' }])
  expect(await countsOfEverybody()).toEqual({ p1: [{ 20513: 1, 20532: 1 }] })

  await publish()
  expect(await registered()).toEqual([])
})

test('whoever is in an older version is still counted for', async () => {
  const tell = reader(0)
  const asks = campaign({
    id: 'asks',
    steps: [
      { wait: { for: 'P5D', on: 'any-day' } },
      {
        branch: [
          {
            when: { happened: { touchpoint: answered, within: 'P9D' } },
            steps: [message('hello')],
          },
        ],
      },
    ],
  })
  await publish(asks)
  await tell([{ type: discharge, subject: 'p1' }])
  await publish(campaign({ id: 'asks' }))
  expect(await registered()).toMatchObject([{ touchpoint: answered, days: 9 }])
})

test('an older version is counted for as long as a message of it may be taken back (P3)', async () => {
  const hear = reader(0)
  const told = (exit: object[]) =>
    campaign({
      id: 'told',
      entry: 'every-time',
      trigger: { touchpoint: 'care.admission.started.v1' },
      exit: exit as never,
      steps: [message('hello', { send: { for: 'P5D', on: 'any-day' }, expires: 'P1D' })],
    })
  const twice = { happened: { touchpoint: answered, within: 'P30D', times: { atLeast: 2 } } }
  await publish(told([{ touchpoint: discharge, where: twice }]))
  await hear([
    { type: answered, subject: 'anna' },
    { type: 'care.admission.started.v1', subject: 'anna' },
  ])
  await publish(told([]))
  await hear([{ type: answered, subject: 'anna' }])
  await hear([{ type: discharge, subject: 'anna' }])
  const intents = store.db.selectFrom('intent').select(['campaign_id', 'state', 'reason'])
  expect(await intents.where('campaign_id', '=', 'told').execute()).toEqual([
    { campaign_id: 'told', state: 'cancelled', reason: 'exit_touchpoint' },
  ])
  await publish()
  expect(await registered()).toEqual([])
})

test('an older version is counted for as long as somebody may be in it again', async () => {
  const hear = reader(0)
  const asks = (steps: object[]) =>
    campaign({
      id: 'asks',
      entry: 'once-per-entity',
      trigger: { touchpoint: 'care.appointment.booked.v1' },
      steps: steps as never,
    })
  const often = { happened: { touchpoint: answered, within: 'P9D' } }
  const branch = { branch: [{ when: often, steps: [message('hello')] }] }
  await publish(asks([{ wait: { for: 'P5D', on: 'any-day' } }, branch]))
  const [startsAt, entity] = ['2026-05-01T09:00:00.000Z', 'appointment/1']
  await hear([
    { type: 'care.appointment.booked.v1', subject: 'anna', entity, version: 1, data: { startsAt } },
    { type: 'care.appointment.cancelled.v1', subject: 'anna', entity, version: 2 },
  ])
  await publish(asks([message('hello')]))
  expect(await registered()).toMatchObject([{ touchpoint: answered, days: 9 }])
})

test.each([
  ['nobody asks', []],
  ['others ask for less of', [forWhom('less', { touchpoint: answered, within: 'P3D' })]],
])('whoever enters while a publication counts is still counted for what %s', async (_, more) => {
  const hear = reader(0)
  const often = { happened: { touchpoint: answered, within: 'P9D' } }
  const branch = { branch: [{ when: often, steps: [message('hello')] }] }
  const asks = (...steps: object[]) =>
    campaign({ id: 'asks', trigger: { touchpoint: discharge }, steps: steps as never })
  await publish(asks({ wait: { for: 'P5D', on: 'any-day' } }, branch))
  let begun = 0
  const db = beforeTransactions(store.db, async () => {
    begun += 1
    if (begun === 2) await hear([{ type: discharge, subject: 'anna' }])
  })
  const other = forWhom('other', { touchpoint: 'care.admission.started.v1', within: 'P3D' })
  const bundle = smallHospital([plain, asks(message('hello')), other, ...more])
  await applyDefinition({ ...store, db }, bundle, 'test')
  expect(begun).toBeGreaterThan(2)
  const runs = await store.db.selectFrom('enrolment').select(['campaign_id', 'version']).execute()
  expect(runs).toEqual([{ campaign_id: 'asks', version: 1 }])
  expect(await registered()).toMatchObject([
    { touchpoint: 'care.admission.started.v1', days: 3, ready: true },
    { touchpoint: answered, days: 9, ready: true },
  ])
})

test('a batch that was under way when a count began is waited for, and counted once', async () => {
  const tell = reader(0)
  await publish()
  await tell([{ type: answered, subject: 'p1' }])
  // The batch has compared what is counted when it waits for the position of its partition.
  const positions = await holdPositions(store)
  const batch = tell([{ type: answered, subject: 'p1' }])
  await waits(1)
  const published = publish(forWhom('often', { touchpoint: answered, within: 'P30D' }))
  await waits(2)
  expect(await registered()).toMatchObject([{ touchpoint: answered, ready: false }])
  await positions.release()
  await Promise.all([batch, published])
  expect(await countsOfEverybody()).toEqual(await scanned(answered))
  expect(await countsOfEverybody()).toEqual({ p1: [{ 20532: 2 }] })
})

/** Until so many sessions wait for a lock. */
async function waits(sessions: number): Promise<void> {
  await vi.waitFor(async () => expect(await waitingSessions(store)).toBe(sessions), {
    timeout: 20_000,
    interval: 5,
  })
}

test('events, and people who become one, go on coming while a count begins', async () => {
  const readers = [reader(0), reader(1), reader(2)]
  const people = Array.from({ length: 1_300 }, (_, index) => `p${index}`)
  await publish()
  for (const part of [people.slice(0, 500), people.slice(500, 1_000), people.slice(1_000)]) {
    await readers[0]?.(
      part.map((subject, index) => ({
        type: answered,
        subject,
        time: `2026-03-0${1 + (index % 9)}T09:00:00.000Z`,
      })),
    )
  }
  let isPublished = false
  const published = publish(
    forWhom('often', { touchpoint: answered, within: 'P30D', times: { atLeast: 3 } }),
  ).then(() => {
    isPublished = true
  })
  // Each reader tells of everybody, and makes one of people of its own, until it has been published.
  const rounds = await Promise.all(
    readers.map(async (tell, own) => {
      let round = 0
      for (; round < 200 && !(isPublished && round >= 10); round += 1) {
        const subjects = people.filter((_, index) => (index + round) % 43 === 0)
        const merged = people.filter(
          (_, index) => index % 3 === own && Math.floor(index / 3) % 29 === round % 29,
        )
        await tell([
          ...subjects.map((subject) => ({ type: answered, subject })),
          ...merged.slice(0, 6).map((subject, index) => ({
            type: 'person.merged.v1',
            subject,
            data: { idSpace: 'ehr', externalId: merged.at(-1 - index) ?? subject },
          })),
        ])
      }
      return round
    }),
  )
  await published
  expect(Math.min(...rounds)).toBeGreaterThanOrEqual(10)
  const merged = await store.db
    .selectFrom('person')
    .select('person_id')
    .where('merged_into', 'is not', null)
    .execute()
  expect(merged.length).toBeGreaterThan(50)
  expect(await countsOfEverybody()).toEqual(await scanned(answered))
}, 60_000)

test.each(['person.merged.v1', 'person.identified.v1'])(
  'who becomes one with somebody by a %s before they had their turn is counted for whom they have become',
  async (type) => {
    const tell = reader(0)
    await publish()
    // More than are counted at once.
    const some = Array.from({ length: 300 }, (_, index) => `p${index}`)
    for (const part of [0, 1, 2])
      await tell(some.map((subject) => ({ type: answered, subject: `${part}${subject}` })))
    const people = await store.db
      .selectFrom('person_identity')
      .select(['person_id', 'external_id'])
      .orderBy('person_id')
      .execute()
    const [first, between, last] = [people[0], people.at(-50), people.at(-1)]
    if (!first || !between || !last) throw new Error('nobody')
    let published: Promise<unknown> | undefined
    await store.db.transaction().execute(async (tx) => {
      await tx
        .selectFrom('person')
        .select('person_id')
        .where('person_id', '=', between.person_id)
        .forUpdate()
        .execute()
      published = publish(forWhom('often', { touchpoint: answered, within: 'P30D' }))
      await waits(1)
      const data = { idSpace: 'ehr', externalId: last.external_id }
      await tell([{ type, subject: first.external_id, data }])
    })
    await published
    const counts = await countsOfEverybody()
    expect(counts).toEqual(await scanned(answered))
    expect(counts[last.external_id]).toEqual([{ 20532: 2 }])
  },
)

test('a publication that is killed at any step counts nothing twice, and neither does the next', async () => {
  const often = forWhom('often', { touchpoint: answered, within: 'P30D' })
  const definition = smallHospital([plain, often])
  /** Says whether it lived through all of it. */
  const killedAt = async (at: number): Promise<boolean> => {
    await emptyNamespace(store)
    await stepBusinessTime(store.db, now)
    const tell = reader(0)
    await publish()
    await tell([
      { type: answered, subject: 'p1', time: '2026-03-10T09:00:00.000Z' },
      { type: answered, subject: 'p2' },
    ])
    const mortal = openMortalStore(
      { databaseUrl: store.databaseUrl, namespace: store.namespace, applicationName: 'mortal' },
      { at, stepDone: at % 2 === 0 },
    )
    await applyDefinition(mortal, definition, 'test').catch(() => undefined)
    const lived = !mortal.dead
    if (mortal.dead) await mortal.died
    await mortal.close()
    await tell([
      { type: answered, subject: 'p1' },
      { type: answered, subject: 'p3' },
    ])
    await applyDefinition(store, definition, 'test')
    await tell([{ type: answered, subject: 'p2' }])
    expect(await countsOfEverybody(), `killed at step ${at}`).toEqual(await scanned(answered))
    expect(await registered()).toMatchObject([{ touchpoint: answered, days: 30, ready: true }])
    return lived
  }
  let at = 1
  while (at < 100 && !(await killedAt(at))) at += 1
  expect(at).toBeGreaterThan(15)
  expect(at).toBeLessThan(100)
}, 120_000)

test('a count that cannot be read is counted by what asks for it, and else by nobody', async () => {
  const where = { field: 'event.ward', op: 'eq', value: 'east' } as const
  const seen = { touchpoint: discharge, within: 'P30D', where, times: { atLeast: 2 } } as const
  await publish(forWhom('asks', seen))
  const gossip = { count_key: 'gossip', touchpoint: discharge, days: 30, ready: true }
  const condition = JSON.stringify({ field: 'event.tone', op: 'sounds-like', value: 'angry' })
  await store.db.updateTable('history_count').set({ condition }).execute()
  await store.db
    .insertInto('history_count')
    .values({ ...gossip, condition })
    .execute()
  const read = reader(0)
  const data = { ward: 'east' }
  await read([{ type: discharge, subject: 'a', data }])
  await read([{ type: discharge, subject: 'a', data: { ward: 'west' } }])
  await read([{ type: answered, subject: 'a' }])
  await read([{ type: discharge, subject: 'a', data }])
  await read([{ type: answered, subject: 'a' }])
  expect(await store.db.selectFrom('dead_letter').selectAll().execute()).toEqual([])
  const reasons = await reasonsOf('asks')
  expect(reasons.filter((each) => each === 'enrolled')).toHaveLength(1)
  // The next publication writes it as it is asked for, and forgets what nobody asks for.
  await publish(forWhom('asks', seen))
  expect(await registered()).toMatchObject([{ condition: where, ready: true }])
})
