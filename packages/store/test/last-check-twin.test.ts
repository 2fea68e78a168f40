import { type LastCheck, lastCheck } from '@wegwijs/campaign/last-check'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { later, type SeededMessage, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { stepBusinessTime } from '../src/business-clock.ts'
import type { Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import { loadStates } from '../src/load-states.ts'
import { claimDue, intentOf } from './delivery-steps.ts'

/**
 * The last check is decided twice: by the statement that claims, and by the pure function that a dry
 * run decides by. Whatever is known of a person and a message, both say the same.
 */
let store: Store

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'last_check_twin')
  await stepBusinessTime(store.db, noon)
  await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
})
afterAll(() => store.close())

const noon = '2026-03-02T11:00:00.000Z'
const timeZone = 'Europe/Amsterdam'

const consent = fc.record({
  purpose: fc.constantFrom('care', 'marketing', 'all'),
  channel: fc.constantFrom('', 'email', 'sms', 'app'),
  state: fc.constantFrom('granted' as const, 'withdrawn' as const),
})
const contact = fc.constantFrom(null, { refusedAt: null }, { refusedAt: noon })
const facts = fc.record({
  class: fc.constantFrom('care', 'marketing'),
  channels: fc.constantFrom(['email'], ['email', 'sms'], ['email', 'app', 'sms']),
  duplicate: fc.boolean(),
  expiresInSeconds: fc.constantFrom(0, 60, 3600, 60 * 60 * 24),
  unknownOutcome: fc.constantFrom('at-most-once', 'at-least-once'),
  // Each of these would end most of what comes after it.
  diedAt: fc.integer({ min: 1, max: 15 }).map((drawn) => (drawn === 1 ? noon : null)),
  email: contact,
  timeZone: fc.constantFrom(null, 'Asia/Tokyo', 'America/New_York'),
  consents: fc.uniqueArray(consent, {
    maxLength: 4,
    selector: ({ purpose, channel }) => `${purpose} ${channel}`,
  }),
  run: fc.constantFrom(
    { state: 'running', reason: null },
    { state: 'running', reason: null },
    { state: 'completed', reason: 'completed' },
    { state: 'exited', reason: 'exit_touchpoint' },
    { state: 'exited', reason: 'merged_duplicate' },
  ),
  ofVersion: fc.constantFrom(null, null, 1, 2),
  entity: fc.constantFrom(null, 'active' as const, 'withdrawn' as const),
  /** What became of a message that was waited for in vain. */
  first: fc.constantFrom(null, null, 'planned', 'sent', 'delivered', 'bounced'),
  /** That one alone, over all channels beside another, or before this one in a cascade, behind another. */
  firstIs: fc.constantFrom('alone', 'over all', 'in a cascade'),
  beside: fc.constantFrom('planned', 'sent', 'delivered'),
  /** Monday noon, or what lies outside of it for some zones or all. */
  window: fc.constantFrom(
    null,
    null,
    { days: [1], closed: [], opens: '09:00', closes: '13:00', before: null },
    { days: [1, 2], closed: ['2026-03-02'], opens: '10:30', closes: null, before: null },
    { days: [3], closed: [], opens: '09:00', closes: null, before: later(noon, 3600) },
  ),
})
/** It is noon in Amsterdam, evening in Tokyo, early in New York. */
const quietHours = fc.constantFrom(undefined, { from: '18:00', until: '09:00' })
type Known = typeof facts extends fc.Arbitrary<infer Value> ? Value : never

async function plant(known: Known): Promise<SeededMessage> {
  const [ids] = await seedMessages(store, 1, {
    intent: {
      class: known.class,
      channels: known.channels,
      duplicate: known.duplicate,
      unknown_outcome: known.unknownOutcome,
      sending_window: known.window,
      expires_at: later(noon, known.expiresInSeconds),
      ...(known.ofVersion !== null && {
        entity_type: 'appointment',
        entity_id: 'A-1',
        entity_version: known.ofVersion,
      }),
    },
    person: {
      time_zone: known.timeZone,
      deceased_at: known.diedAt,
      contacts: known.email ? { email: { address: 'somebody@example.org', ...known.email } } : {},
    },
    enrolment: known.run,
  })
  if (!ids) throw new Error('no message')
  const person_id = ids.personId
  for (const each of known.consents) {
    await store.db
      .insertInto('consent')
      .values({ person_id, origin: 'person', at: noon, ...each })
      .execute()
  }
  if (known.first !== null) await plantFirst(ids, known, known.first)
  if (known.entity !== null) {
    const row = { entity_type: 'appointment', entity_id: 'A-1', version: 2, changed_at: noon }
    await store.db
      .insertInto('entity')
      .values({ person_id, ...row, state: known.entity, data: '{}' })
      .execute()
  }
  return ids
}

async function plantFirst(ids: SeededMessage, known: Known, state: string): Promise<void> {
  const isCascade = known.firstIs === 'in a cascade'
  const of = {
    person_id: ids.personId,
    enrolment_id: ids.enrolmentId,
    message_id: isCascade ? 'hello' : 'first',
    part_of: known.firstIs === 'over all' ? newUuid() : null,
    due_at: later(noon, 60),
  }
  const plantOne = async (over: object) => {
    const [one] = await seedMessages(store, 1, { intent: { ...of, ...over } })
    return one?.intentId ?? null
  }
  const beside = known.firstIs === 'alone' ? null : await plantOne({ state: known.beside })
  const turn = isCascade ? { turn: 1, instead_of: beside } : {}
  const first = await plantOne({ state, ...turn })
  await store.db
    .updateTable('intent')
    .set({ instead_of: first, ...(isCascade && { turn: 2 }) })
    .where('intent_id', '=', ids.intentId)
    .execute()
}

/** Where the statement puts a message of which the pure check says this. */
function stateOf(check: LastCheck, { channels, duplicate, unknownOutcome }: Known) {
  switch (check.effect) {
    case 'claim':
      return { state: 'sending', reason: null }
    case 'skip':
      return { state: 'skipped', reason: check.reason }
    case 'cancel':
      return { state: 'cancelled', reason: check.reason }
    case 'expire':
      return { state: 'expired', reason: check.reason }
    case 'hold':
      return { state: 'held', reason: check.reason }
    case 'wait':
      return { state: 'planned', reason: check.reason, due_at: check.dueAt }
    case 'next':
      if (duplicate && unknownOutcome === 'at-most-once') {
        return { state: 'held', reason: 'outcome_unknown' }
      }
      return channels.length > 1
        ? { state: 'planned', reason: check.reason, channel_index: 1 }
        : { state: 'skipped', reason: 'no_usable_channel' }
  }
}

const nothingMore = {
  mergedPeople: [],
  touchedCampaignIds: [],
  goals: [],
  entities: [],
  resumed: [],
  receiptCampaignIds: [],
  taskIds: [],
  taskCampaignIds: [],
  campaignIds: [],
  relations: true,
  dated: [],
  redatedCampaignIds: [],
}

test('the statement and its pure twin say the same, whatever is known', async () => {
  const told = new Set<string>()
  await fc.assert(
    fc.asyncProperty(
      fc.array(facts, { minLength: 20, maxLength: 20 }),
      quietHours,
      async (all, hours) => {
        await sql`truncate person, consent, entity, enrolment, intent, outbox`.execute(store.db)
        const planted: { ids: SeededMessage; known: Known }[] = []
        for (const known of all) planted.push({ ids: await plant(known), known })
        const states = await store.db.transaction().execute((tx) => {
          const ids = planted.map(({ ids }) => ids.personId)
          const enrolments = planted.map(({ ids: { personId, enrolmentId } }) => ({
            person_id: personId,
            enrolment_id: enrolmentId,
          }))
          const intentIds = planted.map(({ ids }) => ids.intentId)
          const scope = { ...nothingMore, wholePeople: ids, resumed: enrolments, intentIds }
          return loadStates(tx, ids, scope)
        })
        await claimDue(store, {
          rehearsalVerified: true,
          quietHours: hours ? [{ class: 'care', ...hours }] : [],
        })
        for (const { ids, known } of planted) {
          const state = states.get(ids.personId)
          const intent = state?.intents.get(ids.intentId)
          if (!state || !intent) throw new Error('it was not loaded')
          const check = lastCheck(state, {
            intent,
            channel: 'email',
            needsConsent: known.class === 'marketing',
            quietHours: known.class === 'care' ? hours : undefined,
            timeZone,
            // contact-budgets.test.ts holds the two to each other in this.
            budgets: [],
            counted: [],
            now: noon,
          })
          told.add(`${check.effect} ${check.reason}`)
          expect(await intentOf(store, ids.intentId)).toMatchObject(stateOf(check, known))
        }
      },
    ),
    // Always the same facts, or one of what they must come to would be missing now and then.
    { numRuns: 15, seed: 20260302, endOnFailure: true },
  )
  // The facts must come to everything that the check can say, or the twins agree about little.
  expect([...told].sort()).toEqual([
    'cancel awaited_after_all',
    'cancel entity_superseded',
    'cancel entity_withdrawn',
    'cancel exit_touchpoint',
    'cancel merged_duplicate',
    'claim null',
    'expire expired',
    'hold outcome_unknown',
    'next consent_missing',
    'next consent_withdrawn',
    'next contact_missing',
    'next contact_refused',
    'skip consent_missing',
    'skip consent_withdrawn',
    'skip person_deceased',
    'wait quiet_hours',
    'wait sending_window',
  ])
})
