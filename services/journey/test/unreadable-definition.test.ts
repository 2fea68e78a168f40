import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import { applyDefinition } from '@wegwijs/store/definitions'
import { readPersonFacts } from '@wegwijs/store/explain'
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

const answered = 'care.survey.answered.v1'
const admitted = 'care.admission.started.v1'
const booked = 'care.appointment.booked.v1'

/** Somebody who is through version 1 of a campaign, of which `change` makes what is stored. */
async function throughUnreadable(name: string, first: DefinitionBundle, change: object) {
  const store = await openNamespace(inject('servers').databaseUrl, name)
  onTestFinished(store.close)
  await stepBusinessTime(store.db, now)
  await applyDefinition(store, first, 'test')
  const worker = workerOn(store)
  return {
    worker,
    rows: {
      runs: () => store.db.selectFrom('enrolment').selectAll().orderBy('version').execute(),
      messages: () => store.db.selectFrom('intent').selectAll().orderBy('turn').execute(),
    },
    /** What is said of it to each of them, in its order. */
    said: async () => {
      const people = await store.db.selectFrom('enrolment').select('person_id').execute()
      const facts = await Promise.all(
        people.map(({ person_id: id }) => readPersonFacts(store.db, id)),
      )
      const decisions = facts.flatMap((each) => each?.decisions ?? [])
      return decisions.flatMap(({ reason, detail }) =>
        reason === 'version_unreadable' ? [detail] : [],
      )
    },
    sent: () => store.db.updateTable('intent').set({ state: 'sent' }).execute(),
    stepTo: async (instant: string) => {
      await stepBusinessTime(store.db, instant)
      await worker.fireAll()
    },
    /** Another version is live, which neither ends by anything nor is for anything. */
    async becomesUnreadable() {
      await applyDefinition(
        store,
        definition([message('later')], { trigger: { manual: true } }),
        'test',
      )
      const versions = store.db.selectFrom('campaign_version').where('version', '=', 1)
      const { content } = await versions.select('content').executeTakeFirstOrThrow()
      const stored = JSON.stringify({ ...(content as object), ...change })
      await store.db
        .updateTable('campaign_version')
        .set({ content: stored as never })
        .where('version', '=', 1)
        .execute()
    },
  }
}

const hidden = { steps: [{ whisper: {} }] }
const asked = { field: 'event.tone', op: 'sounds-like', value: 'angry' }
const told = { field: 'enrolment.hello.status', op: 'eq', value: 'planned' }

test('exits and goals of a version that cannot be read hold for who is through it', async () => {
  const goal = { touchpoint: answered, within: 'P21D' }
  const first = definition([message('hello')], { goal, exit: [{ touchpoint: admitted }] })
  const { worker, rows, becomesUnreadable } = await throughUnreadable('read_exits', first, hidden)
  await worker.hear([discharge('a'), discharge('b')])
  await becomesUnreadable()
  await worker.hear([{ ...discharge('a'), type: answered }])
  await worker.hear([{ ...discharge('b'), type: admitted }])
  expect((await rows.runs()).map((run) => [run.reason, run.goal_at]).sort()).toEqual([
    ['exit_touchpoint', null],
    ['goal_reached', now],
  ])
  expect((await rows.messages()).map(({ state, reason }) => [state, reason]).sort()).toEqual([
    ['cancelled', 'exit_touchpoint'],
    ['cancelled', 'goal_reached'],
  ])
})

test.each([
  ['exit', { exit: [{ touchpoint: answered, where: asked }] }],
  ['goal', { goal: { touchpoint: answered, within: 'P21D', where: asked, mood: 'good' } }],
  ['exit on what became of a step', { ...hidden, exit: [{ touchpoint: answered, where: told }] }],
  [
    'goal on what became of a step',
    { ...hidden, goal: { touchpoint: answered, within: 'P21D', where: told } },
  ],
])(
  'where it is not clear whether an %s is meant nothing goes out, and it is said',
  async (part, change) => {
    const { worker, rows, said, becomesUnreadable } = await throughUnreadable(
      `unclear_${part.replaceAll(' ', '_').slice(0, 12)}`,
      definition([message('hello')]),
      change,
    )
    await worker.hear([discharge('a')])
    await becomesUnreadable()
    await worker.hear([{ ...discharge('a'), type: answered }])
    expect(await rows.messages()).toMatchObject([
      { state: 'cancelled', reason: 'version_unreadable' },
    ])
    expect(await rows.runs()).toMatchObject([{ reason: 'version_unreadable', goal_at: null }])
    expect(await said()).toEqual([{ message: 'hello' }, null])
  },
)

test('a late receipt takes back the next of a cascade of a version that cannot be read (P2)', async () => {
  const channels = { cascade: ['email', 'sms'] as ('email' | 'sms')[], after: 'PT30M' }
  const { worker, rows, sent, stepTo, becomesUnreadable } = await throughUnreadable(
    'unread_cascade',
    definition([message('hello', { channels })]),
    hidden,
  )
  await worker.hear([discharge('a')])
  await sent()
  await stepTo('2026-03-02T09:30:00.000Z')
  await stepTo('2026-03-02T10:00:00.000Z')
  await becomesUnreadable()
  const [hello] = await rows.messages()
  await worker.hear([
    {
      ...discharge(hello?.person_id ?? ''),
      type: 'message.delivered.v1',
      data: { intentId: hello?.intent_id ?? '', provider: 'smtp', channel: 'email' },
    },
  ])
  expect(await rows.messages()).toMatchObject([
    { state: 'delivered' },
    { state: 'cancelled', reason: 'awaited_after_all' },
  ])
})

test.each([
  ['what can be read of it is told anew', 1, ['cancelled', 'planned'], []],
  ['what cannot is not told, and it is said', 0, ['cancelled'], [{ message: 'hello' }]],
])('of an appointment that moves: %s', async (_, hole, states, notes) => {
  const steps = [
    message('hello', {
      send: { until: 'entity.startsAt', offset: '-P1D', on: 'any-day' } as never,
    }),
    { set: { field: 'person.hasCarer', to: true } },
  ]
  const first = definition(steps as never, { trigger: { touchpoint: booked } })
  const { worker, rows, said, becomesUnreadable } = await throughUnreadable(
    `unread_move_${hole}`,
    first,
    { steps: steps.with(hole, { whisper: {} } as never) },
  )
  const appointment = (version: number, startsAt: string): Told => ({
    ...discharge('a'),
    type: version === 1 ? booked : 'care.appointment.moved.v1',
    data: { startsAt },
    entity: 'appointment/1',
    version,
  })
  await worker.hear([appointment(1, '2026-03-20T09:00:00.000Z')])
  await becomesUnreadable()
  await worker.hear([appointment(2, '2026-03-27T09:00:00.000Z')])
  expect((await rows.messages()).map(({ state }) => state).sort()).toEqual(states)
  expect(await said()).toEqual(notes)
  expect(await rows.runs()).toMatchObject([{ state: 'completed' }])
})
