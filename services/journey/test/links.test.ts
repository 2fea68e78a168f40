import { stepBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { expect, inject, onTestFinished, test } from 'vitest'
import { type Told, workerOn } from './told.ts'

const now = '2026-03-02T09:00:00.000Z'
const survey = 'care.survey.answered.v1'

/** Of somebody whom the customer system knows as `c1` and the hospital as `a`. */
const link: Told = {
  subject: 'a',
  type: 'person.identified.v1',
  time: now,
  data: { idSpace: 'crm', externalId: 'c1' },
}
const crm = (type: string, data: Told['data'] = {}, time = now): Told => ({
  source: 'urn:test:crm',
  subject: 'c1',
  type,
  time,
  data,
})
const no = crm('consent.withdrawn.v1', { purpose: 'marketing' })

async function open(campaigns: Parameters<typeof smallHospital>[0]): Promise<Store> {
  const store = await openNamespace(inject('servers').databaseUrl, 'links')
  onTestFinished(store.close)
  await stepBusinessTime(store.db, now)
  await applyDefinition(store, smallHospital(campaigns), 'test')
  return store
}

async function outcomesOf({ db }: Store, type: string): Promise<string[]> {
  const rows = await db
    .selectFrom('event')
    .select('outcome')
    .where('type', '=', type)
    .orderBy('outcome')
    .execute()
  return rows.map(({ outcome }) => outcome)
}

const statesIn = async ({ db }: Store) => {
  const rows = await db.selectFrom('intent').select(['state', 'reason']).execute()
  return rows.map(({ state, reason }) => `${state} ${reason}`).sort()
}

test('the end of a relation under a further id, read before the link to it, ends that of whom it was linked to (P3)', async () => {
  const store = await open([campaign({ id: 'any' })])
  const worker = workerOn(store)
  const carer = { idSpace: 'ehr', externalId: 'carer', kind: 'caregiver' }
  await worker.hear([
    {
      subject: 'a',
      type: 'relation.granted.v1',
      time: '2026-03-01T09:00:00.000Z',
      data: { ...carer, scope: ['care'] },
    },
  ])
  await worker.hear([crm('relation.ended.v1', carer)])
  await worker.hear([link])
  expect(await outcomesOf(store, link.type)).toEqual(['identity_linked'])
  const relations = await store.db
    .selectFrom('relation')
    .innerJoin('person_identity', 'person_identity.person_id', 'relation.person_id')
    .select(['external_id', 'state'])
    .where('external_id', '=', 'a')
    .execute()
  expect(relations).toEqual([{ external_id: 'a', state: 'ended' }])
})

test('who has been told something is known by more than a no, however long ago it ended (P2)', async () => {
  const store = await open([
    campaign({ id: 'thanks', entry: 'once', trigger: { touchpoint: survey } }),
  ])
  const worker = workerOn(store)
  await worker.hear([crm(survey)])
  await store.db.updateTable('intent').set({ state: 'delivered' }).execute()
  await worker.hear([{ subject: 'a', type: survey, time: now, data: {} }])
  await worker.hear([no])
  await worker.hear([link])
  expect({
    link: await outcomesOf(store, link.type),
    messages: await statesIn(store),
  }).toEqual({ link: ['identity_taken'], messages: ['delivered null', 'planned null'] })
})

test('a link leaves the date of this year that has come and was not decided yet', async () => {
  const store = await open([
    campaign({
      id: 'birthday',
      entry: 'every-time',
      trigger: { date: { field: 'person.bornOn', every: 'year', at: '10:00' } },
    }),
  ])
  const worker = workerOn(store)
  const attributes = { bornOn: '1950-03-03' }
  await worker.hear([{ subject: 'a', type: 'person.upserted.v1', time: now, data: { attributes } }])
  await stepBusinessTime(store.db, '2026-03-03T09:10:00.000Z')
  await worker.hear([no])
  await worker.hear([link])
  expect(await outcomesOf(store, link.type)).toEqual(['identity_linked'])
  await worker.fireAll()
  const runs = await store.db.selectFrom('enrolment').select('entered_at').execute()
  expect(runs).toEqual([{ entered_at: '2026-03-03T09:10:00.000Z' }])
})

const away = campaign({
  id: 'away',
  entry: 'every-time',
  trigger: {
    becomes: {
      all: [
        { not: { happened: { touchpoint: survey, within: 'P7D' } } },
        { happened: { touchpoint: survey, within: 'P30D' } },
      ],
    },
  },
  steps: [message('hello')],
})

test.each([
  ['a link', [no, link]],
  ['a merge', [{ ...link, type: 'person.merged.v1' }]],
] as const)('%s leaves the midnight that has come and was not decided yet', async (_, told) => {
  const store = await open([away])
  const worker = workerOn(store)
  await worker.hear([{ subject: 'a', type: survey, time: now, data: {} }])
  await stepBusinessTime(store.db, '2026-03-09T23:10:00.000Z')
  for (const each of told) await worker.hear([each])
  await worker.fireAll()
  const runs = await store.db.selectFrom('enrolment').select('entered_at').execute()
  expect(runs).toEqual([{ entered_at: '2026-03-09T23:10:00.000Z' }])
})

test.each(['person.merged.v1', 'person.identified.v1', 'relation.granted.v1', 'relation.ended.v1'])(
  'a %s that names an id of ours which nobody has is put aside (P1)',
  async (type) => {
    const store = await open([campaign({ id: 'any' })])
    const worker = workerOn(store)
    const named = { idSpace: 'wegwijs', externalId: 'ffffffff-0000-7000-8000-000000000000' }
    const data = { ...named, kind: 'caregiver', scope: ['care'] }
    await worker.hear([{ subject: 'a', type, time: now, data }])
    const letters = await store.db
      .selectFrom('dead_letter')
      .select(['error_class', 'reason', 'path'])
      .execute()
    expect({ letters, decided: await outcomesOf(store, type) }).toEqual({
      letters: [
        { error_class: 'data_invalid', reason: 'nobody has this id', path: 'data.externalId' },
      ],
      decided: [],
    })
  },
)

const other: Told = { ...link, id: 'link of b', subject: 'b' }
test.each<[string, Told[], string[]]>([
  ['of whoever spoke under it before', [crm(survey), link], ['identity_taken']],
  ['of whom it was linked to first', [link, other], ['identity_linked', 'identity_taken']],
  ['of whom it was linked to before they spoke', [link, crm(survey)], ['identity_linked']],
  [
    'of whom it was linked to first after a no under it',
    [no, link, other],
    ['identity_linked', 'identity_taken'],
  ],
  [
    'of whoever spoke under one with which theirs became one',
    [no, crm('person.merged.v1', { idSpace: 'ehr', externalId: 'b' }), link],
    ['identity_taken'],
  ],
])('an id is %s, whether or not both are read at once (P6)', async (_, told, outcomes) => {
  for (const atOnce of [1, told.length]) {
    const store = await open([
      campaign({ id: 'thanks', entry: 'every-time', trigger: { touchpoint: survey } }),
    ])
    const worker = workerOn(store)
    // What is known by more than a no.
    await worker.hear(['a', 'b'].map((subject) => ({ subject, type: survey, time: now, data: {} })))
    await store.db.updateTable('intent').set({ state: 'delivered' }).execute()
    for (let from = 0; from < told.length; from += atOnce)
      await worker.hear(told.slice(from, from + atOnce))
    expect({ atOnce, linked: await outcomesOf(store, link.type) }).toEqual({
      atOnce,
      linked: outcomes,
    })
  }
})
