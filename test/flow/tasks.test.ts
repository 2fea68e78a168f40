import { newUuid } from '@wegwijs/runtime/derived-id'
import { liftPerson, stopPerson } from '@wegwijs/store/stops'
import { listTasks, sayTaskDone } from '@wegwijs/store/tasks'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { signEvent } from '@wegwijs/wire/signature'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { arrives, booked, discharged, happen, monday } from './src/clinic.ts'
import { expectLedgerHolds, type Flow, openFlow, openGround, secret, until } from './src/flow.ts'

/** What campaigns ask of people, through the whole pipe. */
const says = (text: string) => ({ nl: text, en: text })
const call = {
  task: {
    id: 'call',
    team: 'nurses',
    title: says('Bel'),
    within: 'P1D',
    outcomes: [
      { outcome: 'reached', says: says('Gesproken'), steps: [message('later')] },
      { outcome: 'missed', says: says('Niet') },
    ],
  },
}
const clinic = smallHospital([
  campaign({ id: 'aftercare', steps: [call], exit: [{ touchpoint: 'care.admission.started.v1' }] }),
  campaign({
    id: 'preparation',
    journey: 'operation',
    entry: 'once-per-entity',
    trigger: { touchpoint: 'care.appointment.booked.v1' },
    steps: [
      {
        task: {
          ...call.task,
          due: { until: 'entity.startsAt', offset: '-P1D', on: 'any-day' },
        },
      },
    ],
  }),
])

let flow: Flow
let close: () => Promise<void>
beforeAll(async () => {
  const { store } = await openGround(clinic, monday)
  flow = await openFlow({ store })
  close = async () => {
    await flow.close()
    await store.close()
  }
})
afterAll(() => close())

const all = { team: null, state: null, limit: 100 }

/** What came of sending somebody home. */
async function newTasks(subject: string) {
  const before = new Set((await listTasks(flow.store.db, all)).map(({ taskId }) => taskId))
  await flow.publish(arrives(subject), discharged(subject))
  return (await listTasks(flow.store.db, all)).filter(({ taskId }) => !before.has(taskId))
}

/** Whether whoever does it finds it on the list. */
async function isOpen(taskId: string): Promise<boolean> {
  const open = await listTasks(flow.store.db, { ...all, state: 'open' })
  return open.some((task) => task.taskId === taskId)
}

/** The one task of a campaign that is in that state. */
async function only(campaignId: string, state: 'open' | 'done') {
  const tasks = await listTasks(flow.store.db, { ...all, state })
  return tasks.find((task) => task.campaignId === campaignId)
}

test('is listed for its team, and goes on when somebody says what came of it', async () => {
  await flow.publish(arrives('p1'), discharged('p1'))
  const open = await listTasks(flow.store.db, { team: 'nurses', state: 'open', limit: 10 })
  expect(open).toMatchObject([{ name: 'call', campaignId: 'aftercare', dueAt: monday }])
  expect(await listTasks(flow.store.db, { team: 'others', state: 'open', limit: 10 })).toEqual([])
  const taskId = open[0]?.taskId ?? ''

  const say = (outcome: string, by = 'cli:eva') =>
    sayTaskDone(flow.store, { taskId, outcome, by }, secret)
  expect((await say('perhaps')).refusal).toEqual({
    why: 'outcome',
    outcomes: ['reached', 'missed'],
  })
  const said = (await Promise.all([say('reached'), say('missed', 'cli:jan')])).map(
    ({ refusal }) => refusal,
  )
  expect(said.filter((refusal) => refusal === null)).toHaveLength(1)
  const word =
    said[0] === null
      ? { outcome: 'reached', saidBy: 'cli:eva' }
      : { outcome: 'missed', saidBy: 'cli:jan' }
  expect(said.find((refusal) => refusal !== null)).toEqual({
    why: 'said',
    by: word.saidBy,
    outcome: word.outcome,
  })
  await until(async () => expect(await only('aftercare', 'done')).toMatchObject(word))
  expect(await listTasks(flow.store.db, { team: 'nurses', state: 'open', limit: 10 })).toEqual([])
  // Who did it is nobody's business on the road (P7).
  const { rows } = await sql<{ word: string | null }>`
    select convert_from(value, 'utf8') || headers::text as word from outbox
    where headers::text like '%task.done%'`.execute(flow.store.db)
  expect(rows).toHaveLength(1)
  expect(rows[0]?.word).not.toMatch(/eva|jan/)
  expect(flow.logged()).not.toContain('eva')
})

test('is taken back when the campaign ends; what came of it is kept, and nothing follows', async () => {
  await flow.publish(arrives('p2'), discharged('p2'))
  const { taskId = '' } = (await only('aftercare', 'open')) ?? {}
  await flow.publish(happen('care.admission.started.v1', 'p2'))
  await until(async () =>
    expect(await listTasks(flow.store.db, all)).toContainEqual(
      expect.objectContaining({ taskId, state: 'withdrawn', reason: 'exit_touchpoint' }),
    ),
  )
  const said = { taskId, outcome: 'reached', by: 'cli:eva' }
  expect(await sayTaskDone(flow.store, said, secret)).toEqual({
    refusal: null,
    takenBack: 'exit_touchpoint',
  })
  expect(await listTasks(flow.store.db, all)).toContainEqual(
    expect.objectContaining({
      ...{ taskId, state: 'withdrawn', outcome: 'reached', saidBy: 'cli:eva' },
    }),
  )
  await until(async () => {
    const { rows } = await sql<{ detail: object }>`
      select detail from decided where reason = 'task_closed'`.execute(flow.store.db)
    expect(rows).toEqual([{ detail: { step: '0', task: 'call', taskId, outcome: 'reached' } }])
  })
  expect(await sayTaskDone(flow.store, { ...said, outcome: 'missed' }, secret)).toEqual({
    refusal: { why: 'said', by: 'cli:eva', outcome: 'reached' },
  })
  const nobody = '0190c0de-0000-8000-8000-000000000001'
  expect(
    await sayTaskDone(flow.store, { taskId: nobody, outcome: 'reached', by: 'x' }, secret),
  ).toEqual({ refusal: { why: 'unknown' } })
})

test('moves along with its appointment', async () => {
  await flow.publish(arrives('p3'), booked('p3', 1, '2026-03-20T09:00:00Z'))
  expect(await only('preparation', 'open')).toMatchObject({ dueAt: '2026-03-19T09:00:00.000Z' })
  await flow.publish(booked('p3', 2, '2026-03-25T09:00:00Z'))
  expect(await only('preparation', 'open')).toMatchObject({
    state: 'open',
    dueAt: '2026-03-24T09:00:00.000Z',
  })
})

test('is not to be done while staff stop the person, and is when they do no more', async () => {
  const [{ taskId = '' } = {}] = await newTasks('p4')
  const words = { reason: 'asked by phone', source: 'cli:eva' }
  const stopped = await stopPerson(flow.store.db, { idSpace: 'ehr', externalId: 'p4' }, words)
  expect(await isOpen(taskId)).toBe(false)
  expect(await listTasks(flow.store.db, all)).toContainEqual(
    expect.objectContaining({ taskId, state: 'open', held: 'person_stopped' }),
  )
  const say = () => sayTaskDone(flow.store, { taskId, outcome: 'missed', by: 'cli:eva' }, secret)
  expect(await say()).toEqual({ refusal: { why: 'held', reason: 'person_stopped' } })
  await liftPerson(flow.store.db, stopped?.personId ?? '', words)
  expect(await isOpen(taskId)).toBe(true)
  expect(await say()).toEqual({ refusal: null, takenBack: null })
})

test('is taken back when the person says no, and the campaign goes on without it', async () => {
  const [{ taskId = '', personId = '' } = {}] = await newTasks('p5')
  await flow.publish(
    happen('consent.withdrawn.v1', 'p5', { data: { purpose: 'all', origin: 'person' } }),
  )
  expect(await listTasks(flow.store.db, all)).toContainEqual(
    expect.objectContaining({ taskId, state: 'withdrawn', reason: 'consent_withdrawn' }),
  )
  const { rows } = await sql<{ state: string }>`
    select run.state from enrolment run join task using (enrolment_id) where task_id = ${taskId}`.execute(
    flow.store.db,
  )
  expect(rows).toEqual([{ state: 'completed' }])
  // From then on nobody is to call, for whatever reason.
  await flow.publish(booked('p5', 1, '2026-03-20T09:00:00Z'))
  const own = (await listTasks(flow.store.db, all)).filter((task) => task.personId === personId)
  expect(own.map(({ state }) => state)).toEqual(['withdrawn'])
})

test('is not to be done from the answer to a no on, before that is decided', async () => {
  const [{ taskId = '', personId = '' } = {}] = await newTasks('p6')
  await sql`insert into person_stop (person_id, stop_id, kind, purpose, channel, reason, source, at)
    values (${personId}, ${newUuid()}, 'consent', 'all', '', 'consent_withdrawn', 'urn:test', ${monday})`.execute(
    flow.store.db,
  )
  expect(await isOpen(taskId)).toBe(false)
  expect(await sayTaskDone(flow.store, { taskId, outcome: 'missed', by: 'x' }, secret)).toEqual({
    refusal: { why: 'held', reason: 'consent_withdrawn' },
  })
})

test('is not to be done without a consent while nobody can say that its class needs none', async () => {
  const [{ taskId = '' } = {}] = await newTasks('p7')
  const ofClass = (value: string) =>
    sql`update campaign_version set content = jsonb_set(content, '{class}', ${value}::jsonb)
      where campaign_id = 'aftercare'`.execute(flow.store.db)
  expect(await isOpen(taskId)).toBe(true)
  await ofClass('["care"]')
  expect(await sayTaskDone(flow.store, { taskId, outcome: 'missed', by: 'x' }, secret)).toEqual({
    refusal: { why: 'held', reason: 'consent_missing' },
  })
  expect(await isOpen(taskId)).toBe(false)
  await ofClass('"care"')
  expect(await isOpen(taskId)).toBe(true)
})

test('nobody else may say that it was done', async () => {
  const { taskId = '', personId = '' } = (await only('preparation', 'open')) ?? {}
  const event = {
    id: `${taskId}-missed`,
    source: 'urn:wegwijs:tasks',
    type: 'task.done.v1',
    subject: personId,
    time: monday,
    data: { taskId, outcome: 'missed' },
  }
  // Signed for another outcome.
  const forged = signEvent({ ...event, data: { taskId, outcome: 'reached' } }, secret)
  await flow.publish(event, { ...forged, data: event.data }, { ...event, source: 'urn:test:ehr' })
  expect(await only('preparation', 'open')).toMatchObject({ state: 'open' })
  await until(() => expectLedgerHolds(flow))
})
