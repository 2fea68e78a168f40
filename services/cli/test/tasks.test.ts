import { newUuid } from '@wegwijs/runtime/derived-id'
import { exitCodes } from '@wegwijs/runtime/failure'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { insertRows } from '@wegwijs/store/rows'
import { liftStop, stopOperation } from '@wegwijs/store/stops'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { run } from './run.ts'

/** What teams have to do, as whoever does it lists it and says what came of it. */
const { databaseUrl } = inject('servers')
const monday = '2026-03-02T09:00:00.000Z'
const says = (nl: string, en: string) => ({ nl, en })

let store: Store
let personId: string
const tasks = { soon: newUuid(), later: newUuid(), over: newUuid() }
beforeAll(async () => {
  store = await openNamespace(databaseUrl, 'cli_tasks')
  await applyDefinition(store, smallHospital([campaign({ id: 'aftercare' })]), 'test')
  const [seeded] = await seedMessages(store, 1)
  if (!seeded) throw new RangeError('nobody is there')
  personId = seeded.personId
  const row = (taskId: string, over: object) => ({
    person_id: seeded.personId,
    task_id: taskId,
    enrolment_id: seeded.enrolmentId,
    campaign_id: 'aftercare',
    version: 1,
    step: '0',
    name: 'call',
    team: 'nurses',
    title: says('Bel', 'Call'),
    outcomes: [
      { outcome: 'reached', says: says('Gesproken', 'Spoken to') },
      { outcome: 'missed', says: says('Niet bereikt', 'Not reached') },
    ],
    state: 'open',
    reason: null,
    made_at: monday,
    due_at: monday,
    ...over,
  })
  const rows = [
    row(tasks.later, { due_at: '2026-03-04T09:00:00.000Z', team: 'desk' }),
    row(tasks.soon, {}),
    row(tasks.over, { state: 'withdrawn', reason: 'exit_touchpoint' }),
  ]
  await insertRows(store.db, 'task', Object.keys(rows[0] ?? {}) as never, rows as never)
})
afterAll(() => store.close())

function cli(...words: string[]) {
  return run(words, {
    WEGWIJS_NAMESPACE: store.namespace,
    WEGWIJS_DATABASE_URL: databaseUrl,
    WEGWIJS_SECRET: 'a secret of this test, long enough to be one',
  })
}

const idsIn = (listed: unknown) => (listed as { taskId: string }[]).map(({ taskId }) => taskId)

test('what is open is listed, what is due first, first; all of it when it is asked for', async () => {
  expect(idsIn((await cli('tasks', '--json')).json())).toEqual([tasks.soon, tasks.later])
  expect(idsIn((await cli('tasks', '--team', 'desk', '--json')).json())).toEqual([tasks.later])
  expect(idsIn((await cli('tasks', '--limit', '1', '--json')).json())).toEqual([tasks.soon])
  expect(idsIn((await cli('tasks', '--all', '--json')).json())).toContain(tasks.over)
  const { out } = await cli('tasks', '--language', 'nl')
  expect(out).toMatch(/nurses +Bel .*reached, missed/)
  expect(out).not.toContain('Call')
})

test('the first word of what came of a task counts, and every other one says why it does not', async () => {
  const done = (id: string, outcome: string, by = 'eva') =>
    cli('task', 'done', id, '--outcome', outcome, '--by', by)
  const refused: [Promise<{ code: number; err: string }>, string][] = [
    [done('7', 'reached'), 'there is no task 7; see `wegwijs tasks`'],
    [done(newUuid(), 'reached'), 'there is no task'],
    [done(tasks.soon, 'perhaps'), 'the task has no outcome "perhaps"; it has reached, missed'],
  ]
  for (const [answer, words] of refused) {
    expect(await answer).toMatchObject({ code: exitCodes.usage })
    expect((await answer).err).toContain(words)
  }
  const said = await cli(
    'task',
    'done',
    tasks.soon,
    '--outcome',
    'reached',
    '--by',
    'eva',
    '--json',
  )
  expect(said).toMatchObject({ code: 0 })
  expect(said.json()).toEqual({ taskId: tasks.soon, outcome: 'reached', takenBack: null })
  expect((await done(tasks.soon, 'missed', 'jan')).err).toContain(
    'cli:eva has said of this task that it came to "reached"; the first word counts',
  )
  expect(idsIn((await cli('tasks', '--json')).json())).toEqual([tasks.later])
})

test('what came of a task that was taken back is kept, and nothing follows', async () => {
  expect((await cli('tasks', '--all')).out).toMatch(/withdrawn: exit_touchpoint +reached, missed/)
  const { code, err } = await cli('task', 'done', tasks.over, '--outcome', 'missed', '--by', 'eva')
  expect(code).toBe(0)
  expect(err).toContain('had been taken back (exit_touchpoint), so nothing follows from it')
  expect((await cli('tasks', '--all')).out).toMatch(
    /withdrawn: exit_touchpoint +missed, said too late/,
  )
})

test('what is in the way of a task keeps it off the list, and says so to whoever looks for it or has done it', async () => {
  const words = { reason: 'asked', source: 'cli:eva' }
  const stop = (scope: 'campaign' | 'all', target: string) => () =>
    stopOperation(store.db, { scope, target }, words)
  const obstacles: [string, () => Promise<string>][] = [
    ['sending_stopped', stop('all', '')],
    ['campaign_stopped', stop('campaign', 'aftercare')],
    ['person_stopped', () => stopOf('staff')],
    ['consent_withdrawn', () => stopOf('consent')],
    ['person_deceased', () => stopOf('death')],
  ]
  for (const [held, begin] of obstacles) {
    const stopId = await begin()
    expect(idsIn((await cli('tasks', '--json')).json()), held).toEqual([])
    expect((await cli('tasks', '--all')).out).toMatch(new RegExp(`open, held: ${held} `))
    const { code, err } = await cli(
      'task',
      'done',
      tasks.later,
      '--outcome',
      'reached',
      '--by',
      'eva',
    )
    expect(code).toBe(exitCodes.usage)
    expect(err).toContain(`the task is not to be done now (${held})`)
    await liftStop(store.db, stopId, words)
    expect(idsIn((await cli('tasks', '--json')).json()), held).toEqual([tasks.later])
  }
})

test('who is too young by rules of age that were applied since is not to be called for what asks for a consent', async () => {
  const { policies, ...rest } = smallHospital([campaign({ id: 'aftercare' })])
  const { care, ...others } = policies.classes
  const classes = { ...others, care: { ...care, consent: 'required' as const } }
  await store.db.updateTable('person').set({ fields: '{"birthYear": 2012}' }).execute()
  await applyDefinition(
    store,
    { ...rest, policies: { ...policies, classes, ages: [{ under: 16, to: ['parent'] }] } },
    'test',
  )
  expect(idsIn((await cli('tasks', '--json')).json())).toEqual([])
  expect((await cli('tasks', '--all')).out).toMatch(/open, held: recipient_by_age /)
  const { code, err } = await cli(
    'task',
    'done',
    tasks.later,
    '--outcome',
    'reached',
    '--by',
    'eva',
  )
  expect(code).toBe(exitCodes.usage)
  expect(err).toContain(
    'the task is not to be done now (recipient_by_age): at this age it is meant for somebody else',
  )
  await applyDefinition(store, { ...rest, policies }, 'test')
  expect(idsIn((await cli('tasks', '--json')).json())).toEqual([tasks.later])
})

/** A stop of the person of the tasks, as the gateway writes it down before it answers. */
async function stopOf(kind: 'staff' | 'consent' | 'death'): Promise<string> {
  const stopId = newUuid()
  const row = {
    person_id: personId,
    stop_id: stopId,
    kind,
    reason: kind,
    source: 'urn:test',
    at: monday,
  }
  await store.db.insertInto('person_stop').values(row).execute()
  return stopId
}

test('without an outcome nothing is written down', async () => {
  const { code, err } = await cli('task', 'done', tasks.later)
  expect(code).toBe(exitCodes.usage)
  expect(err).toContain('--outcome')
  expect(idsIn((await cli('tasks', '--json')).json())).toEqual([tasks.later])
})

test('a task that cannot be read is listed as that beside the others, and nobody says what came of it', async () => {
  const { later: taskId } = tasks
  const damage = (column: 'title' | 'outcomes', value: string) =>
    store.db
      .updateTable('task')
      .set({ [column]: value })
      .where('task_id', '=', taskId)
      .execute()
  const [before] = await store.db
    .selectFrom('task')
    .select(['title', 'outcomes'])
    .where('task_id', '=', taskId)
    .execute()
  await damage('title', '"Call"')
  await damage('outcomes', '{"reached": true}')
  const { out, code } = await cli('tasks', '--all')
  expect(code).toBe(0)
  expect(out).toMatch(new RegExp(`${taskId} .*\\(cannot be read\\) .*\\(cannot be read\\)`))
  expect(out).toMatch(/ Call .*withdrawn/)
  const done = await cli('task', 'done', taskId, '--outcome', 'reached', '--by', 'eva')
  expect(done.code).not.toBe(0)
  expect(done.err).toContain(`WEGWIJS_STORED_ROW_UNREADABLE: task.outcomes of ${taskId}`)
  await damage('title', JSON.stringify(before?.title))
  await damage('outcomes', JSON.stringify(before?.outcomes))
})
