import { stepBusinessTime } from '@wegwijs/store/business-clock'
import { applyDefinition } from '@wegwijs/store/definitions'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { expect, inject, onTestFinished, test } from 'vitest'
import { type Told, workerOn } from './told.ts'

const now = '2026-03-02T09:00:00.000Z'
const wait = { wait: { for: 'P1D' } }
const definition = (steps: object[], over = {}) =>
  smallHospital([campaign({ id: 'aftercare', steps: steps as never, ...over })])
const discharge = (subject: string): Told => ({
  subject,
  type: 'care.discharge.completed.v1',
  time: now,
  data: {},
})
const unreadable = { code: 'WEGWIJS_STORED_DEFINITION_UNREADABLE' }

test('a definition that cannot be read costs nobody an event, a timer or a move', async () => {
  const store = await openNamespace(inject('servers').databaseUrl, 'unreadable')
  onTestFinished(store.close)
  await stepBusinessTime(store.db, now)
  await applyDefinition(store, definition([wait, message('hello')]), 'test')
  const worker = workerOn(store)
  await worker.hear([discharge('a'), discharge('b')])
  await stepBusinessTime(store.db, '2026-03-03T09:00:00.000Z')
  // By a newer Wegwijs, as far as this one can tell.
  await applyDefinition(store, definition([wait, message('later')], { move: { from: 1 } }), 'test')
  const { bundle } = await store.db
    .selectFrom('definition')
    .select('bundle')
    .where('revision', '=', 2)
    .executeTakeFirstOrThrow()
  const stores = (stored: unknown) =>
    store.db
      .updateTable('definition')
      .set({ bundle: JSON.stringify(stored) })
      .where('revision', '=', 2)
      .execute()
  await stores({ ...(bundle as object), gossip: [] })
  const timers = () => store.db.selectFrom('timer').select(['person_id', 'due_at']).execute()
  const before = await timers()

  await expect(worker.hear([discharge('c'), discharge('d')])).rejects.toMatchObject(unreadable)
  await expect(worker.fireAll()).rejects.toMatchObject(unreadable)
  await expect(worker.rollOutAll()).rejects.toMatchObject(unreadable)
  expect(await timers()).toEqual(before)
  expect(await store.db.selectFrom('dead_letter').selectAll().execute()).toEqual([])

  await stores(bundle)
  await worker.rollOutAll()
  await worker.hear([discharge('c'), discharge('d')])
  await worker.fireAll()
  const runs = await store.db.selectFrom('enrolment').select(['version', 'state']).execute()
  expect(runs.map(({ version, state }) => `${version} ${state}`).sort()).toEqual([
    '2 completed',
    '2 completed',
    '2 running',
    '2 running',
  ])
})

test('a version that cannot be read stops nobody until somebody who was in it is to be decided about', async () => {
  const store = await openNamespace(inject('servers').databaseUrl, 'unreadable_version')
  onTestFinished(store.close)
  await stepBusinessTime(store.db, now)
  const answered = 'care.survey.answered.v1'
  const goal = { touchpoint: answered, within: 'P21D' }
  await applyDefinition(store, definition([message('hello')], { goal }), 'test')
  const worker = workerOn(store)
  await worker.hear([discharge('a')])
  await applyDefinition(store, definition([message('later')], { goal }), 'test')
  await store.db
    .updateTable('campaign_version')
    .set({ content: '{}' as never })
    .where('version', '=', 1)
    .execute()

  await worker.hear([discharge('b')])
  const answers = (subject: string) => worker.hear([{ ...discharge(subject), type: answered }])
  await answers('b')
  await expect(answers('a')).rejects.toMatchObject(unreadable)
  expect(await store.db.selectFrom('dead_letter').selectAll().execute()).toEqual([])
  const runs = await store.db.selectFrom('enrolment').select(['version', 'goal_at']).execute()
  expect(runs.map((each) => [each.version, each.goal_at !== null]).sort()).toEqual([
    [1, false],
    [2, true],
  ])
})
