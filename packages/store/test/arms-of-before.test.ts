import { fractionOf } from '@wegwijs/campaign/chance'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { deathsIn, openMortalStore } from '@wegwijs/test-support/mortal-store'
import { emptyNamespace, openNamespace } from '@wegwijs/test-support/namespace'
import { type MessageSeed, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { type KyselyPlugin, sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest'
import { fillAllArms, fillArms } from '../src/arms-of-before.ts'
import type { Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import { rekeyPerson } from '../src/merges.ts'
import { migrate } from '../src/migrate.ts'
import { readOutcomes } from '../src/outcomes.ts'
import { lockPeople } from '../src/person-locks.ts'
import { insertRows } from '../src/rows.ts'
import { inTransaction } from '../src/transaction.ts'

const { databaseUrl } = inject('servers')
const marketing = { class: 'marketing' as const }
const split = (id: string) => ({
  split: { id, arms: ['a', 'b'].map((name) => ({ name, weight: 1 })) },
})
const definition = smallHospital([
  campaign({ id: 'own', ...marketing, holdOut: 40 }),
  campaign({ id: 'divided', ...marketing, steps: [split('way'), split('tone')] }),
])
let store: Store
beforeAll(async () => {
  store = await openNamespace(databaseUrl, 'arms')
})
afterAll(() => store.close())
beforeEach(async () => {
  await emptyNamespace(store)
  await applyDefinition(store, definition, 'test')
})

const heldOut = (campaign_id: string) => ({
  enrolment: { campaign_id, state: 'exited', reason: 'held_out' },
})

type Run = { personId: string; enrolmentId: string }

/** As services of the version before leave them: what they took stands in what they decided alone. */
async function enterAsBefore(count: number, over: MessageSeed['enrolment'] = {}): Promise<Run[]> {
  const runs = await seedMessages(store, count, { enrolment: { campaign_id: 'divided', ...over } })
  for (const run of runs) await decide(run, 'way', 'a')
  return runs.sort((one, other) => (one.personId < other.personId ? -1 : 1))
}

async function decide({ personId, enrolmentId }: Run, id: string, arm: string): Promise<void> {
  const row = {
    ...{ person_id: personId, enrolment_id: enrolmentId, decision_id: newUuid(), ordinal: 0 },
    ...{ business_at: '2026-01-01T00:00:00Z', campaign_id: 'divided', version: 1 },
    ...{ reason: 'split_taken', detail: { step: '0', split: id, arm } },
  }
  await insertRows(store.db, 'decision', Object.keys(row) as never[], [row] as never)
}

async function armsOf(runs: readonly Run[]): Promise<unknown[]> {
  const rows = await store.db.selectFrom('enrolment').select(['enrolment_id', 'arms']).execute()
  const known = new Map(rows.map(({ enrolment_id, arms }) => [enrolment_id, arms]))
  return runs.map(({ enrolmentId }) => known.get(enrolmentId))
}

/** One sweep to its end. Returns how many runs lacked something. */
async function sweep(own: Store = store, limit = 2): Promise<number> {
  for (let filled = 0; ; ) {
    const { more, runs } = await fillArms(own, { limit })
    if (!more) return filled
    filled += runs
  }
}

/** The next batch, which has to wait for somebody who is with a service; that one does `work` meanwhile. */
async function batchBehind(personId: string, work: () => Promise<unknown>): Promise<unknown> {
  const batches: Promise<unknown>[] = []
  await inTransaction(store.db, async (tx) => {
    await lockPeople(tx, [personId])
    batches.push(fillArms(store, { limit: 2 }))
    await vi.waitFor(async () => {
      const { rows } = await sql`select from pg_stat_activity
        where application_name = ${store.namespace} and wait_event_type = 'Lock'`.execute(store.db)
      expect(rows).toHaveLength(1)
    }, 15_000)
    await work()
    await sql`update enrolment set arms = '{"tone": "b"}' where person_id = ${personId}`.execute(tx)
  })
  return batches[0]
}

/** Two stores of which each does one transaction after one of the other, until that is done with all of its own. */
function takingTurns() {
  const waiting = new Map<number, () => void>()
  const done = new Set<number>()
  const wakeOther = (me: number) => {
    waiting.get(1 - me)?.()
    waiting.delete(1 - me)
  }
  const turn = async (me: number) => {
    wakeOther(me)
    if (!done.has(1 - me)) await new Promise<void>((resolve) => waiting.set(me, resolve))
  }
  const plugin = (me: number): KyselyPlugin => ({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      // The first that is read in each transaction, before anything is locked.
      if ('campaignIds' in (result.rows[0] ?? {})) await turn(me)
      return result
    },
  })
  return {
    of: (me: number): Store => ({ ...store, db: store.db.withPlugin(plugin(me)) }),
    over: (me: number) => {
      done.add(me)
      wakeOther(me)
    },
  }
}

test('older runs know their arms and of what they were held out', async () => {
  const before = newUuid()
  await seedMessages(store, 60, heldOut('own'))
  await seedMessages(store, 2, heldOut('divided'))
  await seedMessages(store, 1, {
    enrolment: { ...heldOut('own').enrolment, trigger: { dividedAs: before } },
  })
  const [run] = await enterAsBefore(1)
  if (!run) throw new Error('nobody entered')
  await decide(run, 'tone', 'b')
  await migrate(store)

  const rows = await store.db
    .selectFrom('enrolment')
    .select(['person_id', 'campaign_id', 'reason', 'arms', 'trigger'])
    .execute()
  expect(rows.filter(({ arms }) => arms !== null)).toMatchObject([
    { person_id: run.personId, arms: { way: 'a', tone: 'b' } },
  ])
  const own = rows.filter(({ campaign_id }) => campaign_id === 'own')
  expect(own).toHaveLength(61)
  for (const { person_id, trigger, reason } of own) {
    const drawn = (trigger as { dividedAs?: string }).dividedAs ?? person_id
    const isOfCampaign = fractionOf(`hold-out/own/${drawn}`) * 100 < 40
    expect(reason).toBe(isOfCampaign ? 'held_out' : 'held_out_of_all')
  }
  expect(new Set(own.map(({ reason }) => reason)).size).toBe(2)
  const others = rows.filter(
    (row) => row.campaign_id === 'divided' && row.person_id !== run.personId,
  )
  expect(others.map(({ reason }) => reason)).toEqual(['held_out_of_all', 'held_out_of_all'])
})

test('whatever it is killed at, the next one goes on from there and leaves nobody out', async () => {
  const runs = await enterAsBefore(2)
  const options = { databaseUrl, namespace: store.namespace, applicationName: 'mortal' }
  const living = openMortalStore(options, { at: Number.POSITIVE_INFINITY, stepDone: true })
  expect(await sweep(living, 1)).toBe(2)
  await living.close()
  for (const death of deathsIn(living.steps)) {
    await sql`update enrolment set arms = null`.execute(store.db)
    await sql`truncate arms_sweep`.execute(store.db)
    const mortal = openMortalStore(options, death)
    await expect(sweep(mortal, 1)).rejects.toThrow()
    await mortal.close().catch(() => undefined)
    const kept = (await armsOf(runs)).filter((arms) => arms !== null).length
    // The last commit may have been the end of the sweep.
    expect(kept + (await sweep(store, 1))).toBe(2)
    expect(await armsOf(runs)).toEqual(runs.map(() => ({ way: 'a' })))
  }
})

test('what a service writes while a batch waits for its person is kept beside what was taken', async () => {
  const runs = await enterAsBefore(3)
  const [, second] = runs
  if (!second) throw new Error('nobody entered')
  const batch = await batchBehind(second.personId, async () => {
    // Who comes meanwhile waits for nobody.
    const enrolment = { campaign_id: 'divided', arms: { way: 'b' } }
    await seedMessages(store, 1, { enrolment })
  })
  expect(batch).toMatchObject({ more: true, runs: 2 })
  await sweep()
  expect(await armsOf(runs)).toEqual([{ way: 'a' }, { way: 'a', tone: 'b' }, { way: 'a' }])
})

test('one migration after a killed one looks again at whom that had passed', async () => {
  const runs = await enterAsBefore(3)
  const [first] = runs
  if (!first) throw new Error('nobody entered')
  await fillArms(store, { limit: 2 })
  // A service of the version before goes on with somebody behind it, and ends.
  await decide(first, 'tone', 'b')
  await migrate(store)
  expect(await armsOf(runs)).toEqual([{ way: 'a', tone: 'b' }, { way: 'a' }, { way: 'a' }])
})

test('whoever was killed, and whose session goes on, is waited for', async () => {
  const runs = await enterAsBefore(2)
  const migrations: Promise<unknown>[] = []
  await fillArms(store, { limit: 1 })
  await inTransaction(store.db, async (tx) => {
    await sql`select from arms_sweep for update`.execute(tx)
    migrations.push(migrate(store))
    await vi.waitFor(async () => {
      const { rows } = await sql`select from pg_stat_activity
        where application_name = ${store.namespace} and wait_event_type = 'Lock'`.execute(store.db)
      expect(rows).toHaveLength(1)
    }, 15_000)
  })
  await Promise.all(migrations)
  expect(await armsOf(runs)).toEqual([{ way: 'a' }, { way: 'a' }])
})

test('several that migrate at once end, and leave nobody out', async () => {
  const runs = await enterAsBefore(5)
  await Promise.all([1, 2, 3].map(() => fillAllArms(store, { limit: 1 })))
  expect(await armsOf(runs)).toEqual(runs.map(() => ({ way: 'a' })))
})

test('two that migrate at once, turn by turn, look at everybody no more than twice', async () => {
  const runs = await enterAsBefore(5)
  const turns = takingTurns()
  let batches = 0
  const onBatch = () => {
    batches += 1
    if (batches > 30) throw new RangeError('they begin over and over again')
  }
  await Promise.all(
    [0, 1].map((me) =>
      fillAllArms(turns.of(me), { limit: 1, onBatch }).finally(() => turns.over(me)),
    ),
  )
  // The second came while the first sweep was under way; nobody leaves one behind that is not needed.
  expect(batches).toBe(10)
  expect(await armsOf(runs)).toEqual(runs.map(() => ({ way: 'a' })))
  const left = await sql`select next_person, ended from arms_sweep`.execute(store.db)
  expect(left.rows).toEqual([{ next_person: null, ended: 2 }])
})

test('migrating again fills what services of the version before wrote meanwhile', async () => {
  const [done] = await enterAsBefore(1, { state: 'completed', ended_at: '2026-01-02T00:00:00Z' })
  const [open] = await enterAsBefore(1)
  await migrate(store)
  expect(await sweep()).toBe(0)
  // From here on what had ended is passed by, and nothing of it is read.
  if (!done || !open) throw new Error('nobody entered')
  await decide(done, 'tone', 'never')
  await decide(open, 'tone', 'b')
  const [late] = await enterAsBefore(1, { state: 'completed', ended_at: new Date().toISOString() })
  await seedMessages(store, 1, heldOut('divided'))
  await migrate(store)
  expect(await armsOf([done, open, late ?? done])).toEqual([
    { way: 'a' },
    { way: 'a', tone: 'b' },
    { way: 'a' },
  ])
  const [outcome] = await readOutcomes(store, 'divided')
  expect(outcome).toMatchObject({
    heldOut: { ofCampaign: { times: 0 }, ofAll: { times: 1 } },
    splits: [
      { split: 'tone', arms: [{ arm: 'b', times: 1 }] },
      { split: 'way', arms: [{ arm: 'a', times: 3 }] },
    ],
  })
})

test('whoever becomes somebody behind the sweep gets their turn in the next', async () => {
  const [first, second, third] = await enterAsBefore(3)
  if (!first || !second || !third) throw new Error('nobody entered')
  await fillArms(store, { limit: 2 })
  await inTransaction(store.db, async (tx) => {
    await lockPeople(tx, [first.personId, third.personId])
    await rekeyPerson(tx, store.namespace, { from: third.personId, into: first.personId })
  })
  await sweep()
  expect(await armsOf([third])).toEqual([null])
  expect(await sweep()).toBe(1)
  expect(await armsOf([third])).toEqual([{ way: 'a' }])
})

test('where nobody is divided or held out nobody is looked at', async () => {
  await emptyNamespace(store)
  await seedMessages(store, 1)
  expect(await fillArms(store)).toEqual({
    ...{ more: false, begins: true, sweep: 0, people: 0, runs: 0 },
  })
})

test('a version that cannot be read keeps nobody else from being told apart', async () => {
  await applyDefinition(
    store,
    smallHospital([campaign({ id: 'own', ...marketing, holdOut: 41 }), campaign({ id: 'other' })]),
    'test',
  )
  await sql`update campaign_version set content = jsonb_set(content, '{holdOut}', '"a few"')
    where campaign_id = 'own' and version = 2`.execute(store.db)
  const unknown = { ...heldOut('own').enrolment, version: 2 }
  await seedMessages(store, 3, { enrolment: unknown })
  await seedMessages(store, 3, heldOut('divided'))
  expect(await sweep()).toBe(3)
  const rows = await store.db.selectFrom('enrolment').select(['campaign_id', 'reason']).execute()
  const told = Object.groupBy(rows, ({ campaign_id }) => campaign_id)
  expect(new Set(told.own?.map(({ reason }) => reason))).toEqual(new Set(['held_out']))
  expect(new Set(told.divided?.map(({ reason }) => reason))).toEqual(new Set(['held_out_of_all']))
})
