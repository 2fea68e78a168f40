import { stepBusinessTime } from '@wegwijs/store/business-clock'
import { markReplayed, readDeadLetters } from '@wegwijs/store/dead-letters'
import { readStatus } from '@wegwijs/store/status'
import { listTasks, sayTaskDone } from '@wegwijs/store/tasks'
import { wake } from '@wegwijs/store/wake'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { arrives, booked, clinic, happen, monday } from './src/clinic.ts'
import {
  brisk,
  expectLedgerHolds,
  type Flow,
  openFlow,
  openGround,
  secret,
  until,
} from './src/flow.ts'

/** An appointment of which a newer version cannot be applied, since a row of the person cannot be read (P3). */
const says = (text: string) => ({ nl: text, en: text })
const bundle = smallHospital([
  ...clinic.campaigns,
  campaign({
    id: 'call',
    journey: 'operation',
    entry: 'once-per-entity',
    trigger: { touchpoint: 'care.appointment.booked.v1' },
    steps: [
      {
        task: {
          id: 'call',
          team: 'nurses',
          title: says('Bel'),
          due: { until: 'entity.startsAt', offset: '-P1D', on: 'any-day' },
          within: 'P1D',
          outcomes: [{ outcome: 'reached', says: says('Gesproken') }],
        },
      },
    ],
  }),
])

let flow: Flow
let close: () => Promise<void>
beforeEach(async () => {
  const { store } = await openGround(bundle, monday)
  flow = await openFlow({ store, settings: brisk })
  close = async () => {
    await flow.close()
    await store.close()
  }
})
afterEach(() => close())

async function stepTo(instant: string) {
  await stepBusinessTime(flow.store.db, instant)
  await wake(flow.store.db, flow.store.namespace, ['clock'])
}

/** What is noted of everybody's reminders, the one that was planned first, first. */
const reminders = () =>
  flow.store.db
    .selectFrom('intent')
    .select(['state', 'reason', 'entity_version as version', 'due_at as dueAt'])
    .where('campaign_id', '=', 'reminder')
    .orderBy('entity_version')
    .execute()

const sees = (...states: object[]) =>
  until(async () => expect(await reminders()).toMatchObject(states))

const happened = (value: object) =>
  flow.store.db
    .updateTable('person')
    .set({ happened: JSON.stringify(value) })
    .execute()

/** What `wegwijs dead-letters replay` does. */
async function replay() {
  const rows = await flow.store.db.selectFrom('dead_letter').select('dead_letter_id').execute()
  const ids = rows.map((row) => row.dead_letter_id)
  for (const { topic, key, value, headers } of await readDeadLetters(flow.store.db, ids)) {
    const record = { topic, key: key?.toString('utf8') ?? '', value, headers }
    await flow.broker.publisher.publish([record], { deadlineMs: 5_000 })
  }
  await markReplayed(flow.store.db, ids)
  await flow.read()
}

const unapplied = async () => (await readStatus(flow.store.db)).unapplied

/** Somebody who has an appointment on the 20th, and of whom nothing can be decided any more. */
async function withDamage() {
  await flow.publish(arrives('p'), booked('p', 1, '2026-03-20T09:00:00Z'))
  await sees({ state: 'planned', version: 1, dueAt: '2026-03-19T09:00:00.000Z' })
  await happened({ k3v9: { '20515': 'twice' } })
}

test('the old reminder of one that moved waits until that is applied, and the new one goes at its time', async () => {
  await withDamage()
  await flow.publish(booked('p', 2, '2026-03-25T09:00:00Z'))
  expect(await unapplied()).toEqual({ appointment: 1 })
  const held = { state: 'planned', reason: 'entity_unapplied', version: 1 }
  await stepTo('2026-03-19T09:00:00.000Z')
  await sees(held)
  // The row is mended, and the event has still to be replayed.
  await happened({})
  await stepTo('2026-03-19T12:00:00.000Z')
  await sees({ ...held, dueAt: expect.stringMatching(/^2026-03-19T12/) })
  await replay()
  expect(await unapplied()).toEqual({})
  const old = { state: 'cancelled', reason: 'entity_superseded', version: 1 }
  await sees(old, { state: 'planned', version: 2, dueAt: '2026-03-24T09:00:00.000Z' })
  expect(await flow.emails()).toEqual([])
  await stepTo('2026-03-24T09:00:00.000Z')
  await sees(old, { state: 'delivered', version: 2 })
  expect(await flow.emails()).toHaveLength(1)
  await until(() => expectLedgerHolds(flow))
})

test('nobody is told of one that was cancelled, before and after that is applied', async () => {
  await withDamage()
  const cancelled = happen('care.appointment.cancelled.v1', 'p', {
    entity: 'appointment/p',
    version: 2,
  })
  await flow.publish(cancelled)
  await stepTo('2026-03-19T09:00:00.000Z')
  await sees({ state: 'planned', reason: 'entity_unapplied' })
  await happened({})
  await replay()
  await sees({ state: 'cancelled', reason: 'entity_withdrawn' })
  expect(await unapplied()).toEqual({})
  expect(await flow.emails()).toEqual([])
})

test('what waits for it until it is not worth having any more expires, and says so', async () => {
  await withDamage()
  await flow.publish(booked('p', 2, '2026-03-25T09:00:00Z'))
  await stepTo('2026-03-19T09:00:00.000Z')
  await sees({ state: 'planned', reason: 'entity_unapplied' })
  await stepTo('2026-03-20T09:00:00.000Z')
  await sees({ state: 'expired', reason: 'expired' })
  const { detail } = await flow.store.db
    .selectFrom('intent')
    .select('detail')
    .executeTakeFirstOrThrow()
  expect(detail).toMatchObject({ waitedFor: 'entity_unapplied' })
})

test('an equal or older version that cannot be applied holds nothing back, and neither does what is about another one', async () => {
  await withDamage()
  await flow.publish(
    booked('p', 1, '2026-03-25T09:00:00Z'),
    { ...booked('p', 3, '2026-03-25T09:00:00Z'), entity: 'appointment/other' },
    happen('care.discharge.completed.v1', 'p'),
  )
  expect(await unapplied()).toEqual({})
  await stepTo('2026-03-19T09:00:00.000Z')
  // Of that nothing is decided either.
  await sees({ state: 'sent' })
})

test('a task that hangs on it is not to be done meanwhile', async () => {
  await withDamage()
  const task = async () => {
    const tasks = await listTasks(flow.store.db, { team: null, state: null, limit: 10 })
    return tasks.find(({ campaignId }) => campaignId === 'call')
  }
  expect(await task()).toMatchObject({ state: 'open', held: null })
  await flow.publish(booked('p', 2, '2026-03-25T09:00:00Z'))
  expect(await task()).toMatchObject({ state: 'open', held: 'entity_unapplied' })
  const { taskId = '' } = (await task()) ?? {}
  expect(
    await sayTaskDone(flow.store, { taskId, outcome: 'reached', by: 'cli:eva' }, secret),
  ).toEqual({ refusal: { why: 'held', reason: 'entity_unapplied' } })
  await happened({})
  await replay()
  expect(await task()).toMatchObject({ held: null, dueAt: '2026-03-24T09:00:00.000Z' })
})

test('what was put aside of either of two records holds when they become one', async () => {
  await flow.publish(arrives('p'), booked('p', 1, '2026-03-20T09:00:00Z'), arrives('q'), {
    ...booked('q', 1, '2026-03-20T09:00:00Z'),
    entity: 'appointment/p',
  })
  await sees({ state: 'planned' }, { state: 'planned' })
  await happened({ k3v9: { '20515': 'twice' } })
  await flow.publish({ ...booked('q', 2, '2026-03-25T09:00:00Z'), entity: 'appointment/p' })
  await happened({})
  const other = { idSpace: 'ehr', externalId: 'q' }
  await flow.publish(happen('person.merged.v1', 'p', { data: other }))
  expect(await unapplied()).toEqual({ appointment: 1 })
  await stepTo('2026-03-19T09:00:00.000Z')
  const waits = (rows: { state: string; reason: string | null }[]) =>
    rows.filter(({ state }) => state === 'planned').map(({ reason }) => reason)
  await until(async () => expect(waits(await reminders())).toEqual(['entity_unapplied']))
  await replay()
  expect(await unapplied()).toEqual({})
  await stepTo('2026-03-24T09:00:00.000Z')
  await until(async () => expect(await flow.emails()).toHaveLength(1))
})
