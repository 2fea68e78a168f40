import { openNamespace } from '@wegwijs/test-support/namespace'
import { rowsRead, stopStatistics } from '@wegwijs/test-support/rows-read'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { openStore, type Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import { sweepLeases } from '../src/leases.ts'
import { relayOutbox } from '../src/outbox.ts'
import { queuedJobs, unqueue } from '../src/release.ts'
import { settle } from '../src/settle.ts'
import { inTransaction } from '../src/transaction.ts'
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
  steady = openStore({ ...options, steadyPlans: true })
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
  await relayOutbox(steady, async () => {}, 500)
  return claimed.length
}

it('plans that were made while the tables were empty are good for full ones (P8)', async () => {
  for (let round = 0; round < 8; round += 1) {
    await seedMessages(ground, 2)
    expect(await deliverAll()).toBe(2)
  }
  const sent = { state: 'sent', settled_at: '2026-01-01T00:00:00Z' }
  for (let round = 0; round < 4; round += 1) await seedMessages(ground, 5_000, { intent: sent })
  await sql`insert into attempt (person_id, intent_id, fence, business_at, channel, provider, outcome, duplicate)
    select person_id, intent_id, 1, business_now(), 'email', 'smtp', 'accepted', false from intent`.execute(
    ground.db,
  )
  await seedMessages(ground, 20)
  const read = await rowsRead(steady, async () => expect(await deliverAll()).toBe(20))
  const most = Math.max(...Object.values(read))
  expect(most, JSON.stringify(read)).toBeLessThan(20 * 50)
})

it('a statement whose table was altered since it was prepared is prepared again', async () => {
  await sql`create table growing (first integer)`.execute(ground.db)
  const read = async () =>
    (await sql`select * from growing where first = ${1}`.execute(steady.db)).rows
  for (let round = 0; round < 3; round += 1) expect(await read()).toEqual([])
  await sql`alter table growing add column second integer`.execute(ground.db)
  await sql`insert into growing values (1, 2)`.execute(ground.db)
  const again = await inTransaction(steady.db, async (tx) => {
    const { rows } = await sql`select * from growing where first = ${1}`.execute(tx)
    return rows
  })
  expect(again).toEqual([{ first: 1, second: 2 }])
})
