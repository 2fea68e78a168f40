import { openNamespace } from '@wegwijs/test-support/namespace'
import { type MessageSeed, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import type { Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import { readPersonFacts } from '../src/explain.ts'
import { endHolding, type HeldEnd, listHeld } from '../src/held-messages.ts'
import { settleLate, sweepLeases } from '../src/leases.ts'
import { settle } from '../src/settle.ts'
import { stopPerson } from '../src/stops.ts'
import { attemptsOf, claimDue, intentOf, toldOf } from './delivery-steps.ts'

let store: Store
const words = { reason: 'asked the provider', source: 'cli:jan' }

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'held')
  await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
})

beforeEach(async () => {
  await sql`truncate person, person_stop, enrolment, intent, attempt, decision, outbox`.execute(
    store.db,
  )
})

afterAll(() => store.close())

/** A message whose worker never came back. */
async function heldMessage(seed: MessageSeed = {}) {
  await seedMessages(store, 1, seed)
  const { claimed } = await claimDue(store, { leaseMs: -1 })
  await sweepLeases(store, { limit: 100, graceMs: 0 })
  const [message] = claimed
  if (!message) throw new Error('nothing was claimed')
  return message
}

const end = (how: HeldEnd, ...ids: string[]) => endHolding(store, ids, how, words)

describe('held messages', () => {
  it('are listed with what is needed to ask the provider', async () => {
    const first = await heldMessage()
    const second = await heldMessage()
    const listed = await listHeld(store.db, 10)
    expect(listed.map((each) => each.intentId)).toEqual([first.intentId, second.intentId])
    expect(listed[0]).toMatchObject({
      personId: first.personId,
      campaignId: 'seeded',
      messageId: 'hello',
      channel: 'email',
      provider: 'smtp',
      fault: 'lease_expired',
      heldSince: expect.stringMatching(/Z$/),
    })
    expect(await listHeld(store.db, 1)).toHaveLength(1)
  })

  it('are sent once more over the same channel, marked as a possible repeat (P2)', async () => {
    const { intentId } = await heldMessage()
    expect(await end('resend', intentId)).toBeNull()
    expect(await intentOf(store, intentId)).toMatchObject({
      state: 'planned',
      reason: 'resent_by_staff',
      duplicate: true,
      settled_at: null,
    })
    const { claimed } = await claimDue(store)
    expect(claimed).toMatchObject([{ intentId, duplicate: true, fence: 3 }])
    const [settled] = await settle(store, [
      { intentId, fence: 3, outcome: { kind: 'unknown', reason: 'no_answer' } },
    ])
    expect(settled).toEqual({ kind: 'settled', state: 'held' })
  })

  it('are checked like any other when they are sent once more (P3)', async () => {
    const { intentId, personId } = await heldMessage()
    await end('resend', intentId)
    await stopPerson(store.db, { idSpace: 'wegwijs', externalId: personId }, words)
    expect((await claimDue(store)).claimed).toEqual([])
    expect(await intentOf(store, intentId)).toMatchObject({
      state: 'skipped',
      reason: 'person_stopped',
    })
  })

  it('are not sent once more when their worker comes back late, before they are claimed (P2)', async () => {
    const { intentId, fence } = await heldMessage()
    await end('resend', intentId)
    const outcome = { kind: 'accepted', reference: 'r' } as const
    expect([...(await settleLate(store, [{ intentId, fence, outcome }]))]).toEqual([intentId])
    expect((await claimDue(store)).claimed).toEqual([])
  })

  it('that were closed are sent when their worker comes back late and knows it (P4)', async () => {
    const { intentId, fence } = await heldMessage()
    await end('close', intentId)
    const outcome = { kind: 'accepted', reference: 'r' } as const
    expect([...(await settleLate(store, [{ intentId, fence, outcome }]))]).toEqual([intentId])
    expect(await intentOf(store, intentId)).toMatchObject({
      state: 'sent',
      reason: 'provider_accepted',
    })
  })

  it.each([
    ['close', 'cancelled', []],
    ['close-as-sent', 'sent', [{ outcome: 'accepted', reason: 'said_by_staff' }]],
  ] as const)('are closed: %s', async (how, state, attempts) => {
    const { intentId } = await heldMessage()
    expect(await end(how, intentId)).toBeNull()
    expect(await intentOf(store, intentId)).toMatchObject({ state, reason: 'closed_by_staff' })
    expect((await attemptsOf(store, intentId)).slice(1)).toMatchObject(attempts)
    expect((await toldOf(store, intentId)).at(-1)).toEqual([state, 'closed_by_staff', 'email'])
    expect(await listHeld(store.db, 10)).toEqual([])
  })

  it('keep who said so and why (P4)', async () => {
    const { intentId, personId } = await heldMessage()
    await end('close', intentId)
    const facts = await readPersonFacts(store.db, personId)
    expect(facts?.decisions).toMatchObject([
      {
        source: null,
        intentId,
        reason: 'closed_by_staff',
        detail: { words: 'asked the provider', by: 'cli:jan', end: 'close' },
      },
    ])
  })

  it('are left as they are, all of them, when one is not held', async () => {
    const { intentId } = await heldMessage()
    const other = await heldMessage()
    await sql`update intent set state = 'delivered' where intent_id = ${other.intentId}`.execute(
      store.db,
    )
    const nobody = '01900000-0000-7000-8000-000000000000'
    expect(await end('resend', intentId, other.intentId, nobody)).toEqual([
      { intentId: other.intentId, why: 'not_held', state: 'delivered' },
      { intentId: nobody, why: 'unknown', state: null },
    ])
    expect(await intentOf(store, intentId)).toMatchObject({ state: 'held', duplicate: false })
  })

  it('that have expired can only be closed (P3)', async () => {
    const { intentId } = await heldMessage()
    await sql`update intent set expires_at = business_now()`.execute(store.db)
    expect(await end('resend', intentId)).toMatchObject([{ why: 'expired' }])
    expect(await end('close', intentId)).toBeNull()
  })

  it('end once, however many end them at the same time', async () => {
    const { intentId } = await heldMessage()
    const both = await Promise.all([end('close', intentId), end('resend', intentId)])
    expect(both.filter((refused) => refused === null)).toHaveLength(1)
    expect(await store.db.selectFrom('decision').select('reason').execute()).toHaveLength(1)
  })
})
