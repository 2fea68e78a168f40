import { stepBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { readPersonFacts } from '@wegwijs/store/explain'
import { listTasks, sayTaskDone } from '@wegwijs/store/tasks'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { expect, inject, onTestFinished, test } from 'vitest'
import { secret, type Told, workerOn } from './told.ts'

const now = '2026-03-02T09:00:00.000Z'
const says = (text: string) => ({ nl: text, en: text })
const call = {
  task: {
    id: 'call',
    team: 'nurses',
    title: says('Bel'),
    within: 'P1D',
    outcomes: [{ outcome: 'reached', says: says('Gesproken'), steps: [message('hello')] }],
    otherwise: [message('later')],
  },
}
const bundle = smallHospital([
  campaign({ id: 'friends', class: 'marketing', steps: [call] }),
  campaign({ id: 'aftercare', steps: [call] }),
])
const ages = [{ under: 16, to: ['parent' as const] }]
const definition = { ...bundle, policies: { ...bundle.policies, ages } }

const about = (type: string, data: Told['data'], time = now): Told => {
  return { subject: 'p', type, time, data }
}
const discharged = about('care.discharge.completed.v1', {})
const withdrawn = about('consent.withdrawn.v1', { purpose: 'all', origin: 'person' })

/** Somebody who was called by no one yet, of two campaigns that have them called. */
async function open() {
  const store = await openNamespace(inject('servers').databaseUrl, 'task')
  onTestFinished(store.close)
  await stepBusinessTime(store.db, now)
  await applyDefinition(store, definition, 'test')
  const worker = workerOn(store)
  await worker.hear([
    about('person.upserted.v1', { birthYear: 1950, contacts: { email: 'p@example.org' } }),
    about('consent.granted.v1', { purpose: 'marketing', origin: 'person' }),
    discharged,
  ])
  const tasks = async () =>
    new Map(
      (await listTasks(store.db, { team: null, state: null, limit: 10 })).map((task) => [
        task.campaignId,
        task,
      ]),
    )
  return { store, worker, tasks }
}

async function sentIn({ db }: Store): Promise<string[]> {
  const rows = await db.selectFrom('intent').select(['campaign_id', 'message_id']).execute()
  return rows.map((row) => `${row.campaign_id} ${row.message_id}`).sort()
}

async function notedIn({ db }: Store, personId: string, reason: string): Promise<unknown[]> {
  const { decisions = [] } = (await readPersonFacts(db, personId)) ?? {}
  return decisions
    .filter((decision) => decision.reason === reason)
    .map(({ campaignId, detail }) => ({ campaign: campaignId, ...detail }))
}

test('what somebody said of a task counts, also when a no that came later is read first', async () => {
  const { store, worker, tasks } = await open()
  const { taskId = '', personId = '' } = (await tasks()).get('aftercare') ?? {}
  const said = { taskId, outcome: 'reached', by: 'cli:eva' }
  expect(await sayTaskDone(store, said, secret)).toEqual({ refusal: null, takenBack: null })
  await worker.hear([withdrawn])
  const both = await tasks()
  expect(both.get('friends')).toMatchObject({ state: 'withdrawn', reason: 'consent_withdrawn' })
  expect(both.get('aftercare')).toMatchObject({ state: 'done', outcome: 'reached' })
  expect(await sentIn(store)).toEqual(['aftercare hello', 'friends later'])
  const noted = [
    { campaign: 'aftercare', step: '0', task: 'call', taskId, outcome: 'reached', arm: 0 },
  ]
  expect(await notedIn(store, personId, 'task_done')).toEqual(noted)
  const event = about('task.done.v1', { taskId, outcome: 'reached' })
  await worker.hear([{ ...event, subject: personId }])
  expect(await sentIn(store)).toEqual(['aftercare hello', 'friends later'])
  expect(await notedIn(store, personId, 'task_done')).toEqual(noted)
})

test('what somebody said in time counts, also when the time is over before it is read', async () => {
  const { store, worker, tasks } = await open()
  const { taskId = '' } = (await tasks()).get('aftercare') ?? {}
  await sayTaskDone(store, { taskId, outcome: 'reached', by: 'cli:eva' }, secret)
  await stepBusinessTime(store.db, '2026-03-04T09:00:00.000Z')
  await worker.fireAll()
  expect((await tasks()).get('aftercare')).toMatchObject({ state: 'done', outcome: 'reached' })
  expect(await sentIn(store)).toEqual(['aftercare hello', 'friends later'])
})

test('what is said of a task that was taken back is kept with who said it, and is told', async () => {
  const { store, worker, tasks } = await open()
  const { taskId = '', personId = '' } = (await tasks()).get('aftercare') ?? {}
  await worker.hear([withdrawn])
  const said = { taskId, outcome: 'reached', by: 'cli:eva' }
  expect(await sayTaskDone(store, said, secret)).toEqual({
    refusal: null,
    takenBack: 'consent_withdrawn',
  })
  const event = about('task.done.v1', { taskId, outcome: 'reached' })
  await worker.hear([{ ...event, subject: personId }])
  expect((await tasks()).get('aftercare')).toMatchObject({
    ...{ state: 'withdrawn', reason: 'consent_withdrawn' },
    ...{ outcome: 'reached', saidBy: 'cli:eva', saidAt: now },
  })
  expect(await notedIn(store, personId, 'task_closed')).toEqual([
    { campaign: 'aftercare', step: '0', task: 'call', taskId, outcome: 'reached' },
  ])
  expect(await sentIn(store)).toEqual(['aftercare later', 'friends later'])
})

test('a year of birth by which somebody is too young takes back what asks for a consent', async () => {
  const { worker, tasks } = await open()
  await worker.hear([about('person.upserted.v1', { birthYear: 2012 }, '2026-03-02T09:00:01.000Z')])
  const both = await tasks()
  expect(both.get('friends')).toMatchObject({ state: 'withdrawn', reason: 'recipient_by_age' })
  expect(both.get('aftercare')).toMatchObject({ state: 'open' })
})

test('rules of age that are applied while it is open hold what asks for a consent, by the age at which it is due', async () => {
  const { store, tasks } = await open()
  const { taskId = '' } = (await tasks()).get('friends') ?? {}
  const held = async () => {
    const both = await tasks()
    return [both.get('friends')?.held, both.get('aftercare')?.held]
  }
  const toParentsUnder = (under: number) =>
    applyDefinition(
      store,
      { ...bundle, policies: { ...bundle.policies, ages: [{ under, to: ['parent'] }] } },
      'test',
    )
  expect(await held()).toEqual([null, null])
  // Whoever was born in 1950 is 76 all year.
  await toParentsUnder(77)
  expect(await held()).toEqual(['recipient_by_age', null])
  const say = () => sayTaskDone(store, { taskId, outcome: 'reached', by: 'cli:eva' }, secret)
  expect(await say()).toEqual({ refusal: { why: 'held', reason: 'recipient_by_age' } })
  // In Amsterdam that is in the new year.
  await store.db.updateTable('task').set({ due_at: '2026-12-31T23:30:00.000Z' }).execute()
  expect(await held()).toEqual([null, null])
  await store.db.updateTable('person').set({ time_zone: 'Europe/Lisbon' }).execute()
  expect(await held()).toEqual(['recipient_by_age', null])
  await toParentsUnder(76)
  expect(await held()).toEqual([null, null])
  expect(await say()).toEqual({ refusal: null, takenBack: null })
})

test('rules of age that cannot be read hold what asks for a consent about everybody whose age is known', async () => {
  const { store, tasks } = await open()
  const held = async (policies: object) => {
    const stored = JSON.stringify({
      ...definition,
      policies: { ...definition.policies, ...policies },
    })
    await store.db.updateTable('definition').set({ bundle: stored }).execute()
    const both = await tasks()
    return [both.get('friends')?.held, both.get('aftercare')?.held]
  }
  expect(await held({ ages: [{ under: '16', to: ['parent'] }] })).toEqual([
    'recipient_by_age',
    null,
  ])
  expect(await held({ timeZone: 'Atlantis' })).toEqual(['recipient_by_age', null])
  expect(await held({})).toEqual([null, null])
  await store.db.updateTable('person').set({ fields: '{}' }).execute()
  expect(await held({ ages: 'none' })).toEqual([null, null])
})
