import type { AttemptOutcome } from '@wegwijs/campaign/delivery'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { countStatements } from '@wegwijs/test-support/count-statements'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { later, type MessageSeed, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { decodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { verifyEvent } from '@wegwijs/wire/signature'
import { topicsOf } from '@wegwijs/wire/topics'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import type { Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import type { ClaimedMessage, ClaimRequest } from '../src/last-check.ts'
import { settleLate, sweepLeases } from '../src/leases.ts'
import { abandonClaim, settle } from '../src/settle.ts'
import {
  attemptsOf,
  claimDue,
  claimItems,
  intentOf,
  itemsOf,
  releaseAll,
  toldOf,
} from './delivery-steps.ts'

let store: Store

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'settle')
  await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
})

beforeEach(async () => {
  await sql`truncate person, enrolment, timer, intent, attempt, outbox`.execute(store.db)
})

afterAll(() => store.close())

async function claimedMessage(seed: MessageSeed = {}, request: Partial<ClaimRequest> = {}) {
  await seedMessages(store, 1, seed)
  const { claimed } = await claimDue(store, request)
  const [message] = claimed
  if (!message) throw new Error('nothing was claimed')
  return message
}

const settleOne = async (message: ClaimedMessage, outcome: AttemptOutcome) =>
  (await settle(store, [{ intentId: message.intentId, fence: message.fence, outcome }]))[0]

const settleLateOne = async ({ intentId, fence }: ClaimedMessage) =>
  (await settleLate(store, [{ intentId, fence, outcome: accepted }])).has(intentId)

const sweep = () => sweepLeases(store, { limit: 100, graceMs: 0 })
const accepted: AttemptOutcome = { kind: 'accepted', reference: 'provider-7' }
const refused: AttemptOutcome = { kind: 'refused', reason: 'mailbox_unknown' }
const deferred: AttemptOutcome = { kind: 'deferred', reason: 'busy', retryAfterMs: 60_000 }
const unknown: AttemptOutcome = { kind: 'unknown', reason: 'no_answer' }

describe('a message that was put into the app', () => {
  const secret = 'a secret of the tests, long enough to be one'
  const inApp = { intent: { channels: ['app', 'email'] } }
  const receipts = async () => {
    const { touchpoints } = topicsOf(store.namespace)
    const rows = await store.db
      .selectFrom('outbox')
      .selectAll()
      .where('topic', '=', touchpoints)
      .execute()
    return rows.map(({ record_key: key, headers, value }) => {
      const decoded = decodeRecord({ key: Buffer.from(key), headers, value })
      if (!decoded.event) throw new Error(decoded.rejection.reason)
      return decoded.event
    })
  }

  it('has arrived, which comes in again like any receipt, signed, once', async () => {
    const message = await claimedMessage(inApp, { channel: 'app', provider: 'app-inbox' })
    const { intentId, fence, personId } = message
    const settlement = { intentId, fence, outcome: accepted }
    await settle(store, [settlement], { secret })
    await settle(store, [settlement], { secret })
    const [receipt, ...others] = await receipts()
    expect(receipt).toMatchObject({
      id: `${intentId}-delivered`,
      type: 'message.delivered.v1',
      subject: personId,
      data: { intentId, channel: 'app', provider: 'app-inbox' },
    })
    expect(receipt && verifyEvent(receipt, secret)).toBe(true)
    expect(others).toEqual([])
  })

  it('has not when it was refused, and nobody says so of what a provider has', async () => {
    const message = await claimedMessage(inApp, { channel: 'app', provider: 'app-inbox' })
    await settle(store, [{ ...message, outcome: refused }], { secret })
    await settle(store, [{ ...(await claimedMessage()), outcome: accepted }], { secret })
    expect(await receipts()).toEqual([])
  })

  it('has arrived, too, when its worker comes back after its lease', async () => {
    const message = await claimedMessage(inApp, { channel: 'app', provider: 'app-inbox' })
    await sql`update intent set lease_until = now() - interval '1 minute'`.execute(store.db)
    await sweep()
    await settleLate(store, [{ ...message, outcome: accepted }], secret)
    expect(await receipts()).toMatchObject([{ data: { intentId: message.intentId } }])
  })
})

const lastChannel = { channels: ['email'] }
const atLeastOnce = { unknown_outcome: 'at-least-once' }

type Case = {
  name: string
  intent?: MessageSeed['intent']
  request?: Partial<ClaimRequest>
  outcome: AttemptOutcome
  after: object
  attempt: object
  told: unknown[]
}

const cases: Case[] = [
  {
    name: 'accepted',
    outcome: accepted,
    after: { state: 'sent', reason: 'provider_accepted', reference: 'provider-7' },
    attempt: { outcome: 'accepted', reason: null },
    told: [['sent', 'provider_accepted', 'email']],
  },
  {
    name: 'refused, another channel is left',
    outcome: refused,
    after: {
      state: 'planned',
      reason: 'provider_refused',
      channel_index: 1,
      attempts: 0,
      detail: { channels: { email: 'mailbox_unknown' } },
    },
    attempt: { outcome: 'refused', reason: 'mailbox_unknown' },
    told: [],
  },
  {
    name: 'refused over the last channel',
    intent: lastChannel,
    outcome: refused,
    after: { state: 'failed', reason: 'provider_refused' },
    attempt: { outcome: 'refused', reason: 'mailbox_unknown' },
    told: [['failed', 'provider_refused', 'email']],
  },
  {
    name: 'a text that cannot be made over the last channel',
    intent: lastChannel,
    outcome: { kind: 'unrenderable', reason: 'template_variable_missing' },
    after: { state: 'failed', reason: 'template_error' },
    attempt: { outcome: 'refused', reason: 'template_variable_missing' },
    told: [['failed', 'template_error', 'email']],
  },
  {
    name: 'deferred',
    outcome: deferred,
    after: { state: 'planned', reason: 'provider_deferred', channel_index: 0, attempts: 1 },
    attempt: { outcome: 'deferred', reason: 'busy' },
    told: [],
  },
  {
    name: 'deferred until after its expiry, over the last channel',
    intent: { ...lastChannel, expires_at: later(new Date().toISOString(), 50) },
    outcome: deferred,
    after: { state: 'expired', reason: 'provider_unavailable' },
    attempt: { outcome: 'deferred', reason: 'busy' },
    told: [['expired', 'provider_unavailable', 'email']],
  },
  {
    name: 'unknown, at most once',
    outcome: unknown,
    after: { state: 'held', reason: 'outcome_unknown', duplicate: false },
    attempt: { outcome: 'unknown', reason: 'no_answer' },
    told: [['held', 'outcome_unknown', 'email']],
  },
  {
    name: 'unknown, at least once: one marked resend',
    intent: atLeastOnce,
    outcome: unknown,
    after: { state: 'planned', reason: 'outcome_unknown', duplicate: true, channel_index: 0 },
    attempt: { outcome: 'unknown', reason: 'no_answer', duplicate: false },
    told: [],
  },
  {
    name: 'unknown again, at least once',
    intent: { ...atLeastOnce, duplicate: true },
    outcome: unknown,
    after: { state: 'held', reason: 'outcome_unknown', duplicate: true },
    attempt: { outcome: 'unknown', duplicate: true },
    told: [['held', 'outcome_unknown', 'email']],
  },
  {
    name: 'unknown over a channel that folds repeats',
    request: { idempotent: true },
    outcome: unknown,
    after: { state: 'planned', reason: 'outcome_unknown', channel_index: 0, idempotent: true },
    attempt: { outcome: 'unknown', reason: 'no_answer' },
    told: [],
  },
  {
    name: 'not started',
    outcome: { kind: 'not_started', reason: 'lease_passed' },
    after: { state: 'planned', reason: null, attempts: 0, channel_index: 0 },
    attempt: { outcome: 'not_started', reason: 'lease_passed' },
    told: [],
  },
]

describe('an attempt', () => {
  it.each(cases)('$name', async ({ intent = {}, request, outcome, after, attempt, told }) => {
    const message = await claimedMessage({ intent }, request)
    const state = (after as { state: string }).state
    expect(await settleOne(message, outcome)).toEqual({ kind: 'settled', state })
    const row = await intentOf(store, message.intentId)
    expect(row).toMatchObject({ ...after, fence: 1, job_id: null, claim_id: null })
    expect([row.lease_until, row.settled_at === null]).toEqual([null, state === 'planned'])
    expect(row.due_at < row.expires_at).toBe(true)
    expect(await attemptsOf(store, message.intentId)).toEqual([
      expect.objectContaining({ fence: 1, channel: 'email', provider: 'smtp', ...attempt }),
    ])
    expect(await toldOf(store, message.intentId)).toEqual(told)
  })

  it('remembers since when it is due as long as its provider puts it off', async () => {
    const message = await claimedMessage()
    const { due_at: dueAt } = await intentOf(store, message.intentId)
    await settleOne(message, deferred)
    const put = await intentOf(store, message.intentId)
    expect(put).toMatchObject({ state: 'planned', due_since: dueAt })
    expect(put.due_at > dueAt).toBe(true)
    const again = async () => {
      await sql`update intent set due_at = now()`.execute(store.db)
      const [claimed] = (await claimDue(store)).claimed
      if (!claimed) throw new Error('nothing was claimed')
      return claimed
    }
    await settleOne(await again(), deferred)
    expect(await intentOf(store, message.intentId)).toMatchObject({ due_since: dueAt })
    await settleOne(await again(), accepted)
    expect(await intentOf(store, message.intentId)).toMatchObject({
      state: 'sent',
      due_since: null,
    })
  })

  it.each<[string, object, AttemptOutcome, boolean]>([
    ['has failed', lastChannel, refused, true],
    ['goes on over another channel', {}, refused, false],
    ['was sent', lastChannel, accepted, false],
    ['asked something', { ...lastChannel, question: '{}' }, refused, false],
  ])(
    'lets the run go on that waits at its step when it %s',
    async (_what, intent, outcome, goesOn) => {
      const message = await claimedMessage({ intent })
      const { enrolment_id, person_id, step } = await intentOf(store, message.intentId)
      const at = later(new Date().toISOString(), 3600)
      const timer = { person_id, enrolment_id, began_at: at, due_at: at }
      const [own, other] = [newUuid(), newUuid()]
      await store.db
        .insertInto('timer')
        .values([
          { ...timer, timer_id: own, step },
          { ...timer, timer_id: other, step: `${step}.else` },
        ])
        .execute()
      await settleOne(message, outcome)
      const rows = await store.db.selectFrom('timer').selectAll().execute()
      const isEarlier = (id: string) => rows.some((row) => row.timer_id === id && row.due_at < at)
      expect([isEarlier(own), isEarlier(other)]).toEqual([goesOn, false])
    },
  )

  it.each<[string, AttemptOutcome]>([
    ['it goes on over another channel', refused],
    ['it was never begun', { kind: 'not_started', reason: 'lease_passed' }],
  ])('does not remember it when %s', async (_why, outcome) => {
    const message = await claimedMessage()
    await settleOne(message, outcome)
    expect(await intentOf(store, message.intentId)).toMatchObject({
      state: 'planned',
      due_since: null,
    })
  })

  it('waits as long as the provider asks', async () => {
    const message = await claimedMessage()
    const before = Date.now()
    await settleOne(message, deferred)
    const { due_at } = await intentOf(store, message.intentId)
    expect(Date.parse(due_at)).toBeGreaterThanOrEqual(before + 60_000 - 1)
  })

  it('is settled, whatever characters the provider answered with', async () => {
    const message = await claimedMessage()
    const reference = `a\u0000b\u001bc\ud800${'d'.repeat(500)}`
    await settleOne(message, { kind: 'accepted', reference })
    const row = await intentOf(store, message.intentId)
    expect(row).toMatchObject({ state: 'sent', reference: `a b c\ufffd${'d'.repeat(194)}` })
  })

  it('counts once, however often it is settled', async () => {
    const message = await claimedMessage()
    await settleOne(message, accepted)
    expect(await settleOne(message, accepted)).toEqual({ kind: 'repeated' })
    expect(await attemptsOf(store, message.intentId)).toHaveLength(1)
    expect(await toldOf(store, message.intentId)).toHaveLength(1)
  })

  it('is written down, and changes nothing else, after a receipt that says more', async () => {
    const message = await claimedMessage()
    await sql`update intent set state = 'delivered', reason = 'delivered'`.execute(store.db)
    expect(await settleOne(message, accepted)).toEqual({ kind: 'overtaken' })
    expect(await intentOf(store, message.intentId)).toMatchObject({
      state: 'delivered',
      reason: 'delivered',
      reference: 'provider-7',
    })
    expect(await attemptsOf(store, message.intentId)).toMatchObject([{ outcome: 'accepted' }])
    expect(await toldOf(store, message.intentId)).toEqual([])
  })

  it('of an earlier claim does not take the place of the one that holds it', async () => {
    const message = await claimedMessage()
    const { intentId, fence } = message
    const settled = await settle(store, [
      { intentId, fence, outcome: accepted },
      { intentId, fence: fence - 1, outcome: unknown },
    ])
    expect(settled).toEqual([{ kind: 'settled', state: 'sent' }, { kind: 'fenced' }])
    expect(await intentOf(store, intentId)).toMatchObject({ state: 'sent' })
  })

  it('changes nothing under another fence', async () => {
    const message = await claimedMessage()
    expect(await settleOne({ ...message, fence: 2 }, accepted)).toEqual({ kind: 'fenced' })
    expect(await intentOf(store, message.intentId)).toMatchObject({ state: 'sending' })
    expect(await attemptsOf(store, message.intentId)).toEqual([])
  })

  it('costs the same number of statements for one and for fifty (P8)', async () => {
    const counting = countStatements(store)
    const counts: number[] = []
    for (const size of [1, 50]) {
      await seedMessages(store, size)
      const { claimed } = await claimDue(store)
      counting.forget()
      const all = claimed.map(({ intentId, fence }) => ({ intentId, fence, outcome: accepted }))
      expect(await settle(counting, all)).toHaveLength(size)
      counts.push(counting.statements())
    }
    expect(counts[1]).toBe(counts[0])
  })
})

describe('a lease that has passed', () => {
  const past = { leaseMs: -1 }

  it('counts as unknown, under a new fence', async () => {
    const message = await claimedMessage({}, past)
    expect(await sweep()).toBe(1)
    expect(await intentOf(store, message.intentId)).toMatchObject({
      state: 'held',
      reason: 'outcome_unknown',
      fence: 2,
      detail: { channels: { email: 'lease_expired' } },
    })
    expect(await attemptsOf(store, message.intentId)).toMatchObject([
      { fence: 1, outcome: 'unknown', reason: 'lease_expired' },
    ])
    expect(await toldOf(store, message.intentId)).toEqual([['held', 'outcome_unknown', 'email']])
  })

  it.each([
    ['held', {}],
    ['planned', atLeastOnce],
  ] as const)(
    'lets the late worker say that it was accepted while it is %s (P2)',
    async (state, intent) => {
      const message = await claimedMessage({ intent }, past)
      await sweep()
      expect(await settleOne(message, accepted)).toEqual({ kind: 'fenced' })
      expect(await intentOf(store, message.intentId)).toMatchObject({ state })
      expect(await settleLateOne(message)).toBe(true)
      expect(await intentOf(store, message.intentId)).toMatchObject({
        state: 'sent',
        reason: 'provider_accepted',
        reference: 'provider-7',
        duplicate: false,
        lease_until: null,
      })
      expect(await attemptsOf(store, message.intentId)).toMatchObject([
        { fence: 1, outcome: 'unknown', reason: 'lease_expired' },
        { fence: 1, outcome: 'accepted', channel: 'email', duplicate: false },
      ])
      expect((await toldOf(store, message.intentId)).at(-1)).toEqual([
        'sent',
        'provider_accepted',
        'email',
      ])
      expect(await settleLateOne(message)).toBe(false)
      expect(await attemptsOf(store, message.intentId)).toHaveLength(2)
    },
  )

  it('is not sent again when the late worker says so while it is queued (P2)', async () => {
    const message = await claimedMessage({ intent: atLeastOnce }, past)
    await sweep()
    await sql`update intent set due_at = business_now()`.execute(store.db)
    const items = itemsOf(await releaseAll(store))
    expect(items).toHaveLength(1)
    expect(await settleLateOne(message)).toBe(true)
    expect((await claimItems(store, items)).claimed).toEqual([])
    expect(await intentOf(store, message.intentId)).toMatchObject({ state: 'sent', job_id: null })
  })

  it('is over for a worker whose message was claimed again (P2)', async () => {
    const message = await claimedMessage({ intent: atLeastOnce }, past)
    await sweep()
    await sql`update intent set due_at = business_now()`.execute(store.db)
    const { claimed } = await claimDue(store)
    expect(claimed).toMatchObject([{ fence: 3, duplicate: true }])
    expect(await settleLateOne(message)).toBe(false)
    expect(await intentOf(store, message.intentId)).toMatchObject({ state: 'sending', fence: 3 })
  })

  it.each(['cancelled', 'skipped', 'expired'] as const)(
    'is told of a message that was %s meanwhile, as what it is (P4)',
    async (state) => {
      const message = await claimedMessage({}, past)
      await sweep()
      await sql`update intent set state = ${state}`.execute(store.db)
      expect(await settleLateOne(message)).toBe(true)
      expect(await intentOf(store, message.intentId)).toMatchObject({
        state: 'sent',
        reason: 'provider_accepted',
      })
      expect((await toldOf(store, message.intentId)).at(-1)?.[0]).toBe('sent')
    },
  )

  it('is not what a worker says late of an attempt that was settled (P2)', async () => {
    const message = await claimedMessage()
    await settleOne(message, deferred)
    await sql`update intent set due_at = business_now()`.execute(store.db)
    await claimDue(store)
    await sql`update intent set state = 'held'`.execute(store.db)
    expect(await settleLateOne(message)).toBe(false)
    expect(await attemptsOf(store, message.intentId)).toHaveLength(1)
  })

  it('is the worker who comes first, even late', async () => {
    const message = await claimedMessage({}, past)
    expect(await settleOne(message, accepted)).toEqual({ kind: 'settled', state: 'sent' })
    expect(await sweep()).toBe(0)
  })

  it('one of the two wins when both come at once, and tells one outcome', async () => {
    for (let round = 0; round < 20; round += 1) {
      const message = await claimedMessage({}, past)
      const [settled] = await Promise.all([settleOne(message, accepted), sweep(), sweep()])
      const { state } = await intentOf(store, message.intentId)
      expect(state).toBe(settled?.kind === 'fenced' ? 'held' : 'sent')
      expect(await attemptsOf(store, message.intentId)).toHaveLength(1)
      expect(await toldOf(store, message.intentId)).toHaveLength(1)
    }
  })

  it('is left alone while PostgreSQL has only just started: workers come first', async () => {
    await claimedMessage({}, past)
    const tenYears = 10 * 365 * 86_400_000
    expect(await sweepLeases(store, { limit: 100, graceMs: tenYears })).toBe(0)
    expect(await sweep()).toBe(1)
  })

  it('of a message that a receipt has moved on ends as well, and the message stays as it is', async () => {
    const message = await claimedMessage({}, past)
    await sql`update intent set state = 'delivered' where intent_id = ${message.intentId}`.execute(
      store.db,
    )
    expect(await sweep()).toBe(1)
    expect(await intentOf(store, message.intentId)).toMatchObject({
      state: 'delivered',
      lease_until: null,
    })
    expect(await sweep()).toBe(0)
  })

  it('is not yet one that still runs', async () => {
    await claimedMessage()
    expect(await sweep()).toBe(0)
  })
})

describe('a claim whose answer never came', () => {
  it('is given back: nothing of it was sent', async () => {
    await seedMessages(store, 3)
    const items = itemsOf(await releaseAll(store))
    const claimId = newUuid()
    await claimItems(store, items.slice(0, 2), { claimId })
    const ids = items.map((item) => item.intentId)
    expect(await abandonClaim(store, claimId, ids)).toBe(2)
    expect(await abandonClaim(store, claimId, ids)).toBe(0)
    const rows = await Promise.all(ids.map((id) => intentOf(store, id)))
    expect(rows.map((row) => row.state)).toEqual(['planned', 'planned', 'queued'])
    expect(rows.map((row) => row.attempts)).toEqual([0, 0, 0])
    expect(await attemptsOf(store, ids[0] ?? '')).toMatchObject([
      { outcome: 'not_started', reason: 'claim_unanswered' },
    ])
  })

  it('is not the claim of another worker of the same job', async () => {
    await seedMessages(store, 1)
    const items = itemsOf(await releaseAll(store))
    await claimItems(store, items)
    expect(
      await abandonClaim(
        store,
        newUuid(),
        items.map((item) => item.intentId),
      ),
    ).toBe(0)
    expect(await intentOf(store, items[0]?.intentId ?? '')).toMatchObject({ state: 'sending' })
  })
})
