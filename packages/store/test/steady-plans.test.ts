import type { Budget } from '@wegwijs/campaign/definition/policies'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { rowsRead, stopStatistics } from '@wegwijs/test-support/rows-read'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest'
import { openStore, type Querying, type Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import { sweepLeases } from '../src/leases.ts'
import { relayOutbox } from '../src/outbox.ts'
import { PreparingClient } from '../src/preparing-client.ts'
import { queuedJobs, unqueue } from '../src/release.ts'
import { settle } from '../src/settle.ts'
import { inTransaction, isTransient, query } from '../src/transaction.ts'
import { claimItems, itemsOf, releaseAll } from './delivery-steps.ts'

let ground: Store
let steady: Store

beforeAll(async () => {
  const { databaseUrl } = inject('servers')
  ground = await openNamespace(databaseUrl, 'steady')
  await applyDefinition(ground, smallHospital([campaign({ id: 'seeded' })]), 'test')
  await stopStatistics(ground)
  const { namespace } = ground
  const options = { databaseUrl, namespace, applicationName: 'steady', maxConnections: 1 }
  steady = openStore({ ...options, steadyPlans: 'at-first' })
})

afterAll(async () => {
  await steady.close()
  await ground.close()
})

/** Everything that scheduler and delivery do to a message, as often as PostgreSQL needs to settle on a plan. */
async function deliverAll(): Promise<number> {
  const jobs = await releaseAll(steady)
  const [first] = jobs
  if (first) await unqueue(steady, first.jobId, first.intents.slice(0, 1))
  const items = itemsOf([...jobs, ...(await releaseAll(steady))])
  const { claimed } = await claimItems(steady, items)
  const outcome = { kind: 'accepted', reference: 'r' } as const
  await settle(
    steady,
    claimed.map(({ intentId, fence }) => ({ intentId, fence, outcome })),
  )
  await settle(
    steady,
    claimed.map(({ intentId, fence }) => ({ intentId, fence, outcome })),
  )
  await sweepLeases(steady, { limit: 100, graceMs: 0 })
  await queuedJobs(steady.db, { after: null, limit: 100, minAgeMs: 0 })
  await relayOutbox(steady, async (records) => records, { perTopic: 500 })
  return claimed.length
}

/** The statements that were planned for one execution alone; `prepared` is how many there are. */
async function plannedAnew(): Promise<{ prepared: number; anew: string[] }> {
  const { rows } = await sql<{ statement: string; anew: boolean }>`
    select statement, custom_plans > 0 as anew from pg_prepared_statements`.execute(steady.db)
  const anew = rows.filter((row) => row.anew).map((row) => row.statement)
  return { prepared: rows.length, anew }
}

/** It was with a worker before, and the claim looks at more of it. */
const comesBack = { fence: 1 }

it('plans that were made while the tables were empty are good for full ones (P8)', async () => {
  for (let round = 0; round < 8; round += 1) {
    await seedMessages(ground, 1)
    await seedMessages(ground, 1, { intent: comesBack })
    expect(await deliverAll()).toBe(2)
  }
  const { prepared, anew } = await plannedAnew()
  expect(prepared).toBeGreaterThan(8)
  expect(anew).toEqual([])
  const sent = { state: 'sent', settled_at: '2026-01-01T00:00:00Z' }
  for (let round = 0; round < 4; round += 1) await seedMessages(ground, 5_000, { intent: sent })
  await sql`insert into attempt (person_id, intent_id, fence, business_at, channel, provider, outcome, duplicate)
    select person_id, intent_id, 1, business_now(), 'email', 'smtp', 'accepted', false from intent`.execute(
    ground.db,
  )
  for (const lane of ['transactional', 'bulk']) {
    await seedMessages(ground, 5_000, { intent: { lane, due_at: '2999-01-01T00:00:00Z' } })
  }
  await seedMessages(ground, 10)
  await seedMessages(ground, 10, { intent: comesBack })
  const read = await rowsRead(steady, async () => expect(await deliverAll()).toBe(20))
  const most = Math.max(...Object.values(read))
  expect(most, JSON.stringify(read)).toBeLessThan(20 * 50)
})

describe('with contact budgets', () => {
  const budgets: Budget[] = [
    { id: 'a-week', most: 1, per: 'P7D', classes: ['service'] },
    { id: 'a-month', most: 2, per: 'P30D', classes: ['service', 'marketing'] },
  ]
  const service = { class: 'service' }

  /** What is claimed, and given back. */
  async function claimAndGiveBack(): Promise<number> {
    const jobs = await releaseAll(steady)
    const { claimed } = await claimItems(steady, itemsOf(jobs), { budgets })
    const outcome = { kind: 'refused', reason: 'x' } as const
    const given = claimed.slice(0, claimed.length / 2)
    await settle(
      steady,
      given.map(({ intentId, fence }) => ({ intentId, fence, outcome })),
    )
    return claimed.length
  }

  it('plans that were made while nothing was counted are good when much is (P8)', async () => {
    for (let round = 0; round < 8; round += 1) {
      await seedMessages(ground, 2, { intent: service })
      expect(await claimAndGiveBack()).toBe(2)
      await sql`truncate intent, counted_message`.execute(ground.db)
    }
    await seedMessages(ground, 5_000, { intent: { ...service, state: 'sent' } })
    await sql`insert into counted_message (person_id, intent_id, fence, class, at)
      select person_id, intent_id, tried, 'service', business_now() - make_interval(mins => tried)
      from intent cross join generate_series(1, 4) as tries (tried)`.execute(ground.db)
    await seedMessages(ground, 20, { intent: service })
    const read = await rowsRead(steady, async () => expect(await claimAndGiveBack()).toBe(20))
    const most = Math.max(...Object.values(read))
    expect(most, JSON.stringify(read)).toBeLessThan(20 * 50)
  })
})

/** A table, and a statement that is prepared for it on the one connection there is. */
async function prepareFor(table: string) {
  await sql`create table ${sql.id(table)} (first integer)`.execute(ground.db)
  const read = async (db: Querying = steady.db) =>
    (await sql`select * from ${sql.id(table)} where first = ${1}`.execute(db)).rows
  for (let round = 0; round < 3; round += 1) expect(await read()).toEqual([])
  const alter = async () => {
    await sql`alter table ${sql.id(table)} add column second integer`.execute(ground.db)
    await sql`insert into ${sql.id(table)} values (1, 2)`.execute(ground.db)
  }
  return { read, alter }
}

describe('a statement whose table was altered since it was prepared', () => {
  it('is prepared again, and nobody notices', async () => {
    const { read, alter } = await prepareFor('growing')
    await alter()
    expect(await read()).toEqual([{ first: 1, second: 2 }])
  })

  it('ends its transaction, which then runs from its start with the new plan', async () => {
    const { read, alter } = await prepareFor('growing_within')
    await alter()
    let runs = 0
    const again = await inTransaction(steady.db, async (tx) => {
      runs += 1
      return read(tx)
    })
    expect(again).toEqual([{ first: 1, second: 2 }])
    expect(runs).toBe(2)
  })
})

it('what PostgreSQL will never do is not tried for ever, though its code is the same', async () => {
  const asked = sql`select * from elsewhere.public.growing where first = ${1}`
  const error = await query(() => asked.execute(steady.db)).catch((failure: unknown) => failure)
  expect(error).toMatchObject({ code: '0A000' })
  expect(isTransient(error)).toBe(false)
})

it('who asks with a callback is called back, however often the text was seen', async () => {
  const client = new PreparingClient({ connectionString: inject('servers').databaseUrl })
  await client.connect()
  onTestFinished(() => client.end())
  const text = 'select $1::text as said'
  const say = (word: string) =>
    new Promise((resolve, reject) => {
      client.query(text, [word], (error: Error | null, { rows } = { rows: [] }) =>
        error ? reject(error) : resolve(rows),
      )
    })
  for (const said of ['a', 'b', 'c']) expect(await say(said)).toEqual([{ said }])
  const bare = new Promise((resolve) =>
    client.query('select 1', (error: Error | null) => resolve(error)),
  )
  expect(await bare).toBeNull()
})

it('what is asked in one turn of the event loop goes in one write', async () => {
  const connectionString = inject('servers').databaseUrl
  const client = new PreparingClient({ connectionString, pipeline: true })
  await client.connect()
  onTestFinished(() => client.end())
  const { stream } = client.connection
  const together = vi.spyOn(stream, '_writev')
  const alone = vi.spyOn(stream, '_write')
  const asked = ['begin', 'select 1 as one', 'commit'].map((text) => client.query(text))
  expect(together.mock.calls.length + alone.mock.calls.length).toBe(0)
  const [, answer] = await Promise.all(asked)
  expect(answer?.rows).toEqual([{ one: 1 }])
  expect([together.mock.calls.length, alone.mock.calls.length]).toEqual([1, 0])
  expect(stream.writableCorked).toBe(0)
})
