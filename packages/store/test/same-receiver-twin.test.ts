import { type LastCheck, lastCheck } from '@wegwijs/campaign/last-check'
import type { Intent } from '@wegwijs/campaign/state'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { later, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { stepBusinessTime } from '../src/business-clock.ts'
import type { Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import { loadOthers, loadStates } from '../src/load-states.ts'
import { claimItems, intentOf, itemsOf, releaseAll } from './delivery-steps.ts'

/**
 * Beside which other messages to the same recipient one goes is decided twice, too: whatever became of them, the
 * statement that claims and the pure function that a dry run decides by say the same.
 */
let store: Store

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'same_receiver_twin')
  await stepBusinessTime(store.db, noon)
  await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
})
afterAll(() => store.close())

const noon = '2026-03-02T11:00:00.000Z'

const over = { state: 'cancelled', reason: null } as const
const copy = fc.record({
  /** To which of two records of one person by now. */
  to: fc.constantFrom(0, 0, 1),
  turn: fc.constantFrom(0, 0, 1, 1, 2),
  stands: fc.constantFrom(
    { state: 'planned', reason: null },
    { state: 'planned', reason: null },
    { state: 'planned', reason: null },
    { state: 'planned', reason: 'channel_stopped' },
    { state: 'sent', reason: 'provider_accepted' },
    { state: 'sent', reason: 'provider_accepted' },
    { state: 'delivered', reason: 'delivered' },
    { state: 'bounced', reason: 'bounced' },
    { state: 'sending', reason: null },
    { state: 'held', reason: 'outcome_unknown' },
    { state: 'failed', reason: 'provider_refused' },
    { ...over, reason: 'merged_duplicate' },
    { ...over, reason: 'closed_by_staff' },
    { ...over, reason: 'awaited_after_all' },
  ),
  duplicate: fc.integer({ min: 1, max: 4 }).map((drawn) => drawn === 1),
  plannedSecondsAgo: fc.constantFrom(3600, 1800, 0),
  settledSecondsAgo: fc.constantFrom(2700, 1800, 60),
  dueInSeconds: fc.constantFrom(0, 0, 600),
  expiresInSeconds: fc.constantFrom(0, 300, 3600, 3600, 3600),
  /** The one in whose place it came is the nth of those that it can be. */
  insteadOf: fc.option(fc.nat(2), { freq: 4 }),
})
const given = fc.record({
  copies: fc.array(copy, { minLength: 2, maxLength: 4 }),
  unknownOutcome: fc.constantFrom('at-most-once', 'at-least-once'),
  relations: fc.tuple(
    fc.constantFrom('granted' as const, 'granted' as const, 'ended' as const),
    fc.constantFrom('granted' as const, 'granted' as const, 'ended' as const),
  ),
})
type Given = typeof given extends fc.Arbitrary<infer Value> ? Value : never
type Copy = Given['copies'][number]

/** The person whom they are about; the messages in the order of the list. */
async function plant({ copies, unknownOutcome, relations }: Given) {
  const [personId, enrolmentId] = [newUuid(), newUuid()]
  const records = [newUuid(), newUuid()]
  const ids = copies.map(() => newUuid()).sort()
  await seedMessages(store, 1, { person: { person_id: personId }, intent: over })
  for (const [nth, record] of records.entries()) {
    const person = { person_id: record, ...(nth > 0 && { merged_into: records[0] }) }
    await seedMessages(store, 1, { person, intent: over })
    await store.db
      .insertInto('relation')
      .values({
        person_id: personId,
        other_id: record,
        kind: nth > 0 ? 'parent' : 'caregiver',
        state: relations[nth] ?? 'granted',
        scope: ['care'],
        expires_at: null,
        at: noon,
      })
      .execute()
  }
  const rows = copies.map((each, nth) => ({
    ...rowOf(each, unknownOutcome),
    person_id: personId,
    enrolment_id: enrolmentId,
    intent_id: ids[nth],
    instead_of: ids[firstOf(copies, nth) ?? -1] ?? null,
    recipient_id: records[each.to],
  }))
  for (const intent of rows) await seedMessages(store, 1, { intent })
  await sql`insert into enrolment (person_id, enrolment_id, campaign_id, version, entry_key, state, entered_at, trigger)
    select ${personId}::uuid, ${enrolmentId}::uuid, campaign_id, version, 'own', state, entered_at, trigger
    from enrolment limit 1`.execute(store.db)
  return { personId, receiverId: records[0] ?? '', ids }
}

function rowOf({ stands, ...each }: Copy, unknown_outcome: string) {
  const isOpen = stands.state === 'planned' || stands.state === 'sending'
  return {
    ...stands,
    unknown_outcome,
    turn: each.turn,
    duplicate: each.duplicate,
    channels: ['email'],
    recipient_as: each.to === 0 ? 'caregiver' : 'parent',
    recipient_scope: 'care',
    planned_at: later(noon, -each.plannedSecondsAgo),
    due_at: later(noon, each.dueInSeconds),
    expires_at: later(noon, each.expiresInSeconds),
    settled_at: isOpen ? null : later(noon, -each.settledSecondsAgo),
  }
}

/** What a worker or staff may still have of it the tables alone know. */
function firstOf(copies: readonly Copy[], nth: number): number | undefined {
  const own = copies[nth]
  if (!own || own.insteadOf === null) return undefined
  const isOver = ({ stands: { state } }: Copy) => !['planned', 'sending', 'held'].includes(state)
  const before = [...copies.entries()].filter(
    ([, each]) => each.to === own.to && each.turn === own.turn - 1 && isOver(each),
  )
  return before[own.insteadOf % before.length]?.[0]
}

/** Where the statement puts a message of which the pure check says this. */
function rowAfter(check: LastCheck, { expiresAt }: Intent) {
  const { effect, reason } = check
  switch (effect) {
    case 'claim':
      return { state: 'sending' }
    case 'skip':
      return { state: 'skipped', reason }
    case 'cancel':
      return { state: 'cancelled', reason }
    case 'expire':
      return { state: 'expired', reason }
    case 'hold':
      return { state: 'held', reason }
    case 'wait':
      // For staff a dry run has none, and waits for the end; the statement looks again before it.
      return check.dueAt === expiresAt
        ? { state: 'planned', reason }
        : { state: 'planned', reason, due_at: check.dueAt }
    case 'next':
      throw new RangeError(`there is no next channel: ${reason}`)
  }
}

const nothingMore = {
  mergedPeople: [],
  touchedCampaignIds: [],
  goals: [],
  entities: [],
  resumed: [],
  intentIds: [],
  receiptCampaignIds: [],
  taskIds: [],
  taskCampaignIds: [],
  campaignIds: [],
  relations: true,
  dated: [],
  redatedCampaignIds: [],
}

test('the statement and its pure twin say the same beside other messages, whatever became of them', async () => {
  const told = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(given, { minLength: 20, maxLength: 20 }), async (all) => {
      await sql`truncate person, relation, enrolment, intent, outbox`.execute(store.db)
      const planted: Awaited<ReturnType<typeof plant>>[] = []
      for (const each of all) planted.push(await plant(each))
      const items = itemsOf(await releaseAll(store))
      const people = planted.flatMap(({ personId, receiverId }) => [personId, receiverId])
      const { states, others } = await store.db.transaction().execute(async (tx) => {
        const states = await loadStates(tx, people, { ...nothingMore, wholePeople: people })
        return { states, others: await loadOthers(tx, states.values()) }
      })
      // A dry run has no workers, and so nothing to wait for when the other one has gone.
      await claimItems(store, items, { rehearsalVerified: true, leaseMs: 0 })
      for (const { personId, receiverId, ids } of planted) {
        const state = states.get(personId)
        const receiver = states.get(receiverId)
        if (!state || !receiver) throw new Error('they were not loaded')
        for (const intentId of ids) {
          const intent = state.intents.get(intentId)
          if (intent?.state !== 'queued') continue
          const check = lastCheck(state, {
            intent,
            channel: 'email',
            needsConsent: false,
            quietHours: undefined,
            timeZone: 'Europe/Amsterdam',
            budgets: [],
            counted: [],
            ages: [],
            receiver,
            otherOf: (id) => others.get(id) ?? null,
            now: noon,
          })
          told.add(`${check.effect} ${check.reason}`)
          expect(await intentOf(store, intentId)).toMatchObject(rowAfter(check, intent))
        }
      }
    }),
    { numRuns: 20, seed: 20260302, endOnFailure: true },
  )
  expect([...told].sort()).toEqual([
    'cancel awaited_after_all',
    'cancel merged_duplicate',
    'claim null',
    'expire expired',
    'hold outcome_unknown',
    'skip relation_ended',
    'wait merged_duplicate',
  ])
}, 120_000)
