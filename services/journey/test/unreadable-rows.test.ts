import type { JsonObject } from '@wegwijs/campaign/json'
import { silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { postponeTimers } from '@wegwijs/store/person-locks'
import type { Schema } from '@wegwijs/store/schema'
import { inTransaction } from '@wegwijs/store/transaction'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { createCurrentDefinition } from '../src/current-definition.ts'
import { rollOut } from '../src/rollouts.ts'
import { fireDueTimers } from '../src/timers.ts'
import { beforeTransactions } from './before-transactions.ts'
import { type Told, workerOn } from './told.ts'

const now = '2026-03-02T09:00:00.000Z'
const booked = 'care.appointment.booked.v1'
const moved = 'care.appointment.moved.v1'

let store: Store
beforeEach(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'unreadable_rows')
  await stepBusinessTime(store.db, now)
})
afterEach(() => store.close())

const appointment = (subject: string, version: number): Told => ({
  subject,
  type: version === 1 ? booked : moved,
  time: now,
  data: { startsAt: '2026-03-20T09:00:00.000Z' },
  entity: `appointment/${subject}`,
  version,
})

/** Two people who are in a campaign, one of whom has a row that is stored in another form. */
async function withDamage(table: keyof Schema, column: string, value: unknown) {
  const send = { until: 'entity.startsAt', offset: '-P1D', on: 'any-day' } as const
  await applyDefinition(
    store,
    smallHospital([
      campaign({
        id: 'guide',
        trigger: { touchpoint: booked },
        entry: 'once-per-entity',
        steps: [message('hello', { send }), { wait: { for: 'P1D' } }],
      }),
    ]),
    'test',
  )
  const worker = workerOn(store)
  await worker.hear([appointment('whole', 1), appointment('damaged', 1)])
  const { person_id } = await store.db
    .selectFrom('person_identity')
    .select('person_id')
    .where('external_id', '=', 'damaged')
    .executeTakeFirstOrThrow()
  await store.db
    .updateTable(table)
    .set({ [column]: column === 'channels' ? value : JSON.stringify(value) } as never)
    .where('person_id' as never, '=', person_id as never)
    .execute()
  return { worker, damagedId: person_id }
}

test.each<[keyof Schema, string, unknown]>([
  ['person', 'fields', ['Noor']],
  ['person', 'contacts', { email: 'noor@example.org' }],
  ['person', 'journeys', { operation: { phase: 'intake', episode: 'first' } }],
  ['person', 'happened', { k3v9: { '20515': 'twice' } }],
  ['entity', 'data', []],
  ['entity', 'said_in', { fields: {} }],
  ['enrolment', 'trigger', { type: booked }],
  ['enrolment', 'arms', { way: 3 }],
  ['intent', 'question', { text: 'Komt u?' }],
  ['intent', 'sending_window', { days: 'monday', opens: 'early' }],
  ['intent', 'channels', ['pigeon']],
])(
  'of %s nothing is decided by %s in another form; it is said where, and others go on',
  async (table, column, value) => {
    const { worker, damagedId } = await withDamage(table, column, value)
    await worker.hear([appointment('whole', 2), appointment('damaged', 2)])
    const letters = await store.db.selectFrom('dead_letter').selectAll().execute()
    expect(letters).toMatchObject([
      {
        error_class: 'apply_failed',
        reason: expect.stringMatching(
          new RegExp(
            `^WEGWIJS_STORED_ROW_UNREADABLE ${table}.${column} of [0-9a-f-]{36} is stored`,
          ),
        ),
      },
    ])
    const entities = await store.db.selectFrom('entity').select(['person_id', 'version']).execute()
    const versions = Map.groupBy(entities, ({ person_id }) => person_id === damagedId)
    expect(versions.get(true)).toMatchObject([{ version: 1 }])
    expect(versions.get(false)).toMatchObject([{ version: 2 }])
  },
)

test('an event that comes again while it is put aside counts once, and once after every replay (P2)', async () => {
  const { worker, damagedId } = await withDamage('person', 'happened', { k3v9: { '20515': 'x' } })
  const told = { ...appointment('damaged', 2), id: 'moved' }
  await worker.hear([told])
  await worker.hear([told])
  expect(await store.db.selectFrom('dead_letter').select('error_class').execute()).toEqual([
    { error_class: 'apply_failed' },
    { error_class: 'apply_failed' },
  ])
  const kept = () =>
    store.db
      .selectFrom('event')
      .select(['outcome', 'entity_version'])
      .where('event_id', '=', 'moved')
      .execute()
  expect(await kept()).toEqual([])
  await store.db.updateTable('person').set({ happened: '{}' }).execute()
  // The publisher tells it once more, and then both dead letters are replayed.
  for (let time = 0; time < 3; time += 1) await worker.hear([told])
  expect(await kept()).toMatchObject([{ entity_version: 2 }])
  const planned = await store.db
    .selectFrom('intent')
    .select('entity_version')
    .where('person_id', '=', damagedId)
    .where('state', '=', 'planned')
    .execute()
  expect(planned).toEqual([{ entity_version: 2 }])
})

test('timers of such a person are put off, and those of others fire', async () => {
  const { worker, damagedId } = await withDamage('enrolment', 'trigger', { type: booked })
  await stepBusinessTime(store.db, '2026-03-03T09:00:00.000Z')
  await worker.fireAll()
  const runs = await store.db.selectFrom('enrolment').select(['person_id', 'state']).execute()
  expect(runs.map(({ person_id, state }) => [person_id === damagedId, state]).sort()).toEqual([
    [false, 'completed'],
    [true, 'running'],
  ])
})

test('what begins by time for such a person begins once their row can be read again (P1)', async () => {
  const survey = 'care.survey.answered.v1'
  const asked = (within: string) => ({ happened: { touchpoint: survey, within } })
  await applyDefinition(
    store,
    smallHospital([
      campaign({
        id: 'away',
        entry: 'every-time',
        trigger: { becomes: { all: [{ not: asked('P7D') }, asked('P30D')] }, maxAge: 'P7D' },
      }),
      campaign({
        id: 'birthday',
        entry: 'every-time',
        trigger: { date: { field: 'person.bornOn', at: '10:00', every: 'year' }, maxAge: 'P7D' },
      }),
    ]),
    'test',
  )
  const worker = workerOn(store)
  await worker.hear([
    { subject: 'a', type: survey, time: now, data: {} },
    {
      subject: 'a',
      type: 'person.upserted.v1',
      time: now,
      data: { attributes: { bornOn: '1960-03-10' } },
    },
  ])
  const contacts = async (value: unknown) =>
    store.db
      .updateTable('person')
      .set({ contacts: JSON.stringify(value) } as never)
      .execute()
  await contacts({ email: 'noor@example.org' })
  for (const day of ['10', '11', '12', '13']) {
    await stepBusinessTime(store.db, `2026-03-${day}T09:30:00.000Z`)
    await worker.fireAll()
  }
  await contacts({})
  await stepBusinessTime(store.db, '2026-03-13T10:30:00.000Z')
  await worker.fireAll()
  const runs = await store.db
    .selectFrom('enrolment')
    .select(['campaign_id', 'entered_at'])
    .orderBy('campaign_id')
    .execute()
  expect(runs).toEqual([
    { campaign_id: 'away', entered_at: '2026-03-13T10:30:00.000Z' },
    { campaign_id: 'birthday', entered_at: '2026-03-13T10:30:00.000Z' },
  ])
})

test('of two workers that meet such a person neither puts off anybody else', async () => {
  const { damagedId } = await withDamage('enrolment', 'trigger', { type: booked })
  const due = () =>
    store.db.selectFrom('timer').select(['person_id', 'due_at']).orderBy('due_at').execute()
  const wholeDue = (await due()).find(({ person_id }) => person_id !== damagedId)
  await store.db
    .updateTable('timer')
    .set({ due_at: '2026-03-03T08:00:00.000Z' })
    .where('person_id', '=', damagedId)
    .execute()
  await stepBusinessTime(store.db, '2026-03-03T09:00:00.000Z')
  let failures = 0
  const metrics = createMetrics('journey').component('journey')
  const countFailure = () => {
    failures += 1
  }
  const theOtherPutsOff = async () => {
    if (failures !== 1) return
    failures += 1
    await inTransaction(store.db, (tx) => postponeTimers(tx, damagedId))
    // Whoever is first by now is somebody else, and is not fired before this worker has put off whom it met.
    expect(await due()).toMatchObject([wholeDue ?? {}, { person_id: damagedId }])
  }
  await fireDueTimers({
    store: { ...store, db: beforeTransactions(store.db, theOtherPutsOff) },
    definition: createCurrentDefinition(store, silentLogger),
    log: silentLogger,
    metrics: { ...metrics, error: countFailure },
  })
  expect(failures).toBe(2)
  expect(await due()).toMatchObject([{ person_id: damagedId, due_at: '2026-03-03T10:00:00.000Z' }])
})

test('of two workers that meet such a person in a rollout neither passes over anybody else (P1)', async () => {
  await applyDefinition(store, smallHospital([]), 'test')
  const worker = workerOn(store)
  const subjects = ['a', 'b', 'c']
  await worker.hear(subjects.map((subject) => appointment(subject, 1)))
  const [first, ...others] = await store.db
    .selectFrom('person')
    .select('person_id')
    .orderBy('person_id')
    .execute()
  await store.db
    .updateTable('person')
    .set({ fields: JSON.stringify(['Noor']) } as never)
    .where('person_id', '=', first?.person_id ?? '')
    .execute()
  const trigger = { date: { entity: 'appointment', field: 'startsAt' } }
  await applyDefinition(store, smallHospital([campaign({ id: 'day', trigger })]), 'test')
  const [log, metrics] = [silentLogger, createMetrics('journey').component('journey')]
  const definition = createCurrentDefinition(store, log)
  let failures = 0
  const countFailure = () => {
    failures += 1
  }
  const theOtherPassesOver = async () => {
    if (failures !== 1) return
    failures += 1
    await rollOut({ store, definition, log, metrics })
  }
  await rollOut({
    store: { ...store, db: beforeTransactions(store.db, theOtherPassesOver) },
    definition,
    log,
    metrics: { ...metrics, error: countFailure },
  })
  expect(failures).toBe(2)
  await worker.rollOutAll()
  const timers = await store.db
    .selectFrom('timer')
    .select('person_id')
    .orderBy('person_id')
    .execute()
  expect(timers).toEqual(others)
})

test.each<[string, JsonObject, object]>([
  ['person.deceased.v1', {}, { kind: 'death', purpose: 'all' }],
  ['consent.withdrawn.v1', { purpose: 'all' }, { kind: 'consent', purpose: 'all', channel: '' }],
  [
    'consent.withdrawn.v1',
    { purpose: 'care', channel: 'sms' },
    { kind: 'consent', channel: 'sms' },
  ],
])('a %s %o of such a person holds, though nothing is decided by it', async (type, data, stop) => {
  const { worker, damagedId } = await withDamage('person', 'happened', {
    k3v9: { '20515': 'twice' },
  })
  const told = { subject: 'damaged', type, time: now, data }
  await worker.hear([told])
  const stops = () => store.db.selectFrom('person_stop').selectAll().execute()
  expect(await stops()).toMatchObject([{ person_id: damagedId, ...stop }])
  expect(await store.db.selectFrom('dead_letter').select('error_class').execute()).toEqual([
    { error_class: 'apply_failed' },
  ])
  // Replayed when the row is mended it is the same stop.
  await store.db.updateTable('person').set({ happened: '{}' }).execute()
  await worker.hear([{ ...told, id: 'e2' }])
  expect(await stops()).toHaveLength(1)
})

test.each<[string, string[], string[]]>([
  ['relation.ended.v1', ['care', 'news'], []],
  ['relation.granted.v1', ['care', 'appointments'], ['care']],
])('by a %s of such a person nobody hears more of them, and less', async (type, scope, left) => {
  const { worker } = await withDamage('person', 'happened', {})
  const relation = { idSpace: 'ehr', externalId: 'daughter', kind: 'caregiver' }
  const of = (type: string, scope: string[], time: string) => ({
    subject: 'damaged',
    type,
    time,
    data: { ...relation, ...(type === 'relation.granted.v1' ? { scope } : {}) },
  })
  await worker.hear([of('relation.granted.v1', ['care', 'news'], '2026-03-01T09:00:00.000Z')])
  await store.db
    .updateTable('person')
    .set({ happened: JSON.stringify({ k3v9: 'twice' }) })
    .execute()
  await worker.hear([of(type, scope, now)])
  expect(await store.db.selectFrom('relation').select('scope').execute()).toEqual([{ scope: left }])
})

test('what a newer Wegwijs has put beside it is written back as it was', async () => {
  const contacts = { email: { address: 'noor@example.org', refusedAt: null, by: 'post' }, fax: '1' }
  const { worker, damagedId } = await withDamage('person', 'contacts', contacts)
  await worker.hear([
    {
      subject: 'damaged',
      type: 'person.upserted.v1',
      time: now,
      data: { attributes: { hasCarer: true } },
    },
  ])
  const person = await store.db
    .selectFrom('person')
    .select(['contacts', 'fields'])
    .where('person_id', '=', damagedId)
    .executeTakeFirst()
  expect(person).toMatchObject({ contacts, fields: { hasCarer: true } })
})
