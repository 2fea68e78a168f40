import { stepBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { expect, inject, onTestFinished, test } from 'vitest'
import { type Told, workerOn } from './told.ts'

const answered = 'care.survey.answered.v1'
const now = '2026-03-02T09:00:00.000Z'
const nothing = smallHospital([])

/** Who was here within a month, and not within a week. */
const away = (within = 'P7D', over = {}) =>
  smallHospital([
    campaign({
      id: 'away',
      entry: 'every-time',
      trigger: {
        becomes: {
          all: [
            { not: { happened: { touchpoint: answered, within } } },
            { happened: { touchpoint: answered, within: 'P30D' } },
          ],
        },
      },
      steps: [message('hello')],
      ...over,
    }),
  ])

const answers = (subject: string, time = now): Told => ({ subject, type: answered, time, data: {} })

async function open(): Promise<Store> {
  const store = await openNamespace(inject('servers').databaseUrl, 'becoming')
  onTestFinished(store.close)
  await stepBusinessTime(store.db, now)
  return store
}

/** `subject due`, in their order. */
async function timersIn({ db }: Store): Promise<string[]> {
  const rows = await db
    .selectFrom('timer')
    .innerJoin('person_identity', 'person_identity.person_id', 'timer.person_id')
    .select(['external_id', 'due_at'])
    .execute()
  return rows.map((row) => `${row.external_id} ${row.due_at.slice(0, 16)}`).sort()
}

/** `subject entered`, in their order. */
async function runsIn({ db }: Store): Promise<string[]> {
  const rows = await db
    .selectFrom('enrolment')
    .innerJoin('person_identity', 'person_identity.person_id', 'enrolment.person_id')
    .select(['external_id', 'entered_at'])
    .execute()
  return rows.map((row) => `${row.external_id} ${row.entered_at.slice(0, 16)}`).sort()
}

test('a timer stands for the midnight at which it begins to hold, and moves with what happens', async () => {
  const store = await open()
  await applyDefinition(store, away(), 'test')
  const worker = workerOn(store)
  await worker.hear([answers('a'), answers('b')])
  expect(await timersIn(store)).toEqual(['a 2026-03-09T23:00', 'b 2026-03-09T23:00'])
  await stepBusinessTime(store.db, '2026-03-05T09:00:00.000Z')
  await worker.hear([answers('b', '2026-03-04T09:00:00.000Z')])
  expect(await timersIn(store)).toEqual(['a 2026-03-09T23:00', 'b 2026-03-11T23:00'])
  await stepBusinessTime(store.db, '2026-03-09T23:00:00.000Z')
  await worker.fireAll()
  expect(await runsIn(store)).toEqual(['a 2026-03-09T23:00'])
  expect(await timersIn(store)).toEqual(['b 2026-03-11T23:00'])
  // The timer of b is late, and something else happens first.
  await stepBusinessTime(store.db, '2026-03-12T09:00:00.000Z')
  await worker.hear([answers('b', '2026-03-12T08:00:00.000Z')])
  expect(await runsIn(store)).toEqual(['a 2026-03-09T23:00', 'b 2026-03-12T09:00'])
  expect(await timersIn(store)).toEqual(['b 2026-03-19T23:00'])
})

test('who is there when it is published is waited for, and is not when it is no longer', async () => {
  const store = await open()
  await applyDefinition(store, nothing, 'test')
  const worker = workerOn(store)
  await worker.hear([
    answers('a'),
    answers('b', '2026-02-10T09:00:00.000Z'),
    { ...answers('c'), type: 'care.discharge.completed.v1' },
  ])
  await applyDefinition(store, away(), 'test')
  await worker.rollOutAll()
  // For b it holds already: that is nothing new.
  expect(await timersIn(store)).toEqual(['a 2026-03-09T23:00'])
  await applyDefinition(store, away('P14D'), 'test')
  await worker.rollOutAll()
  expect(await timersIn(store)).toEqual(['a 2026-03-16T23:00'])
  await stepBusinessTime(store.db, '2026-03-16T23:00:00.000Z')
  await worker.fireAll()
  expect(await runsIn(store)).toEqual(['a 2026-03-16T23:00'])
  await worker.hear([answers('a', '2026-03-16T23:00:00.000Z')])
  expect(await timersIn(store)).toHaveLength(1)
  await applyDefinition(store, nothing, 'test')
  await worker.rollOutAll()
  expect(await timersIn(store)).toEqual([])
})

test('a version that began by a date before begins by that no more, also before its people had their turn', async () => {
  const store = await open()
  const startsAt = '2026-03-10T08:30:00.000Z'
  const date = { entity: 'appointment', field: 'startsAt' }
  await applyDefinition(store, away('P7D', { trigger: { date } }), 'test')
  const worker = workerOn(store)
  const entity = { entity: 'appointment/1', version: 1 }
  await worker.hear([
    { subject: 'a', type: 'care.appointment.booked.v1', time: now, data: { startsAt }, ...entity },
  ])
  await applyDefinition(store, away(), 'test')
  await worker.hear([answers('a')])
  expect(await timersIn(store)).toEqual(['a 2026-03-09T23:00', 'a 2026-03-10T08:30'])
  await stepBusinessTime(store.db, startsAt)
  await worker.fireAll()
  expect(await runsIn(store)).toEqual(['a 2026-03-10T08:30'])
  await applyDefinition(store, away('P7D', { trigger: { date } }), 'test')
  await worker.rollOutAll()
  await applyDefinition(store, away(), 'test')
  await worker.rollOutAll()
  expect(await timersIn(store)).toEqual([])
})

test('two records become one: what is counted of both decides', async () => {
  const store = await open()
  await applyDefinition(store, away(), 'test')
  const worker = workerOn(store)
  await worker.hear([answers('a'), answers('b', '2026-02-28T09:00:00.000Z')])
  expect(await timersIn(store)).toHaveLength(2)
  await worker.hear([
    {
      subject: 'b',
      type: 'person.merged.v1',
      time: now,
      data: { idSpace: 'ehr', externalId: 'a' },
    },
  ])
  // Both ids are theirs.
  expect(await timersIn(store)).toEqual(['a 2026-03-09T23:00', 'b 2026-03-09T23:00'])
  const timers = await store.db.selectFrom('timer').selectAll().execute()
  expect(timers).toHaveLength(1)
})

test('a midnight that passes before somebody has had their turn comes all the same, once', async () => {
  const store = await open()
  await applyDefinition(store, nothing, 'test')
  const worker = workerOn(store)
  await worker.hear([answers('a'), answers('b', '2026-03-01T09:00:00.000Z'), answers('c')])
  await stepBusinessTime(store.db, '2026-03-09T22:50:00.000Z')
  await applyDefinition(store, away(), 'test')
  await stepBusinessTime(store.db, '2026-03-09T23:10:00.000Z')
  // For b it held already when it was published, and for c something happens before their turn.
  await worker.hear([answers('c', '2026-03-09T23:05:00.000Z')])
  await worker.rollOutAll()
  await worker.fireAll()
  expect(await runsIn(store)).toEqual(['a 2026-03-09T23:10'])
  expect(await timersIn(store)).toEqual(['c 2026-03-17T23:00'])
  // Published again in that hour it has begun already.
  await applyDefinition(store, away('P7D', { trigger: { ...trigger(), maxAge: 'P2D' } }), 'test')
  await store.db.updateTable('rollout').set({ since: '2026-03-09T22:50:00.000Z' }).execute()
  await worker.rollOutAll()
  await worker.fireAll()
  expect(await runsIn(store)).toEqual(['a 2026-03-09T23:10'])
})

test('a midnight that has come, and was not decided yet when it is published again, is not lost', async () => {
  const store = await open()
  await applyDefinition(store, away(), 'test')
  const worker = workerOn(store)
  await worker.hear([answers('a')])
  await stepBusinessTime(store.db, '2026-03-09T23:10:00.000Z')
  await applyDefinition(store, away('P7D', { trigger: { ...trigger(), maxAge: 'P2D' } }), 'test')
  await worker.rollOutAll()
  await worker.fireAll()
  expect(await runsIn(store)).toEqual(['a 2026-03-09T23:10'])
})

const trigger = () => away().campaigns[0]?.trigger ?? {}
