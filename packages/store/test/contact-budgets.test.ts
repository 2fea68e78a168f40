import { type CountedMessage, placeFreeAt } from '@wegwijs/campaign/contact-budget'
import type { Budget } from '@wegwijs/campaign/definition/policies'
import type { AttemptOutcome } from '@wegwijs/campaign/delivery'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { countStatements } from '@wegwijs/test-support/count-statements'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { later, type SeededMessage, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { businessNow, stepBusinessTime } from '../src/business-clock.ts'
import { forgetOldCounted } from '../src/contact-budgets.ts'
import type { Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import { endHolding } from '../src/held-messages.ts'
import { settleLate, sweepLeases } from '../src/leases.ts'
import { rekeyPerson } from '../src/merges.ts'
import { insertRows } from '../src/rows.ts'
import { abandonClaim, settle } from '../src/settle.ts'
import { claimDue, claimItems, intentOf, itemsOf, releaseAll } from './delivery-steps.ts'

let store: Store

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'contact_budgets')
  await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
})

beforeEach(async () => {
  await sql`truncate person, enrolment, intent, attempt, outbox, decision, counted_message,
    rehearsal_clock`.execute(store.db)
})

afterAll(() => store.close())

const daily: Budget = { id: 'a-day', most: 1, per: 'P1D', classes: ['marketing', 'service'] }
const budgets = [daily]
const DAY_S = 86_400

/** One more message for somebody, or one for somebody new. */
async function message(of?: SeededMessage, intent: object = {}): Promise<SeededMessage> {
  const [ids] = await seedMessages(store, 1, {
    intent: {
      class: 'service',
      expires_at: later(new Date().toISOString(), 30 * DAY_S),
      ...(of && { person_id: of.personId, enrolment_id: of.enrolmentId }),
      ...intent,
    },
  })
  if (!ids) throw new Error('no message')
  return of ? { ...ids, personId: of.personId, enrolmentId: of.enrolmentId } : ids
}

async function counted(personId: string) {
  return store.db
    .selectFrom('counted_message')
    .select(['intent_id', 'fence', 'class', 'at'])
    .where('person_id', '=', personId)
    .orderBy('at')
    .execute()
}

const settleAs = async (intentId: string, outcome: AttemptOutcome) =>
  settle(store, [{ intentId, fence: (await intentOf(store, intentId)).fence, outcome }])

/** Somebody who has had one message already; it is sent, unless told otherwise. */
async function written(
  outcome: AttemptOutcome = { kind: 'accepted', reference: 'r' },
  intent: object = {},
) {
  const ids = await message(undefined, intent)
  await claimDue(store, { budgets })
  await settleAs(ids.intentId, outcome)
  return ids
}

const stateOf = async ({ intentId }: SeededMessage) => (await intentOf(store, intentId)).state

describe('a message that would be one too many', () => {
  it('waits, over all campaigns and channels, until the one that counts has left the window (P3)', async () => {
    const first = await written()
    const second = await message(first, {
      campaign_id: 'another',
      class: 'marketing',
      channels: ['sms'],
    })
    const { refused } = await claimDue(store, {
      budgets,
      channel: 'sms',
      classesNeedingConsent: [],
    })
    expect(refused).toEqual([
      { intentId: second.intentId, state: 'planned', reason: 'budget_used' },
    ])
    const [row] = await counted(first.personId)
    expect(row).toMatchObject({ intent_id: first.intentId, fence: 1, class: 'service' })
    expect((await intentOf(store, second.intentId)).due_at).toBe(later(row?.at ?? '', DAY_S))
  })

  it('does not wait when it goes with the one that counts, over another channel', async () => {
    const part = { part_of: newUuid() }
    const first = await written(undefined, part)
    const second = await message(first, { ...part, channels: ['sms'] })
    const { claimed } = await claimDue(store, { budgets, channel: 'sms' })
    expect(claimed).toMatchObject([{ intentId: second.intentId }])
    await settleAs(second.intentId, { kind: 'refused', reason: 'no' })
    expect(await counted(first.personId)).toMatchObject([{ intent_id: first.intentId }])
    const third = await message(first, { channels: ['app'] })
    const { refused } = await claimDue(store, { budgets, channel: 'app' })
    expect(refused).toMatchObject([{ intentId: third.intentId, reason: 'budget_used' }])
  })

  it('never waits longer than it is worth sending', async () => {
    const first = await written()
    const expiresAt = later(new Date().toISOString(), 3_600)
    const { intentId } = await message(first, { expires_at: expiresAt })
    await claimDue(store, { budgets })
    expect(await intentOf(store, intentId)).toMatchObject({ due_at: expiresAt })
  })

  it('goes out when that has left, and no moment before, on the business clock', async () => {
    const start = '2026-03-02T09:00:00.000Z'
    const stand = (instant: string) => stepBusinessTime(store.db, instant)
    await stand(start)
    const rehearsed = { budgets, rehearsalVerified: true }
    const first = await message(undefined, { expires_at: later(start, 30 * DAY_S) })
    const second = await message(first, { expires_at: later(start, 30 * DAY_S) })
    const claimed: [string, number][] = []
    for (const seconds of [0, 60, DAY_S - 1, DAY_S]) {
      await stand(later(start, seconds))
      for (const { intentId } of (await claimDue(store, rehearsed)).claimed) {
        claimed.push([intentId, seconds])
        await settleAs(intentId, { kind: 'accepted' })
      }
    }
    expect(new Map(claimed)).toEqual(
      new Map(
        [first, second].toSorted(byId).map(({ intentId }, index) => [intentId, index * DAY_S]),
      ),
    )
  })

  it('is one of a class, and of a persona, of which the budget speaks', async () => {
    const first = await written()
    await message(first, { class: 'care' })
    expect((await claimDue(store, { budgets })).claimed).toHaveLength(1)
    await message(first)
    const parents = [{ ...daily, personas: ['busy-parent'] }]
    const due = itemsOf(await releaseAll(store))
    await sql`update person set persona = 'busy-parent'`.execute(store.db)
    expect((await claimItems(store, due, { budgets: parents })).refused).toMatchObject([
      { reason: 'budget_used' },
    ])
    await sql`update intent set due_at = now() where state = 'planned'`.execute(store.db)
    await sql`update person set persona = 'everybody-else'`.execute(store.db)
    expect((await claimDue(store, { budgets: parents })).claimed).toHaveLength(1)
  })
})

const byId = (a: SeededMessage, b: SeededMessage) => (a.intentId < b.intentId ? -1 : 1)

describe('two messages of one person in one claim', () => {
  it('never both take the last place: the later one gives way, and then waits (P3)', async () => {
    const first = await message()
    const second = await message(first)
    const { claimed, refused } = await claimDue(store, { budgets })
    expect([claimed.length, refused]).toMatchObject([1, [{ state: 'planned', reason: null }]])
    const again = await claimDue(store, { budgets })
    expect(again).toMatchObject({ claimed: [], refused: [{ reason: 'budget_used' }] })
    expect(await counted(first.personId)).toHaveLength(1)
    expect([await stateOf(first), await stateOf(second)].sort()).toEqual(['planned', 'sending'])
  })

  it('both go out where there is room for both, one after the other', async () => {
    const first = await message()
    await message(first)
    const two = { budgets: [{ ...daily, most: 2 }] }
    const claims = [await claimDue(store, two), await claimDue(store, two)]
    expect(claims.map(({ claimed }) => claimed.length)).toEqual([1, 1])
  })

  it('do not meet when one of them is of care, or is refused for another reason', async () => {
    const first = await message()
    await message(first, { class: 'care' })
    await message(first, { expires_at: '2026-01-01T00:00:00Z', due_at: '2025-01-01T00:00:00Z' })
    const { claimed, refused } = await claimDue(store, { budgets })
    expect([claimed.length, refused]).toMatchObject([2, [{ state: 'expired' }]])
  })
})

describe('two messages of one person that are due in one instant, in a rehearsal', () => {
  it.each(['email', 'sms'] as const)(
    'share the last place in the same way each time, though %s is claimed first',
    async (firstClaimed) => {
      const start = '2026-03-02T09:00:00.000Z'
      await stepBusinessTime(store.db, start)
      const later30 = { expires_at: later(start, 30 * DAY_S), due_at: start }
      const one = await message(undefined, later30)
      const two = await message(one, later30)
      const [first, second] = [one, two].toSorted(byId)
      await sql`update intent set channels = case when intent_id = ${first?.intentId}
        then array['email'] else array['sms'] end`.execute(store.db)
      const over = { budgets, rehearsalVerified: true }
      const items = itemsOf(await releaseAll(store))
      const claimed: string[] = []
      for (const channel of [firstClaimed, firstClaimed === 'email' ? 'sms' : 'email'] as const) {
        const result = await claimItems(store, items, { ...over, channel })
        claimed.push(...result.claimed.map(({ intentId }) => intentId))
      }
      expect(claimed).toEqual([first?.intentId])
      // Until it is known what becomes of the one before, it neither goes out nor is put off.
      expect(await claimDue(store, { ...over, channel: 'sms' })).toMatchObject({ claimed: [] })
      expect(await intentOf(store, second?.intentId ?? '')).toMatchObject({
        state: 'planned',
        reason: null,
      })
      await settleAs(first?.intentId ?? '', { kind: 'refused', reason: 'x' })
      const { claimed: then } = await claimDue(store, { ...over, channel: 'sms' })
      expect(then.map(({ intentId }) => intentId)).toEqual([second?.intentId])
    },
  )
})

describe('a place', () => {
  it.each<AttemptOutcome>([
    { kind: 'refused', reason: 'x' },
    { kind: 'unrenderable', reason: 'x' },
    { kind: 'deferred', reason: 'x' },
    { kind: 'not_started', reason: 'x' },
  ])('is given back when it was certainly not handed over: $kind', async (outcome) => {
    const first = await written(outcome)
    expect(await counted(first.personId)).toEqual([])
    await message(first)
    expect((await claimDue(store, { budgets })).claimed).not.toEqual([])
  })

  it('is given back for all attempts when a provider that folds repeats has none of them', async () => {
    const first = await message()
    await claimDue(store, { budgets, idempotent: true })
    await settleAs(first.intentId, { kind: 'unknown', reason: 'x' })
    expect(await counted(first.personId)).toHaveLength(1)
    await sql`update intent set due_at = now()`.execute(store.db)
    await claimDue(store, { budgets, idempotent: true })
    await settleAs(first.intentId, { kind: 'refused', reason: 'x' })
    expect(await counted(first.personId)).toEqual([])
  })

  it.each<AttemptOutcome>([
    { kind: 'accepted', reference: 'r' },
    { kind: 'unknown', reason: 'x' },
  ])('is kept when it was, or may have been: $kind', async (outcome) => {
    const first = await written(outcome)
    expect(await counted(first.personId)).toHaveLength(1)
    await message(first)
    expect(await claimDue(store, { budgets })).toMatchObject({
      claimed: [],
      refused: [{ reason: 'budget_used' }],
    })
  })

  it('is given back when the answer to the claim never came', async () => {
    const first = await message()
    const claimId = newUuid()
    await claimDue(store, { budgets, claimId })
    expect(await counted(first.personId)).toHaveLength(1)
    await abandonClaim(store, claimId, [first.intentId])
    expect(await counted(first.personId)).toEqual([])
  })

  it('is kept when its worker has not come back, and when it comes back late', async () => {
    const first = await message()
    const [claim] = (await claimDue(store, { budgets, leaseMs: 0 })).claimed
    if (!claim) throw new Error('nothing was claimed')
    await sweepLeases(store, { limit: 10, graceMs: 0 })
    expect(await stateOf(first)).toBe('held')
    expect(await counted(first.personId)).toHaveLength(1)
    const { intentId, fence } = claim
    await settleLate(store, [{ intentId, fence, outcome: { kind: 'accepted' } }])
    expect(await stateOf(first)).toBe('sent')
    expect(await counted(first.personId)).toHaveLength(1)
  })

  it('is not needed twice by what is sent once more, and what failed the second time counts as before (P2)', async () => {
    const first = await written({ kind: 'unknown', reason: 'x' })
    await endHolding(store, [first.intentId], 'resend', { reason: 'test', source: 'test' })
    expect((await claimDue(store, { budgets })).claimed).toHaveLength(1)
    expect((await counted(first.personId)).map(({ fence }) => fence)).toEqual([1, 2])
    await settleAs(first.intentId, { kind: 'deferred', reason: 'x' })
    expect((await counted(first.personId)).map(({ fence }) => fence)).toEqual([1])
    await message(first)
    expect((await claimDue(store, { budgets })).claimed).toEqual([])
  })

  it('of a message that is with a worker is looked at again when its lease must be over', async () => {
    const first = await message()
    await claimDue(store, { budgets })
    const second = await message(first)
    await claimDue(store, { budgets, leaseMs: 60_000 })
    const row = await intentOf(store, second.intentId)
    expect(row).toMatchObject({ state: 'planned', reason: 'budget_used' })
    expect(Date.parse(row.due_at) - Date.now()).toBeLessThanOrEqual(60_000)
    await settleAs(first.intentId, { kind: 'deferred', reason: 'x', retryAfterMs: 3_600_000 })
    await sql`update intent set due_at = now() where intent_id = ${second.intentId}`.execute(
      store.db,
    )
    expect((await claimDue(store, { budgets })).claimed).toMatchObject([
      { intentId: second.intentId },
    ])
  })
})

it('two records that become one have had what both had', async () => {
  const [one, other] = [await written(), await written()]
  await store.db
    .transaction()
    .execute((tx) => rekeyPerson(tx, store.namespace, { from: other.personId, into: one.personId }))
  expect(await counted(one.personId)).toHaveLength(2)
  await message(one)
  const two = { budgets: [{ ...daily, most: 2 }] }
  expect((await claimDue(store, two)).refused).toMatchObject([{ reason: 'budget_used' }])
})

it('a budget that looks back further counts what was handed over before it was applied (P3)', async () => {
  const first = await written()
  const aWeekAgo = later(await businessNow(store.db), -7 * DAY_S)
  await store.db.updateTable('counted_message').set({ at: aWeekAgo }).execute()
  await forgetOldCounted(store.db, 10)
  await message(first)
  const monthly = { ...daily, per: 'P30D' }
  const { refused } = await claimDue(store, { budgets: [monthly] })
  expect(refused).toMatchObject([{ reason: 'budget_used' }])
})

it('what no budget may count any more is forgotten, some at a time', async () => {
  const { personId } = await message()
  const now = await businessNow(store.db)
  for (const [fence, days] of [0, 9, 365, 367, 400].entries()) {
    const at = later(now, -days * DAY_S)
    const row = { person_id: personId, intent_id: newUuid(), fence, class: 'service', at }
    await store.db.insertInto('counted_message').values(row).execute()
  }
  const forgotten: number[] = []
  for (const limit of [1, 10, 10]) forgotten.push(await forgetOldCounted(store.db, limit))
  expect(forgotten).toEqual([1, 1, 0])
  expect(await counted(personId)).toHaveLength(3)
})

it('there is room in PostgreSQL when there is room in the core, whatever was sent', async () => {
  const classes = ['service', 'marketing', 'research'] as const
  const personas = ['senior', 'others']
  const anyBudgets = fc.array(
    fc.record(
      {
        id: fc.constant('any'),
        most: fc.integer({ min: 1, max: 3 }),
        per: fc.constantFrom('PT6H', 'PT90M', 'P1D', 'P2D'),
        classes: fc.subarray([...classes], { minLength: 1 }),
        personas: fc.subarray(personas, { minLength: 1 }),
      },
      { requiredKeys: ['id', 'most', 'per', 'classes'] },
    ),
    { minLength: 1, maxLength: 3 },
  )
  const somebody = fc.record({
    persona: fc.constantFrom(null, ...personas),
    class: fc.constantFrom('care' as const, ...classes),
    /** Of the same message one may know more than once; 0 is the one that is to be sent. */
    sent: fc.array(
      fc.record({
        message: fc.integer({ min: 0, max: 5 }),
        minutesAgo: fc.integer({ min: 1, max: 2_000 }),
        class: fc.constantFrom(...classes),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  })
  const people = fc.array(somebody, { minLength: 25, maxLength: 25 })
  const start = '2026-03-02T09:00:00.000Z'
  await stepBusinessTime(store.db, start)
  let waited = 0
  for (const [rules, all] of fc.sample(fc.tuple(anyBudgets, people), 10)) {
    await sql`truncate person, enrolment, intent, attempt, outbox, counted_message`.execute(
      store.db,
    )
    const expected = new Map<string, string | null>()
    const rows: Record<string, unknown>[] = []
    for (const { persona, class: own, sent } of all) {
      const [ids] = await seedMessages(store, 1, {
        person: { persona },
        intent: { class: own, expires_at: later(start, 30 * DAY_S) },
      })
      if (!ids) throw new Error('no message')
      const { personId, intentId } = ids
      const known = [intentId, ...Array.from({ length: 5 }, () => newUuid())]
      const before = sent.map(
        (each): CountedMessage => ({
          intentId: known[each.message] ?? '',
          class: each.class,
          at: later(start, -60 * each.minutesAgo),
        }),
      )
      for (const [index, { intentId: intent_id, class: its, at }] of before.entries())
        rows.push({ person_id: personId, intent_id, fence: 100 + index, class: its, at })
      expected.set(intentId, placeFreeAt(rules, { intentId, class: own, persona }, before, start))
    }
    const columns = ['person_id', 'intent_id', 'fence', 'class', 'at']
    await insertRows(store.db, 'counted_message', columns as never, rows as never)
    await claimDue(store, { budgets: rules, classesNeedingConsent: [], rehearsalVerified: true })
    const intents = await store.db.selectFrom('intent').selectAll().execute()
    const found = new Map(
      intents.map((row) => [row.intent_id, row.reason === 'budget_used' ? row.due_at : null]),
    )
    expect(found).toEqual(expected)
    waited += [...expected.values()].filter((at) => at !== null).length
  }
  expect(waited).toBeGreaterThan(0)
})

it('costs one statement more in the same trip, and none where there are no budgets (P8)', async () => {
  const counting = countStatements(store)
  const statementsOf = async (over: object) => {
    await seedMessages(store, 20, { intent: { class: 'service' } })
    const items = itemsOf(await releaseAll(store))
    counting.forget()
    await claimItems(counting, items, over)
    return counting.statements()
  }
  expect([await statementsOf({}), await statementsOf({ budgets })]).toEqual([2, 3])
})
