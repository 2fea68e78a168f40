import { ownIdSpace } from '@wegwijs/campaign/event-check'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import type { DatabaseTransaction, Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import { stopPerson } from '../src/stops.ts'
import { claimItems, intentOf, itemsOf, releaseAll } from './delivery-steps.ts'

/** P3: what was committed before the claim began to look is always seen. */
let store: Store

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'claim_races')
  await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
})

beforeEach(async () => {
  await sql`truncate person, person_stop, enrolment, intent, attempt, outbox`.execute(store.db)
})

afterAll(() => store.close())

async function queuedOne() {
  const [ids] = await seedMessages(store, 1)
  if (!ids) throw new Error('no message')
  return { ids, items: itemsOf(await releaseAll(store)) }
}

const staffStop = (personId: string) =>
  stopPerson(
    store.db,
    { idSpace: ownIdSpace, externalId: personId },
    { reason: 'test', source: 'test' },
  )

const cancel = (tx: DatabaseTransaction | Store['db'], intentId: string) =>
  sql`update intent set state = 'cancelled', reason = 'exit_touchpoint'
    where intent_id = ${intentId} and state in ('planned', 'queued')`.execute(tx)

/** Resolves when some backend of this namespace waits for a lock. */
async function untilSomebodyWaits(): Promise<void> {
  for (;;) {
    const { rows } = await sql`select from pg_stat_activity
      where application_name = ${store.namespace} and wait_event_type = 'Lock'`.execute(store.db)
    if (rows.length > 0) return
  }
}

describe('a claim', () => {
  it('finds nothing to claim after a withdrawal that it had to wait for', async () => {
    const { ids, items } = await queuedOne()
    let claiming: ReturnType<typeof claimItems> | undefined
    await store.db.transaction().execute(async (tx) => {
      await cancel(tx, ids.intentId)
      claiming = claimItems(store, items)
      await untilSomebodyWaits()
    })
    expect(await claiming).toMatchObject({ claimed: [], refused: [] })
    expect(await intentOf(store, ids.intentId)).toMatchObject({ state: 'cancelled', fence: 0 })
  })

  it('sees a stop that was committed while it waited for the row', async () => {
    const { ids, items } = await queuedOne()
    let claiming: ReturnType<typeof claimItems> | undefined
    await store.db.transaction().execute(async (tx) => {
      await sql`select from intent where intent_id = ${ids.intentId} for update`.execute(tx)
      claiming = claimItems(store, items)
      await untilSomebodyWaits()
      await staffStop(ids.personId)
    })
    expect(await claiming).toMatchObject({
      claimed: [],
      refused: [{ state: 'skipped', reason: 'person_stopped' }],
    })
  })

  it('and a stop at the same time: a stop that was there first is never overlooked', async () => {
    for (let round = 0; round < 30; round += 1) {
      const { ids, items } = await queuedOne()
      let claimBegan = false
      const stopping = staffStop(ids.personId).then(() => !claimBegan)
      // The stop gets a head start that grows, so that some rounds fall on either side.
      for (let step = 0; step < round % 6; step += 1) await sql`select 1`.execute(store.db)
      claimBegan = true
      const { claimed } = await claimItems(store, items)
      if (await stopping) expect(claimed).toEqual([])
      const { state } = await intentOf(store, ids.intentId)
      expect(state).toBe(claimed.length === 1 ? 'sending' : 'skipped')
    }
  })

  it('and a withdrawal at the same time: one of the two has it', async () => {
    for (let round = 0; round < 30; round += 1) {
      const { ids, items } = await queuedOne()
      const [{ claimed }, withdrawn] = await Promise.all([
        claimItems(store, items),
        cancel(store.db, ids.intentId),
      ])
      const { state } = await intentOf(store, ids.intentId)
      expect(state).toBe(claimed.length === 1 ? 'sending' : 'cancelled')
      expect(claimed.length + Number(withdrawn.numAffectedRows)).toBe(1)
    }
  })

  it('of the same job by several workers: each message is claimed once, none is lost', async () => {
    await seedMessages(store, 200)
    const items = itemsOf(await releaseAll(store))
    const results = await Promise.all([
      claimItems(store, items),
      claimItems(store, items.toReversed()),
      claimItems(store, items.slice(50)),
      claimItems(store, items.slice(0, 150)),
    ])
    const claimed = results.flatMap((result) => result.claimed.map((each) => each.intentId))
    expect(claimed).toHaveLength(200)
    expect(new Set(claimed).size).toBe(200)
  })
})
