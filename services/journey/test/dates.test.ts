import type { JsonObject } from '@wegwijs/campaign/json'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { type Death, deathsIn, openMortalStore } from '@wegwijs/test-support/mortal-store'
import { emptyNamespace, openNamespace } from '@wegwijs/test-support/namespace'
import { pictureOf } from '@wegwijs/test-support/picture'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { expect, inject, onTestFinished, test } from 'vitest'
import { type Told, workerOn } from './told.ts'

const now = '2026-03-02T09:00:00.000Z'

const eveningBefore = (before = 'P1D') => ({
  date: { entity: 'appointment', field: 'startsAt', before, at: '18:00' },
})
const evening = (before?: string) =>
  smallHospital([
    campaign({ id: 'evening', entry: 'once-per-entity', trigger: eveningBefore(before) }),
    campaign({
      id: 'year',
      entry: 'once',
      trigger: { date: { field: 'person.operationOn', after: 'P1Y', at: '10:00' } },
    }),
  ])
const nothing = smallHospital([])

const appointment = (
  subject: string,
  version: number,
  startsAt: string,
  kind = 'booked',
): Told => ({
  subject,
  type: `care.appointment.${kind}.v1`,
  time: now,
  entity: `appointment/${subject}`,
  version,
  data: kind === 'cancelled' ? {} : { startsAt },
})
const profile = (subject: string, attributes: JsonObject): Told => ({
  subject,
  type: 'person.upserted.v1',
  time: now,
  data: { attributes, contacts: { email: `${subject}@example.org` } },
})

/** `subject campaign due`, in their order. */
async function timersIn({ db }: Store): Promise<string[]> {
  const rows = await db
    .selectFrom('timer')
    .innerJoin('person_identity', 'person_identity.person_id', 'timer.person_id')
    .select(['external_id', 'campaign_id', 'due_at'])
    .execute()
  return rows
    .map(
      (row) => `${row.external_id} ${row.campaign_id} ${row.due_at.slice(0, 16).replace('T', ' ')}`,
    )
    .sort()
}

async function open(name: string): Promise<Store> {
  const store = await openNamespace(inject('servers').databaseUrl, name)
  onTestFinished(store.close)
  await emptyNamespace(store)
  await stepBusinessTime(store.db, now)
  return store
}

test('a timer stands for each date, moves with it, and goes with it', async () => {
  const store = await open('dates')
  await applyDefinition(store, evening(), 'test')
  const worker = workerOn(store)
  await worker.hear([
    appointment('a', 1, '2026-03-14T08:30:00.000Z'),
    appointment('b', 1, '2026-03-14T08:30:00.000Z'),
    appointment('b', 3, '2026-03-20T08:30:00.000Z', 'moved'),
    appointment('b', 2, '2026-03-17T08:30:00.000Z', 'moved'),
    appointment('c', 1, '2026-03-14T08:30:00.000Z'),
    appointment('c', 2, '', 'cancelled'),
    profile('a', { operationOn: '2025-07-01' }),
  ])
  expect(await timersIn(store)).toEqual([
    'a evening 2026-03-13 17:00',
    'a year 2026-07-01 08:00',
    'b evening 2026-03-19 17:00',
  ])
  await worker.hear([
    profile('a', { operationOn: '2025-07-03' }),
    { subject: 'b', type: 'person.deceased.v1', time: now, data: {} },
  ])
  expect(await timersIn(store)).toEqual(['a evening 2026-03-13 17:00', 'a year 2026-07-03 08:00'])
  await stepBusinessTime(store.db, '2026-03-13T17:00:00.000Z')
  await worker.fireAll()
  expect(await timersIn(store)).toEqual(['a year 2026-07-03 08:00'])
  const runs = await store.db.selectFrom('enrolment').select(['campaign_id', 'state']).execute()
  expect(runs).toEqual([{ campaign_id: 'evening', state: 'completed' }])
})

test('a date that moves ahead after all was sent lets them in again, and one that comes back does not', async () => {
  const store = await open('moved-ahead')
  const onOperation = (id: string, entry: 'once' | 'every-time') =>
    campaign({
      id,
      entry,
      trigger: { date: { field: 'person.operationOn', after: 'P1D', at: '10:00' } },
    })
  const campaigns = [onOperation('each', 'every-time'), onOperation('once', 'once')]
  await applyDefinition(store, smallHospital(campaigns), 'test')
  const worker = workerOn(store)
  const runs = async () => {
    const rows = await store.db.selectFrom('enrolment').select(['campaign_id', 'state']).execute()
    return rows.map(({ campaign_id, state }) => `${campaign_id} ${state}`).sort()
  }
  await worker.hear([profile('a', { operationOn: '2026-03-03' })])
  await stepBusinessTime(store.db, '2026-03-04T09:00:00.000Z')
  await worker.fireAll()
  await store.db.updateTable('intent').set({ state: 'sent' }).execute()
  const first = ['each completed', 'once completed']
  expect(await runs()).toEqual(first)

  await worker.hear([profile('a', { operationOn: '2026-03-02' })])
  await worker.hear([profile('a', { operationOn: '2026-03-03' })])
  expect(await timersIn(store)).toEqual([])

  await worker.hear([profile('a', { operationOn: '2026-04-03' })])
  expect(await runs()).toEqual(['each exited', 'once exited'])
  await stepBusinessTime(store.db, '2026-04-04T08:00:00.000Z')
  await worker.fireAll()
  expect(await runs()).toEqual(['each completed', 'each exited', 'once completed', 'once exited'])
})

test('two records that become one keep one timer for each date, under their own name', async () => {
  const store = await open('merged')
  await applyDefinition(store, evening(), 'test')
  const worker = workerOn(store)
  await worker.hear([
    { ...appointment('a', 1, '2026-03-14T08:30:00.000Z'), entity: 'appointment/shared' },
    { ...appointment('b', 2, '2026-03-20T08:30:00.000Z'), entity: 'appointment/shared' },
    profile('b', { operationOn: '2025-07-01' }),
  ])
  await worker.hear([
    {
      subject: 'a',
      type: 'person.merged.v1',
      time: now,
      data: { idSpace: 'ehr', externalId: 'b' },
    },
  ])
  const timers = await store.db.selectFrom('timer').select(['campaign_id', 'due_at']).execute()
  expect(timers.sort((one, other) => (one.due_at < other.due_at ? -1 : 1))).toEqual([
    { campaign_id: 'evening', due_at: '2026-03-19T17:00:00.000Z' },
    { campaign_id: 'year', due_at: '2026-07-01T08:00:00.000Z' },
  ])
  await worker.hear([
    { ...appointment('b', 3, '2026-03-21T08:30:00.000Z'), entity: 'appointment/shared' },
  ])
  expect(await store.db.selectFrom('timer').select('due_at').orderBy('due_at').execute()).toEqual([
    { due_at: '2026-03-20T17:00:00.000Z' },
    { due_at: '2026-07-01T08:00:00.000Z' },
  ])
})

test('whoever has a date already gets their timer when the campaign is published, in batches', async () => {
  const store = await open('planted')
  await applyDefinition(store, nothing, 'test')
  const worker = workerOn(store)
  const subjects = Array.from({ length: 450 }, (_, index) => `p${String(index).padStart(3, '0')}`)
  await worker.hear(
    subjects.flatMap((subject, index) => [
      appointment(
        subject,
        1,
        index % 3 === 0 ? '2026-03-01T08:30:00.000Z' : '2026-03-14T08:30:00.000Z',
      ),
    ]),
  )
  await worker.hear([profile('p000', { operationOn: '2025-07-01' })])
  await applyDefinition(store, evening(), 'test')
  await worker.rollOutAll()
  const timers = await timersIn(store)
  expect(timers).toHaveLength(301)
  expect(timers.slice(0, 2)).toEqual([
    'p000 year 2026-07-01 08:00',
    'p001 evening 2026-03-13 17:00',
  ])
  // Nothing is said of the others: that would be a decision for everybody who ever had an appointment.
  expect(await store.db.selectFrom('decision').select('reason').execute()).toEqual([])

  await applyDefinition(store, evening('P2D'), 'test')
  await worker.rollOutAll()
  expect((await timersIn(store))[1]).toBe('p001 evening 2026-03-12 17:00')

  await applyDefinition(store, nothing, 'test')
  await worker.rollOutAll()
  expect(await timersIn(store)).toEqual([])
  expect(await store.db.selectFrom('rollout').selectAll().execute()).toEqual([])
})

/** `subject entered`, in their order. */
async function runsIn({ db }: Store): Promise<string[]> {
  const rows = await db
    .selectFrom('enrolment')
    .innerJoin('person_identity', 'person_identity.person_id', 'enrolment.person_id')
    .select(['external_id', 'entered_at'])
    .execute()
  return rows.map((row) => `${row.external_id} ${row.entered_at.slice(0, 16)}`).sort()
}

test('a date that comes before somebody has had their turn comes all the same, once (P1)', async () => {
  const store = await open('turn')
  await applyDefinition(store, nothing, 'test')
  const worker = workerOn(store)
  await worker.hear([
    appointment('a', 1, '2026-03-14T08:30:00.000Z'),
    appointment('b', 1, '2026-03-14T10:30:00.000Z'),
    appointment('past', 1, '2026-03-13T08:30:00.000Z'),
  ])
  await stepBusinessTime(store.db, '2026-03-13T16:50:00.000Z')
  await applyDefinition(store, evening(), 'test')
  // Of b it is told before they have had their turn, and comes.
  await worker.hear([appointment('b', 2, '2026-03-14T11:30:00.000Z', 'moved')])
  await stepBusinessTime(store.db, '2026-03-13T17:10:00.000Z')
  await worker.fireAll()
  expect(await runsIn(store)).toEqual(['b 2026-03-13T17:10'])
  await worker.rollOutAll()
  await worker.fireAll()
  expect(await runsIn(store)).toEqual(['a 2026-03-13T17:10', 'b 2026-03-13T17:10'])
  expect(await timersIn(store)).toEqual([])
})

test('of a date by which a version does not begin any more nobody enters it', async () => {
  const store = await open('another-date')
  const begins = (date: object) =>
    smallHospital([campaign({ id: 'ready', entry: 'every-time', trigger: { date } as never })])
  const [ofPerson, ofEntity] = ['person.', ''].map((root) => ({
    ...(root === '' && { entity: 'appointment' }),
    field: `${root}startsAt`,
    before: 'P1D',
  }))
  const hospital = (date: object) => {
    const bundle = begins(date)
    bundle.attributes.person.startsAt = {
      type: 'instant',
      sensitivity: 'personal',
      required: false,
    }
    return bundle
  }
  await applyDefinition(store, hospital(ofPerson ?? {}), 'test')
  const worker = workerOn(store)
  await worker.hear([
    appointment('a', 1, '2026-03-14T08:30:00.000Z'),
    profile('a', { startsAt: '2026-03-10T08:30:00.000Z' }),
  ])
  expect(await timersIn(store)).toEqual(['a ready 2026-03-09 08:30'])
  await applyDefinition(store, hospital(ofEntity ?? {}), 'test')
  await worker.rollOutAll()
  expect(await timersIn(store)).toEqual(['a ready 2026-03-13 08:30'])
  await applyDefinition(store, hospital(ofPerson ?? {}), 'test')
  // Also where it comes before they have had their turn.
  await stepBusinessTime(store.db, '2026-03-13T08:30:00.000Z')
  await worker.fireAll()
  expect(await runsIn(store)).toEqual([])
})

test('whose date comes after many closed days gets their timer, too', async () => {
  const store = await open('closed')
  await applyDefinition(store, nothing, 'test')
  const worker = workerOn(store)
  await worker.hear([profile('a', { operationOn: '2026-01-14' })])
  const date = { field: 'person.operationOn', after: 'P1D', at: '10:00', on: 'working-day' }
  const bundle = smallHospital([campaign({ id: 'day', trigger: { date } as never })])
  const [from, closed] = [Date.parse('2026-01-12'), Array.from({ length: 60 })]
  bundle.policies.closedDays = closed.map((_, day) =>
    new Date(from + day * 86_400_000).toISOString().slice(0, 'YYYY-MM-DD'.length),
  )
  await applyDefinition(store, bundle, 'test')
  await worker.rollOutAll()
  expect(await timersIn(store)).toEqual(['a day 2026-03-13 09:00'])
})

test.each([
  ['has ended', []],
  ['begins in another way', [campaign({ id: 'ready', entry: 'every-time' })]],
  ['begins by the date of an appointment', [campaign({ id: 'ready', trigger: eveningBefore() })]],
])(
  'whoever entered for a date that moves ahead leaves also when the campaign %s since (P3)',
  async (_, campaigns) => {
    const store = await open('ended-since')
    const trigger = { date: { field: 'person.operationOn', before: 'P7D', at: '10:00' } } as const
    const send = { for: 'P3D', on: 'any-day' } as const
    const ready = campaign({
      id: 'ready',
      entry: 'once',
      trigger,
      steps: [message('hello', { send })],
    })
    await applyDefinition(store, smallHospital([ready]), 'test')
    const worker = workerOn(store)
    await worker.hear([profile('a', { operationOn: '2026-03-09' })])
    await worker.fireAll()
    await applyDefinition(store, smallHospital(campaigns), 'test')
    await worker.rollOutAll()
    await worker.hear([profile('a', { operationOn: '2026-06-01' })])
    const told = () =>
      store.db
        .selectFrom('intent')
        .select(['state', 'reason'])
        .orderBy('planned_at')
        .orderBy('state')
        .execute()
    expect(await told()).toEqual([{ state: 'cancelled', reason: 'date_moved' }])
    await worker.hear([profile('a', { operationOn: '2026-03-09' })])
    expect(await told()).toEqual([
      { state: 'cancelled', reason: 'date_moved' },
      { state: 'planned', reason: null },
    ])
  },
)

test('a run that was taken back goes on no more when somebody has entered a version that begins in another way (P2)', async () => {
  const store = await open('entered-since')
  const ready = (trigger: object) =>
    smallHospital([campaign({ id: 'ready', entry: 'once-per-entity', trigger: trigger as never })])
  const late = '2026-06-01T08:30:00.000Z'
  await applyDefinition(store, ready(eveningBefore()), 'test')
  const worker = workerOn(store)
  await worker.hear([appointment('a', 1, '2026-03-02T20:00:00.000Z')])
  await worker.fireAll()
  await worker.hear([appointment('a', 2, late, 'moved')])
  await applyDefinition(store, ready({ touchpoint: 'care.appointment.booked.v1' }), 'test')
  await worker.rollOutAll()
  await worker.hear([appointment('a', 3, late)])
  const states = async () => {
    const rows = await store.db.selectFrom('enrolment').select(['version', 'state']).execute()
    return rows.map(({ version, state }) => `${version} ${state}`).sort()
  }
  expect(await states()).toEqual(['1 exited', '2 completed'])
  await worker.hear([appointment('a', 4, '2026-03-02T20:00:00.000Z', 'moved')])
  expect(await states()).toEqual(['1 exited', '2 completed'])
})

test('a publication that changes nothing of the dates rolls out nothing', async () => {
  const store = await open('unchanged')
  await applyDefinition(store, evening(), 'test')
  await workerOn(store).rollOutAll()
  const other = evening()
  other.campaigns[0]?.steps.push({ end: true })
  await applyDefinition(store, other, 'test')
  expect(await store.db.selectFrom('rollout').selectAll().execute()).toEqual([])
})

const course = smallHospital([
  campaign({
    id: 'course',
    entry: 'every-time',
    exit: [{ touchpoint: 'care.admission.started.v1' }],
    steps: [
      message('hello'),
      { wait: { until: 'person.bornOn', offset: '-P14D', at: '10:00', on: 'any-day' } },
      message('later'),
    ],
  }),
])
const discharged = (subject: string, type = 'care.discharge.completed.v1'): Told => ({
  subject,
  type,
  time: now,
  data: {},
})
/** `due` of who waits, in its order. */
const waitsIn = async ({ db }: Store): Promise<string[]> => {
  const rows = await db.selectFrom('timer').select('due_at').orderBy('due_at').execute()
  return rows.map(({ due_at }) => due_at)
}

test('a wait for a date of the person moves with it, and what was planned or ended stays as it is', async () => {
  const store = await open('waits')
  await applyDefinition(store, course, 'test')
  const worker = workerOn(store)
  await worker.hear([
    profile('a', { bornOn: '2026-04-10' }),
    profile('b', { bornOn: '2026-04-10' }),
  ])
  await worker.hear([discharged('a'), discharged('b'), discharged('b')])
  await worker.hear([discharged('b', 'care.admission.started.v1'), discharged('b')])
  const rows = () => store.db.selectFrom('intent').selectAll().orderBy('intent_id').execute()
  const [hello, ended] = [await rows(), await endedIn(store)]
  expect(ended).toHaveLength(2)
  expect(await waitsIn(store)).toEqual(Array(2).fill('2026-03-27T09:00:00.000Z'))

  await worker.hear([profile('b', { bornOn: '2026-04-12' })])
  await worker.hear([profile('a', { bornOn: null }), profile('b', { hasCarer: true })])
  expect(await waitsIn(store)).toEqual(['2026-03-27T09:00:00.000Z', '2026-03-29T08:00:00.000Z'])
  await worker.hear([{ ...profile('a', {}), data: { timeZone: 'America/New_York' } }])
  await worker.hear([{ ...profile('b', {}), data: { timeZone: 'America/New_York' } }])
  expect(await waitsIn(store)).toEqual(['2026-03-27T09:00:00.000Z', '2026-03-29T14:00:00.000Z'])
  expect(await rows()).toEqual(hello)

  // Passed already: it is over at once.
  await worker.hear([profile('b', { bornOn: '2026-03-10' })])
  expect(await waitsIn(store)).toEqual(['2026-03-27T09:00:00.000Z'])
  expect(await rows()).toHaveLength(hello.length + 1)
  expect(await endedIn(store)).toEqual(expect.arrayContaining(ended))
})

const endedIn = ({ db }: Store) =>
  db.selectFrom('enrolment').selectAll().where('state', '<>', 'running').execute()

test('when two records become one, a wait counts from the date of the one that stays', async () => {
  const store = await open('waits-merged')
  await applyDefinition(store, course, 'test')
  const worker = workerOn(store)
  await worker.hear([
    profile('a', { bornOn: '2026-04-12' }),
    profile('b', { bornOn: '2026-04-10' }),
  ])
  await worker.hear([discharged('b')])
  const merged = { type: 'person.merged.v1', data: { idSpace: 'ehr', externalId: 'b' } }
  await worker.hear([{ subject: 'a', time: now, ...merged }])
  expect(await waitsIn(store)).toEqual(['2026-03-29T08:00:00.000Z'])
  await worker.hear([profile('b', { bornOn: '2026-04-13' })])
  expect(await waitsIn(store)).toEqual(['2026-03-30T08:00:00.000Z'])
})

test('a worker that is killed before or after any step leaves no wait for an older date (P1, P2)', async () => {
  const store = await open('waits-crash')
  const live = async (at: number, stepDone: boolean) => {
    await emptyNamespace(store)
    await stepBusinessTime(store.db, now)
    await applyDefinition(store, course, 'test')
    const worker = workerOn(store)
    await worker.hear([profile('a', { bornOn: '2026-04-10' }), discharged('a')])
    const { databaseUrl, namespace } = store
    const mortal = openMortalStore(
      { databaseUrl, namespace, applicationName: 'mortal' },
      { at, stepDone },
    )
    const first = workerOn(mortal)
    await first.hear([profile('a', { bornOn: '2026-04-20' })]).catch(() => undefined)
    // Who takes over reads on from where the record says that it was read.
    if ((await waitsIn(store))[0] !== '2026-04-06T08:00:00.000Z')
      await worker.hear([profile('a', { bornOn: '2026-04-20' })])
    await stepBusinessTime(store.db, '2026-03-27T09:00:00.000Z')
    await worker.fireAll()
    const atOldDate = await waitsIn(store)
    await stepBusinessTime(store.db, '2026-04-06T08:00:00.000Z')
    await worker.fireAll()
    await mortal.close()
    return { steps: mortal.steps, picture: [atOldDate, await pictureOf(store)] }
  }
  const whole = await live(Number.POSITIVE_INFINITY, false)
  expect(whole.picture[0]).toEqual(['2026-04-06T08:00:00.000Z'])
  expect(whole.steps).toBeGreaterThan(10)
  for (let at = 1; at <= whole.steps; at += 1) {
    for (const stepDone of [false, true]) {
      const { picture } = await live(at, stepDone)
      expect({ at, stepDone, picture }).toEqual({ at, stepDone, picture: whole.picture })
    }
  }
}, 240_000)

test('a worker that is killed before or after any step leaves no date without its timer (P1)', async () => {
  const store = await open('planted-crash')
  const live = async (death: Death) => {
    await emptyNamespace(store)
    await stepBusinessTime(store.db, now)
    await applyDefinition(store, nothing, 'test')
    const worker = workerOn(store)
    await worker.hear([
      appointment('a', 1, '2026-03-14T08:30:00.000Z'),
      appointment('b', 1, '2026-03-14T08:30:00.000Z'),
      profile('b', { operationOn: '2025-07-01' }),
    ])
    await applyDefinition(store, evening(), 'test')
    const { databaseUrl, namespace } = store
    const mortal = openMortalStore({ databaseUrl, namespace, applicationName: 'mortal' }, death)
    const first = workerOn(mortal)
    await first.rollOutAll().catch(() => undefined)
    await workerOn(store).rollOutAll()
    await stepBusinessTime(store.db, '2026-03-13T17:00:00.000Z')
    await first.fireAll().catch(() => undefined)
    await workerOn(store).fireAll()
    await mortal.close()
    return {
      steps: mortal.steps,
      picture: [await timersIn(store), await pictureOf(store)],
    }
  }
  const whole = await live({ at: Number.POSITIVE_INFINITY, stepDone: false })
  expect(whole.steps).toBeGreaterThan(20)
  for (const death of deathsIn(whole.steps)) {
    const { picture } = await live(death)
    expect({ ...death, picture }).toEqual({ ...death, picture: whole.picture })
  }
}, 240_000)
