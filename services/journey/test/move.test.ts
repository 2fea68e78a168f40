import { stepBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { planDefinition } from '@wegwijs/store/definition-plan'
import { applyDefinition } from '@wegwijs/store/definitions'
import { type Death, deathsIn, openMortalStore } from '@wegwijs/test-support/mortal-store'
import { emptyNamespace, openNamespace } from '@wegwijs/test-support/namespace'
import { pictureOf } from '@wegwijs/test-support/picture'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { expect, inject, onTestFinished, test } from 'vitest'
import { type Told, workerOn } from './told.ts'

type Campaign = Parameters<typeof campaign>[0]

const now = '2026-03-02T09:00:00.000Z'
const on = 'any-day' as const
const look = (duration: string) => ({ wait: { for: duration, on, id: 'look' } })

function aftercare(steps: Campaign['steps'], move?: Campaign['move']) {
  return smallHospital([
    campaign({ id: 'aftercare', entry: 'every-time', steps, ...(move ? { move } : {}) }),
  ])
}
const first = aftercare([
  message('hello', { send: { for: 'P4D', on } }),
  look('P2D'),
  message('later'),
])
const second = aftercare([look('P5D'), message('later')], { from: 1 })

const discharged = (subject: string): Told => ({
  subject,
  type: 'care.discharge.completed.v1',
  time: now,
  data: {},
})

async function open(name: string): Promise<Store> {
  const store = await openNamespace(inject('servers').databaseUrl, name)
  onTestFinished(store.close)
  return store
}

async function begin(store: Store, subjects: readonly string[], definition = first) {
  await emptyNamespace(store)
  await stepBusinessTime(store.db, now)
  await applyDefinition(store, definition, 'test')
  const worker = workerOn(store)
  await worker.hear(subjects.map(discharged))
  await stepBusinessTime(store.db, '2026-03-03T09:00:00.000Z')
  return worker
}

const runsIn = ({ db }: Store) =>
  db
    .selectFrom('enrolment as e')
    .leftJoin('timer as t', (join) =>
      join.onRef('t.person_id', '=', 'e.person_id').onRef('t.enrolment_id', '=', 'e.enrolment_id'),
    )
    .select(['e.version', 'e.step', 'e.state', 't.due_at'])
    .execute()

const messagesIn = ({ db }: Store) =>
  db
    .selectFrom('intent')
    .select(['message_id', 'version', 'step', 'state', 'reason'])
    .orderBy('message_id')
    .execute()

test('people go on in the version that moves them, their waits timed by it, in batches', async () => {
  const store = await open('move')
  const worker = await begin(
    store,
    Array.from({ length: 250 }, (_, index) => `p${index}`),
  )
  const [planned] = (await planDefinition(store, second)).campaigns
  expect(planned?.move).toEqual({ from: 1, steps: [{ from: 'look', to: 'look', people: 250 }] })
  await applyDefinition(store, second, 'test')
  await worker.hear([discharged('new')])
  await worker.rollOutAll()
  const runs = await runsIn(store)
  expect(new Set(runs.map((run) => JSON.stringify(run)))).toEqual(
    new Set([
      JSON.stringify({
        version: 2,
        step: '0',
        state: 'running',
        due_at: '2026-03-07T09:00:00.000Z',
      }),
      // Who entered after it waits from when they entered.
      JSON.stringify({
        version: 2,
        step: '0',
        state: 'running',
        due_at: '2026-03-08T09:00:00.000Z',
      }),
    ]),
  )
  const messages = await messagesIn(store)
  expect(messages).toHaveLength(250)
  expect(messages[0]).toMatchObject({ state: 'cancelled', reason: 'moved_to_version' })
  const reasons = await store.db.selectFrom('decision').select('reason').execute()
  expect(reasons.filter(({ reason }) => reason === 'moved_to_version')).toHaveLength(500)
  // Once more there is nothing to do.
  await worker.rollOutAll()
  expect(await runsIn(store)).toEqual(runs)
  await stepBusinessTime(store.db, '2026-03-08T09:00:00.000Z')
  await worker.fireAll()
  expect((await messagesIn(store)).filter(({ message_id }) => message_id === 'later')).toHaveLength(
    251,
  )
})

test('whoever publishes the version before again goes back, and takes people along if it says so', async () => {
  const store = await open('rollback')
  const worker = await begin(store, ['p1'])
  await applyDefinition(store, second, 'test')
  await worker.rollOutAll()
  const [entered] = first.campaigns
  const back = aftercare(entered?.steps ?? [], { from: 2, steps: {}, withdraw: [] })
  await applyDefinition(store, back, 'test')
  await worker.rollOutAll()
  expect(await runsIn(store)).toEqual([
    { version: 3, step: '1', state: 'running', due_at: '2026-03-04T09:00:00.000Z' },
  ])
  // Without a move nobody goes along.
  await applyDefinition(store, first, 'test')
  await worker.rollOutAll()
  expect(await runsIn(store)).toMatchObject([{ version: 3 }])
})

test('whoever stands at a task keeps the one that there is, and leaves none behind', async () => {
  const says = (text: string) => ({ nl: text, en: text })
  const call = (within: string) => ({
    task: {
      id: 'call',
      team: 'nurses',
      title: says('Bel'),
      within,
      outcomes: [{ outcome: 'reached', says: says('Gesproken') }],
    },
  })
  const withTeams = (bundle: ReturnType<typeof aftercare>) => ({
    ...bundle,
    policies: { ...bundle.policies, teams: [{ id: 'nurses', name: says('Verpleging') }] },
  })
  const store = await open('move_task')
  const worker = await begin(store, ['p1'], withTeams(aftercare([call('P5D')])))
  const tasks = () =>
    store.db.selectFrom('task').select(['name', 'state', 'step']).orderBy('made_at').execute()
  expect(await tasks()).toEqual([{ name: 'call', state: 'open', step: '0' }])

  const later = withTeams(aftercare([message('hello'), call('P7D')], { from: 1 }))
  await applyDefinition(store, later, 'test')
  await worker.rollOutAll()
  expect(await tasks()).toEqual([{ name: 'call', state: 'open', step: '1' }])

  const renamed = call('P7D')
  renamed.task.outcomes = [{ outcome: 'spoken', says: says('Gesproken') }]
  await expect(
    applyDefinition(store, withTeams(aftercare([renamed], { from: 2 })), 'test'),
  ).rejects.toThrow('step "call" of version 2 may still come to "reached"')

  const without = aftercare([message('hello')], { from: 2, steps: { call: 'end' } })
  await applyDefinition(store, without, 'test')
  await worker.rollOutAll()
  expect(await tasks()).toMatchObject([{ name: 'call', state: 'withdrawn' }])
})

test('a version that leaves a step without a counterpart changes nothing, nor does its plan', async () => {
  const store = await open('incomplete')
  await begin(store, ['p1'])
  const lost = aftercare([message('hello')], { from: 1 })
  const failure = { code: 'WEGWIJS_MOVE_INCOMPLETE' }
  await expect(planDefinition(store, lost)).rejects.toMatchObject(failure)
  await expect(applyDefinition(store, lost, 'test')).rejects.toMatchObject(failure)
  await expect(
    applyDefinition(store, aftercare([look('P1D')], { from: 7 }), 'test'),
  ).rejects.toMatchObject(failure)
  const versions = await store.db.selectFrom('campaign_version').select('version').execute()
  expect(versions).toEqual([{ version: 1 }])
  expect(await runsIn(store)).toMatchObject([{ version: 1, state: 'running' }])
})

test('a message with a worker stays of the version in which it was planned', async () => {
  const store = await open('with-worker')
  const worker = await begin(store, ['p1'])
  await store.db.updateTable('intent').set({ state: 'sending' }).execute()
  await applyDefinition(store, second, 'test')
  await worker.rollOutAll()
  expect(await messagesIn(store)).toMatchObject([{ version: 1, state: 'sending' }])
})

const guide = (text: string, move?: Campaign['move']) =>
  aftercare(
    [
      message('hello', { send: { for: 'P4D', on } }),
      message('later', { id: text, template: 'later', send: { for: 'P4D', on } }),
    ],
    move,
  )
const guideTakenBack = guide('rest', { from: 1, steps: {}, withdraw: ['hello'] })

test('what is planned of runs that are through is reached, in batches, and by a version after the next', async () => {
  const store = await open('move-through')
  const names = Array.from({ length: 250 }, (_, index) => `p${index}`)
  const worker = await begin(store, names, guide('rest'))
  const [, done] = await store.db.selectFrom('enrolment').select('enrolment_id').execute()
  await store.db
    .updateTable('intent')
    .set({ state: 'delivered' })
    .where('enrolment_id', '=', done?.enrolment_id ?? '')
    .execute()
  const plan = async (bundle: typeof first) => (await planDefinition(store, bundle)).campaigns[0]
  const messages = (withdrawn: boolean) => [
    { message: 'hello', runs: 249, withdrawn },
    { message: 'rest', runs: 249, withdrawn: false },
  ]
  const staying = aftercare([message('hello')])
  expect(await plan(staying)).toMatchObject({
    inFlight: [],
    through: [{ version: 1, runs: 249, messages: messages(false) }],
  })
  expect((await plan(guideTakenBack))?.through).toMatchObject([{ messages: messages(true) }])
  const counted = async () => ({
    runs: Object.fromEntries(
      [...Map.groupBy(await runsIn(store), ({ version, state }) => `${version} ${state}`)].map(
        ([key, own]) => [key, own.length],
      ),
    ),
    pending: (await messagesIn(store)).filter(({ state }) => state === 'planned').length,
  })
  await applyDefinition(store, guideTakenBack, 'test')
  await worker.rollOutAll()
  expect(await counted()).toEqual({ runs: { '1 completed': 1, '2 completed': 249 }, pending: 249 })
  // What is left was planned by the first version, and is of the second one now.
  await applyDefinition(store, aftercare([message('hello')], { from: 2 }), 'test')
  await worker.rollOutAll()
  expect(await counted()).toEqual({ runs: { '1 completed': 1, '3 completed': 249 }, pending: 0 })
})

test('somebody whose move fails is passed over, and keeps nobody else waiting', async () => {
  const store = await open('passed-over')
  const worker = await begin(store, ['p1', 'p2', 'p3'])
  const [lost] = await store.db.selectFrom('enrolment').select('enrolment_id').execute()
  await store.db
    .updateTable('enrolment')
    .set({ step: '99' })
    .where('enrolment_id', '=', lost?.enrolment_id ?? '')
    .execute()
  await applyDefinition(store, second, 'test')
  await worker.rollOutAll()
  expect((await runsIn(store)).map(({ version }) => version).sort()).toEqual([1, 2, 2])
  expect(await store.db.selectFrom('rollout').select('rollout_id').execute()).toEqual([])
})

test.each([
  ['of people under way', first, second],
  ['of what is planned of runs that are through', guide('rest'), guideTakenBack],
])(
  'a worker that is killed before or after any step of a move %s leaves nothing undone and nothing done twice (P1, P2)',
  async (_, before, after) => {
    const store = await open('move-crash')
    const live = async (death: Death) => {
      await begin(store, ['p1', 'p2'], before)
      await applyDefinition(store, after, 'test')
      const { databaseUrl, namespace } = store
      const mortal = openMortalStore({ databaseUrl, namespace, applicationName: 'mortal' }, death)
      await workerOn(mortal)
        .rollOutAll()
        .catch(() => undefined)
      await workerOn(store).rollOutAll()
      await mortal.close()
      return { steps: mortal.steps, picture: [await runsIn(store), await pictureOf(store)] }
    }
    const whole = await live({ at: Number.POSITIVE_INFINITY, stepDone: false })
    expect(whole.steps).toBeGreaterThan(15)
    for (const death of deathsIn(whole.steps)) {
      const { picture } = await live(death)
      expect({ ...death, picture }).toEqual({ ...death, picture: whole.picture })
    }
  },
  240_000,
)
