import { ownIdSpace } from '@wegwijs/campaign/event-check'
import { quietUntil } from '@wegwijs/campaign/quiet-hours'
import { openedBeside, type SendingWindow, windowOpens } from '@wegwijs/campaign/sending-window'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { countStatements } from '@wegwijs/test-support/count-statements'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { later, type SeededMessage, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { stepBusinessTime } from '../src/business-clock.ts'
import type { Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import { endHolding } from '../src/held-messages.ts'
import { type ClaimRequest, lastCheckReasons } from '../src/last-check.ts'
import { liftStop, type Operation, recordStopEvents, stopOperation } from '../src/stops.ts'
import { claimDue, claimItems, intentOf, itemsOf, releaseAll, toldOf } from './delivery-steps.ts'

let store: Store

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'last_check')
  await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
})

beforeEach(async () => {
  await sql`truncate person, consent, relation, person_stop, operational_stop, stop_lift, entity, enrolment,
    timer, intent, attempt, outbox, rehearsal_clock`.execute(store.db)
})

afterAll(() => store.close())

const now = () => new Date().toISOString()

async function consent(ids: SeededMessage, over: Record<string, unknown> = {}) {
  const row = { person_id: ids.personId, purpose: 'care', channel: '', state: 'withdrawn' as const }
  await store.db
    .insertInto('consent')
    .values({ ...row, origin: 'person', at: now(), ...over })
    .execute()
}

async function personStop(ids: SeededMessage, over: Record<string, unknown> = {}) {
  const stopId = newUuid()
  await store.db
    .insertInto('person_stop')
    .values({
      person_id: ids.personId,
      stop_id: stopId,
      kind: 'consent',
      reason: 'test',
      source: 'test',
      at: now(),
      ...over,
    })
    .execute()
  return stopId
}

async function entity(ids: SeededMessage, version: number, state: 'active' | 'withdrawn') {
  await store.db
    .insertInto('entity')
    .values({
      person_id: ids.personId,
      entity_type: 'appointment',
      entity_id: 'A-1',
      version,
      state,
      data: JSON.stringify({ startsAt: '2026-05-01T09:00:00.000Z' }),
      changed_at: now(),
    })
    .execute()
}

async function set(table: 'person' | 'intent' | 'enrolment', ids: SeededMessage, what: object) {
  await store.db
    .updateTable(table)
    .set(what as never)
    .where('person_id', '=', ids.personId as never)
    .execute()
}

async function setMessage({ intentId }: SeededMessage, what: object) {
  const changed = store.db.updateTable('intent').set(what as never)
  await changed.where('intent_id', '=', intentId).execute()
}

const stop = (operation: Operation) =>
  stopOperation(store.db, operation, { reason: 'test', source: 'test' })

const zone = 'Europe/Amsterdam'
const clock = (hours: number, timeZone = zone) =>
  new Intl.DateTimeFormat('nl', { hour: '2-digit', minute: '2-digit', timeZone }).format(
    Date.now() + hours * 3_600_000,
  )
/** From an hour ago until an hour from now, as clocks of that zone show it. */
const quiet = (timeZone = zone) => [
  { class: 'care', from: clock(-1, timeZone), until: clock(1, timeZone) },
]

describe('a message in order', () => {
  it('is claimed with all that rendering needs', async () => {
    const [ids] = await seedMessages(store, 1, {
      intent: { entity_type: 'appointment', entity_id: 'A-1', entity_version: 2 },
      enrolment: { trigger: { data: { ward: 'B2' } } },
    })
    if (!ids) throw new Error('no message')
    await entity(ids, 2, 'active')
    const { claimed, refused, obstacle } = await claimDue(store)
    expect(obstacle).toBeNull()
    expect(refused).toEqual([])
    expect(claimed).toEqual([
      {
        intentId: ids.intentId,
        personId: ids.personId,
        receiverId: ids.personId,
        recipient: null,
        fence: 1,
        attempt: 1,
        duplicate: false,
        address: `${ids.personId}@example.org`,
        enrolmentId: ids.enrolmentId,
        campaignId: 'seeded',
        messageId: 'hello',
        templateId: 'hello',
        templateHash: 'hello-1',
        expiresAt: expect.any(String),
        traceparent: null,
        claimedAt: expect.any(String),
        person: {
          fields: { givenName: 'Noor', birthYear: 1950 },
          locale: 'nl',
          timeZone: null,
          persona: null,
          journeys: { stay: expect.objectContaining({ phase: 'recovery' }) },
        },
        event: { ward: 'B2' },
        entity: { startsAt: '2026-05-01T09:00:00.000Z' },
        statuses: { hello: 'queued' },
        question: null,
      },
    ])
    expect(await intentOf(store, ids.intentId)).toMatchObject({
      state: 'sending',
      fence: 1,
      attempts: 1,
      provider: 'smtp',
      idempotent: false,
      settled_at: null,
    })
    expect(await toldOf(store, ids.intentId)).toEqual([])
  })
})

type Case = {
  name: string
  state: string
  reason: string | null
  seed?: Parameters<typeof seedMessages>[2]
  arrange?: (ids: SeededMessage) => Promise<unknown>
  request?: Partial<ClaimRequest>
}

const marketing = { intent: { class: 'marketing' } }
const onAppointment = {
  intent: { entity_type: 'appointment', entity_id: 'A-1', entity_version: 2 },
}

const finals: Case[] = [
  {
    name: 'nothing is known of the person',
    state: 'skipped',
    reason: 'person_unknown',
    arrange: (ids) => store.db.deleteFrom('person').where('person_id', '=', ids.personId).execute(),
  },
  {
    name: 'the person has died',
    state: 'skipped',
    reason: 'person_deceased',
    arrange: (ids) => set('person', ids, { deceased_at: now() }),
  },
  {
    name: 'a death was reported a moment ago',
    state: 'skipped',
    reason: 'person_deceased',
    arrange: (ids) => personStop(ids, { kind: 'death' }),
  },
  {
    name: 'the record was merged into another',
    state: 'skipped',
    reason: 'person_merged',
    arrange: (ids) => set('person', ids, { merged_into: newUuid() }),
  },
  {
    name: 'staff stopped the person',
    state: 'skipped',
    reason: 'person_stopped',
    arrange: (ids) => personStop(ids, { kind: 'staff' }),
  },
  {
    name: 'the class was withdrawn',
    state: 'skipped',
    reason: 'consent_withdrawn',
    arrange: (ids) => consent(ids),
  },
  {
    name: 'everything was withdrawn',
    state: 'skipped',
    reason: 'consent_withdrawn',
    arrange: (ids) => consent(ids, { purpose: 'all' }),
  },
  {
    name: 'a withdrawal came a moment ago',
    state: 'skipped',
    reason: 'consent_withdrawn',
    arrange: async (ids) => {
      await consent(ids, { state: 'granted', at: '2026-01-01T00:00:00Z' })
      await personStop(ids, { purpose: 'care', at: '2026-01-02T00:00:00Z' })
    },
  },
  {
    name: 'a withdrawal came at the very time of the consent',
    state: 'skipped',
    reason: 'consent_withdrawn',
    arrange: async (ids) => {
      await consent(ids, { state: 'granted', at: '2026-01-02T00:00:00Z' })
      await personStop(ids, { purpose: 'care', at: '2026-01-02T00:00:00Z' })
    },
  },
  {
    name: 'a consent over one channel does not lift the withdrawal of all',
    state: 'skipped',
    reason: 'consent_withdrawn',
    arrange: async (ids) => {
      await consent(ids, { at: '2026-01-01T00:00:00Z' })
      await consent(ids, { state: 'granted', channel: 'email', at: '2026-01-02T00:00:00Z' })
    },
  },
  {
    name: 'the class needs a consent that nobody gave',
    state: 'skipped',
    reason: 'consent_missing',
    seed: marketing,
  },
  {
    name: 'the class needs a consent, and only another class has one',
    state: 'skipped',
    reason: 'consent_missing',
    seed: marketing,
    arrange: (ids) => consent(ids, { state: 'granted', purpose: 'research' }),
  },
  {
    name: 'the class needs a consent, and only a channel that it does not use has one',
    state: 'skipped',
    reason: 'consent_missing',
    seed: marketing,
    arrange: (ids) => consent(ids, { state: 'granted', purpose: 'marketing', channel: 'app' }),
  },
  {
    name: 'the enrolment was ended while it was on its way',
    state: 'cancelled',
    reason: 'exit_touchpoint',
    seed: { enrolment: { state: 'exited', reason: 'exit_touchpoint' } },
  },
  {
    name: 'the enrolment was ended by a merge',
    state: 'cancelled',
    reason: 'merged_duplicate',
    seed: { enrolment: { state: 'exited', reason: 'merged_duplicate' } },
  },
  {
    name: 'the appointment was moved',
    state: 'cancelled',
    reason: 'entity_superseded',
    seed: onAppointment,
    arrange: (ids) => entity(ids, 3, 'active'),
  },
  {
    name: 'the appointment was withdrawn',
    state: 'cancelled',
    reason: 'entity_withdrawn',
    seed: onAppointment,
    arrange: (ids) => entity(ids, 3, 'withdrawn'),
  },
  {
    name: 'nothing is known of the appointment',
    state: 'cancelled',
    reason: 'entity_superseded',
    seed: onAppointment,
  },
  {
    name: 'it took the place of one of an older version, which went out',
    state: 'cancelled',
    reason: 'older_version_told',
    arrange: async (ids) => {
      const [older] = await seedMessages(store, 1, {
        intent: { person_id: ids.personId, state: 'sent' },
      })
      await set('intent', ids, { instead_of: older?.intentId })
    },
  },
  {
    name: 'it took the place of one that was waited for in vain, and arrived',
    state: 'cancelled',
    reason: 'awaited_after_all',
    arrange: async (ids) => {
      await awaited(ids, { state: 'delivered' })
    },
  },
  {
    name: 'it has expired',
    state: 'expired',
    reason: 'expired',
    arrange: (ids) => set('intent', ids, { expires_at: now() }),
  },
  {
    name: 'it has expired while it may have been sent',
    state: 'held',
    reason: 'outcome_unknown',
    arrange: (ids) => set('intent', ids, { expires_at: now(), duplicate: true }),
  },
  {
    name: 'it has expired while everything was stopped',
    state: 'expired',
    reason: 'expired',
    arrange: async (ids) => {
      await stop({ scope: 'all', target: '' })
      await set('intent', ids, { expires_at: now() })
    },
  },
  {
    name: 'the last channel has no address',
    state: 'skipped',
    reason: 'no_usable_channel',
    seed: { intent: { channels: ['email'] }, person: { contacts: {} } },
  },
  {
    name: 'the next channel would be a second message',
    state: 'held',
    reason: 'outcome_unknown',
    seed: { intent: { duplicate: true }, person: { contacts: {} } },
  },
]

describe('a message is not sent, for good, when', () => {
  it.each(finals)('$name: $state, $reason', async ({ seed, arrange, request, state, reason }) => {
    const [ids] = await seedMessages(store, 1, seed)
    if (!ids) throw new Error('no message')
    const items = itemsOf(await releaseAll(store))
    await arrange?.(ids)
    const { claimed, refused } = await claimItems(store, items, request)
    expect(claimed).toEqual([])
    expect(refused).toEqual([{ intentId: ids.intentId, state, reason }])
    expect(await intentOf(store, ids.intentId)).toMatchObject({
      state,
      reason,
      fence: 0,
      attempts: 0,
      job_id: null,
      settled_at: expect.any(String),
    })
    expect(await toldOf(store, ids.intentId)).toEqual([[state, reason, 'email']])
  })

  it('remembers what an expired message had waited for', async () => {
    const [ids] = await seedMessages(store, 1, { intent: { reason: 'provider_deferred' } })
    if (!ids) throw new Error('no message')
    const items = itemsOf(await releaseAll(store))
    await set('intent', ids, { expires_at: now() })
    await claimItems(store, items)
    expect(await intentOf(store, ids.intentId)).toMatchObject({
      detail: { waitedFor: 'provider_deferred' },
    })
  })
})

const waits: Case[] = [
  {
    name: 'a newer version of the appointment could not be applied',
    state: 'planned',
    reason: 'entity_unapplied',
    seed: onAppointment,
    arrange: async (ids) => {
      await entity(ids, 2, 'active')
      await store.db.updateTable('entity').set({ unapplied_version: 3 }).execute()
    },
  },
  {
    name: 'everything is stopped',
    state: 'planned',
    reason: 'sending_stopped',
    arrange: () => stop({ scope: 'all', target: '' }),
  },
  {
    name: 'its campaign is stopped',
    state: 'planned',
    reason: 'campaign_stopped',
    arrange: () => stop({ scope: 'campaign', target: 'seeded' }),
  },
  {
    name: 'its template is stopped',
    state: 'planned',
    reason: 'template_stopped',
    arrange: () => stop({ scope: 'template', target: 'hello' }),
  },
  {
    name: 'the channel is stopped',
    state: 'planned',
    reason: 'channel_stopped',
    arrange: () => stop({ scope: 'channel', target: 'email' }),
  },
  {
    name: 'the provider is stopped',
    state: 'planned',
    reason: 'provider_stopped',
    arrange: () => stop({ scope: 'provider', target: 'smtp' }),
  },
  {
    name: 'of the one whose place it took nobody knows',
    state: 'planned',
    reason: 'awaited_open',
    arrange: async (ids) => {
      await awaited(ids, { state: 'held' })
    },
  },
]

/** Each of them also of a message that was with a worker before: of such a one more is looked at. */
const andRetried = (cases: readonly Case[]): Case[] =>
  cases.flatMap((one) => [
    one,
    {
      ...one,
      name: `${one.name}, for one that was with a worker before`,
      seed: { ...one.seed, intent: { ...one.seed?.intent, fence: 1 } },
    },
  ])

describe('a message waits when', () => {
  it.each(andRetried(waits))('$name: $reason', async ({ seed, arrange, reason }) => {
    const [ids] = await seedMessages(store, 1, seed)
    if (!ids) throw new Error('no message')
    const items = itemsOf(await releaseAll(store))
    await arrange?.(ids)
    const { claimed, refused } = await claimItems(store, items)
    expect(claimed).toEqual([])
    expect(refused).toEqual([{ intentId: ids.intentId, state: 'planned', reason }])
    const row = await intentOf(store, ids.intentId)
    expect(row).toMatchObject({ state: 'planned', reason, channel_index: 0, settled_at: null })
    expect(Date.parse(row.due_at) - Date.now()).toBeGreaterThan(50_000)
    expect(row.due_at <= row.expires_at).toBe(true)
    expect(await toldOf(store, ids.intentId)).toEqual([])
  })

  it.each([
    ['channel', 'email', true],
    ['provider', 'smtp', true],
    ['campaign', 'seeded', false],
  ] as const)('remembers since when it is due when its %s is stopped: %s, %s', async (...of) => {
    const [scope, target, isRemembered] = of
    const [ids] = await seedMessages(store, 1)
    if (!ids) throw new Error('no message')
    const { due_at: dueAt } = await intentOf(store, ids.intentId)
    const stopId = await stop({ scope, target })
    await claimDue(store)
    const dueSince = isRemembered ? dueAt : null
    const stopped = await intentOf(store, ids.intentId)
    expect(stopped).toMatchObject({ state: 'planned', due_since: dueSince })
    expect(stopped.due_at > dueAt).toBe(true)
    await set('intent', ids, { due_at: now() })
    await claimDue(store)
    expect(await intentOf(store, ids.intentId)).toMatchObject({ due_since: dueSince })
    await liftStop(store.db, stopId, { reason: 'test', source: 'test' })
    // What puts it off since is not its channel.
    await set('intent', ids, { due_at: now() })
    await claimDue(store, { quietHours: quiet() })
    expect(await intentOf(store, ids.intentId)).toMatchObject({
      reason: 'quiet_hours',
      due_since: null,
    })
  })

  it('expires on time, however long the stop lasts', async () => {
    const [ids] = await seedMessages(store, 1)
    if (!ids) throw new Error('no message')
    const expiresAt = later(now(), 5)
    await set('intent', ids, { expires_at: expiresAt })
    await stop({ scope: 'all', target: '' })
    await claimDue(store)
    expect(await intentOf(store, ids.intentId)).toMatchObject({ due_at: expiresAt })
  })

  it('it is not due: nobody is early', async () => {
    const [ids] = await seedMessages(store, 1)
    if (!ids) throw new Error('no message')
    const items = itemsOf(await releaseAll(store))
    const dueAt = later(now(), 60)
    await set('intent', ids, { due_at: dueAt })
    const { claimed, refused } = await claimItems(store, items)
    expect(claimed).toEqual([])
    expect(refused).toEqual([{ intentId: ids.intentId, state: 'planned', reason: null }])
    expect(await intentOf(store, ids.intentId)).toMatchObject({ state: 'planned', due_at: dueAt })
  })
})

describe('quiet hours', () => {
  const claimed = async (over: Partial<ClaimRequest>, person: object = {}) => {
    const [ids] = await seedMessages(store, 1, { intent: { class: 'care' } })
    if (!ids) throw new Error('no message')
    if (Object.keys(person).length > 0) await set('person', ids, person)
    const result = await claimDue(store, over)
    return { result, row: await intentOf(store, ids.intentId) }
  }

  it('hold a message until they end, in the time zone of the person (P3)', async () => {
    const { result, row } = await claimed({ quietHours: quiet() })
    expect(result.refused).toMatchObject([{ state: 'planned', reason: 'quiet_hours' }])
    const waitsMs = Date.parse(row.due_at) - Date.now()
    expect(waitsMs).toBeGreaterThan(3_500_000)
    expect(waitsMs).toBeLessThanOrEqual(3_600_000)
    expect(await toldOf(store, row.intent_id)).toEqual([])
    const elsewhere = { time_zone: 'Pacific/Auckland' }
    const abroad = await claimed({ quietHours: quiet('Pacific/Auckland') }, elsewhere)
    expect(abroad.row).toMatchObject({ state: 'planned', reason: 'quiet_hours' })
    expect((await claimed({ quietHours: quiet() }, elsewhere)).row.state).toBe('sending')
  })

  it('do not make it forget that staff had it sent once more (P2)', async () => {
    const [ids] = await seedMessages(store, 1, { intent: { class: 'care' } })
    if (!ids) throw new Error('no message')
    await set('intent', ids, { reason: 'resent_by_staff', duplicate: true })
    await claimDue(store, { quietHours: quiet() })
    expect(await intentOf(store, ids.intentId)).toMatchObject({
      state: 'planned',
      reason: 'resent_by_staff',
    })
  })

  it('are those of its class alone', async () => {
    const quietHours = quiet().map((hours) => ({ ...hours, class: 'marketing' }))
    expect((await claimed({ quietHours })).row.state).toBe('sending')
  })

  it('never hold it beyond its expiry', async () => {
    const [ids] = await seedMessages(store, 1, { intent: { class: 'care' } })
    if (!ids) throw new Error('no message')
    const expiresAt = later(now(), 60)
    await set('intent', ids, { expires_at: expiresAt })
    await claimDue(store, { quietHours: quiet() })
    expect(await intentOf(store, ids.intentId)).toMatchObject({ due_at: expiresAt })
  })

  it('of a person in a zone that PostgreSQL does not know are those of the organisation', async () => {
    const { row } = await claimed({ quietHours: quiet() }, { time_zone: 'Nowhere/At_All' })
    expect(row.reason).toBe('quiet_hours')
  })

  it('end in PostgreSQL when they end in the core, whatever the moment and the zone', async () => {
    const chance = fc.sample(
      fc.record({
        moment: fc
          .integer({ min: Date.UTC(2026, 0), max: Date.UTC(2028, 0) })
          .map((at) => new Date(at).toISOString()),
        hours: fc.constantFrom(
          { from: '21:00', until: '08:00' },
          { from: '21:00', until: '00:00' },
          { from: '00:00', until: '07:30' },
          { from: '12:00', until: '13:00' },
          { from: '22:15', until: '00:00' },
          { from: '00:30', until: '02:30' },
        ),
        timeZone: fc.constantFrom(zone, 'UTC', 'Pacific/Auckland', 'America/Curacao', ...skipping),
      }),
      500,
    )
    // Both nights in which Dutch clocks are changed, a quarter of an hour at a time.
    for (const night of ['2026-03-29', '2026-10-25']) {
      for (let quarter = 0; quarter < 16; quarter += 1) {
        const moment = new Date(
          Date.parse(`${night}T00:00:00.000Z`) + quarter * 900_000,
        ).toISOString()
        chance.push({ moment, hours: { from: '00:30', until: '02:30' }, timeZone: zone })
      }
    }
    for (const timeZone of skipping)
      for (const moment of aroundSkips)
        for (const until of ['00:00', '08:00'] as const)
          chance.push({ moment, hours: { from: '21:00', until }, timeZone })
    const { rows } = await sql<{ ends: string | null }>`
      select quiet_until(moment, begins, ends, zone, 'UTC') as ends from unnest(
        ${chance.map(({ moment }) => moment)}::timestamptz[],
        ${chance.map(({ hours }) => hours.from)}::time[],
        ${chance.map(({ hours }) => hours.until)}::time[],
        ${chance.map(({ timeZone }) => timeZone)}::text[]
      ) with ordinality as asked (moment, begins, ends, zone, place) order by place`.execute(
      store.db,
    )
    expect(rows.map(({ ends }) => ends)).toEqual(
      chance.map(({ moment, hours, timeZone }) => quietUntil(moment, hours, timeZone)),
    )
  })
})

describe('the days and hours of its own', () => {
  const days = [1, 2, 3, 4, 5, 6, 7]
  const isoDay = () => new Date().getUTCDay() || 7
  const window = (over: object = {}) => ({
    ...{ days, closed: [], opens: '00:00', closes: null, before: null },
    ...over,
  })
  /** A day on which it may go out neither here nor in any zone on either side of it. */
  const tomorrowAndAfter = () => window({ days: [((isoDay() + 2) % 7) + 1] })
  const claimedWith = async (
    sendingWindow: object,
    over: object = {},
    request: Partial<ClaimRequest> = {},
  ) => {
    const [ids] = await seedMessages(store, 1, {
      intent: {
        sending_window: sendingWindow,
        expires_at: later(now(), 10 * 86_400),
        ...over,
      },
    })
    if (!ids) throw new Error('no message')
    await claimDue(store, request)
    return intentOf(store, ids.intentId)
  }

  it('hold what was put off, whatever put it off (P3)', async () => {
    const held = tomorrowAndAfter()
    for (const over of [
      {},
      { reason: 'budget_used' },
      { reason: 'channel_stopped' },
      { reason: 'provider_deferred', attempts: 1 },
      { reason: 'provider_refused', channel_index: 1, channels: ['sms', 'email'] },
    ]) {
      const row = await claimedWith(held, over)
      expect(row).toMatchObject({ state: 'planned', reason: 'sending_window' })
      expect(Date.parse(row.due_at)).toBeGreaterThan(Date.now() + 86_400_000)
    }
    expect(await claimedWith(window())).toMatchObject({ state: 'sending' })
  })

  it('open when the quiet hours end, where their own hour is quiet (P1)', async () => {
    const hours = { from: clock(2, zone), until: clock(4, zone) }
    const quietHours = [{ ...hours, class: 'care' }]
    const held = { ...tomorrowAndAfter(), opens: clock(3, zone) } as SendingWindow
    const row = await claimedWith(held, { class: 'care' }, { quietHours })
    const opens = windowOpens(now(), openedBeside(held, hours), zone)
    expect(row).toMatchObject({ reason: 'sending_window', due_at: opens })
    expect(opens).not.toBe(windowOpens(now(), held, zone))
    const inPart = { ...held, closes: '24:00' }
    const partly = await claimedWith(inPart, { class: 'care' }, { quietHours })
    expect(partly).toMatchObject({ due_at: windowOpens(now(), inPart, zone) })
  })

  it('do not make it forget that staff had it sent once more (P2)', async () => {
    const over = { reason: 'resent_by_staff', duplicate: true }
    expect(await claimedWith(tomorrowAndAfter(), over)).toMatchObject({
      state: 'planned',
      reason: 'resent_by_staff',
    })
  })

  it('never hold it beyond its expiry, at which it says what it waited for', async () => {
    const expiresAt = later(now(), 60)
    const held = await claimedWith(tomorrowAndAfter(), { expires_at: expiresAt })
    expect(held).toMatchObject({ state: 'planned', due_at: expiresAt })
    const over = { expires_at: now(), reason: 'sending_window' }
    expect(await claimedWith(tomorrowAndAfter(), over)).toMatchObject({
      state: 'expired',
      reason: 'expired',
      detail: { waitedFor: 'sending_window' },
    })
  })

  it('open in PostgreSQL when they open in the core, whatever the moment and the zone', async () => {
    const instant = fc
      .integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) })
      .map((at) => new Date(at).toISOString())
    const chance = fc.sample(
      fc.record({
        moment: instant,
        window: fc.record({
          days: fc.uniqueArray(fc.constantFrom(...days), { minLength: 1 }),
          closed: fc.subarray(['2026-04-06', '2026-04-27', '2026-05-14', '2026-12-25']),
          opens: fc.constantFrom('00:00', '02:30', '09:00'),
          closes: fc.constantFrom(null, '09:30', '17:00'),
          before: fc.option(instant),
        }),
        timeZone: fc.constantFrom(
          ...['Europe/Amsterdam', 'Pacific/Auckland', 'Nowhere/At_All', ...skipping],
        ),
      }),
      500,
    )
    // Both nights in which Dutch clocks are changed, a quarter of an hour at a time.
    for (const night of ['2026-03-29', '2026-10-25']) {
      for (let quarter = -8; quarter < 16; quarter += 1) {
        const moment = later(`${night}T00:00:00.000Z`, quarter * 900)
        const held = window({ opens: '02:30', closes: '03:00' }) as (typeof chance)[0]['window']
        chance.push({ moment, window: held, timeZone: 'Europe/Amsterdam' })
      }
    }
    for (const timeZone of skipping)
      for (const moment of aroundSkips)
        for (const opens of ['00:00', '07:00', '23:30']) {
          const held = window({ opens, days: [1, 5, 6, 7] }) as (typeof chance)[0]['window']
          chance.push({ moment, window: held, timeZone })
        }
    const { rows } = await sql<{ opens: string | null }>`
      select sending_window_opens(moment, held_to, zone, 'UTC') as opens from unnest(
        ${chance.map(({ moment }) => moment)}::timestamptz[],
        ${chance.map((each) => JSON.stringify(each.window))}::jsonb[],
        ${chance.map(({ timeZone }) => timeZone)}::text[]
      ) with ordinality as asked (moment, held_to, zone, place) order by place`.execute(store.db)
    const known = (zone: string) => (zone === 'Nowhere/At_All' ? 'UTC' : zone)
    expect(rows.map(({ opens }) => opens)).toEqual(
      chance.map((each) => windowOpens(each.moment, each.window, known(each.timeZone))),
    )
  })
})

/** Zones in which the clocks skip the first hour of a day, and one in which they skip the last. */
const skipping = ['America/Santiago', 'Africa/Cairo', 'Asia/Beirut', 'America/Nuuk']
const aroundSkips = ['2026-09-06', '2026-04-24', '2026-03-29'].flatMap((day) =>
  [-30, -24, -23, -12, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 12].map((hours) =>
    later(`${day}T00:15:00.000Z`, hours * 3_600),
  ),
)

const nexts: Case[] = [
  {
    name: 'has no address',
    state: 'planned',
    reason: 'contact_missing',
    seed: { person: { contacts: { phone: { address: '+31970000000', refusedAt: null } } } },
  },
  {
    name: 'has an address at which nothing arrives',
    state: 'planned',
    reason: 'contact_refused',
    seed: {
      person: {
        contacts: { email: { address: 'x@example.org', refusedAt: '2026-01-01T00:00:00.000Z' } },
      },
    },
  },
  {
    name: 'was withdrawn',
    state: 'planned',
    reason: 'consent_withdrawn',
    arrange: (ids) => consent(ids, { channel: 'email' }),
  },
  {
    name: 'was withdrawn a moment ago',
    state: 'planned',
    reason: 'consent_withdrawn',
    arrange: (ids) => personStop(ids, { purpose: 'care', channel: 'email' }),
  },
  {
    name: 'lacks the consent that another one has',
    state: 'planned',
    reason: 'consent_missing',
    seed: marketing,
    arrange: (ids) => consent(ids, { state: 'granted', purpose: 'marketing', channel: 'sms' }),
  },
]

describe('a message takes its next channel when this one', () => {
  it.each(andRetried(nexts))('$name: $reason', async ({ seed, arrange, reason }) => {
    const [ids] = await seedMessages(store, 1, seed)
    if (!ids) throw new Error('no message')
    await arrange?.(ids)
    const { claimed, refused } = await claimDue(store)
    expect(claimed).toEqual([])
    expect(refused).toEqual([{ intentId: ids.intentId, state: 'planned', reason }])
    expect(await intentOf(store, ids.intentId)).toMatchObject({
      channel_index: 1,
      attempts: 0,
      detail: { channels: { email: reason } },
    })
    const [job] = await releaseAll(store)
    expect(job?.queue).toBe('deliver.sms.transactional')
  })

  it('and says of each channel why none could be used', async () => {
    const [ids] = await seedMessages(store, 1, { person: { contacts: {} } })
    if (!ids) throw new Error('no message')
    await claimDue(store)
    await claimDue(store, { channel: 'sms', provider: 'sms' })
    expect(await intentOf(store, ids.intentId)).toMatchObject({
      state: 'skipped',
      reason: 'no_usable_channel',
      detail: { channels: { email: 'contact_missing', sms: 'contact_missing' } },
    })
    expect(await toldOf(store, ids.intentId)).toEqual([['skipped', 'no_usable_channel', 'sms']])
  })
})

const harmless: Case[] = [
  {
    name: 'a stop of the person was lifted',
    state: 'sending',
    reason: null,
    arrange: async (ids) => {
      const stopId = await personStop(ids, { kind: 'staff' })
      await liftStop(store.db, stopId, { reason: 'test', source: 'test' })
    },
  },
  {
    name: 'a stop of everything was lifted',
    state: 'sending',
    reason: null,
    arrange: async () => {
      const stopId = await stop({ scope: 'all', target: '' })
      await liftStop(store.db, stopId, { reason: 'test', source: 'test' })
    },
  },
  {
    name: 'the person consented again after a withdrawal',
    state: 'sending',
    reason: null,
    arrange: async (ids) => {
      await personStop(ids, { purpose: 'care', at: '2026-01-01T00:00:00Z' })
      await consent(ids, { state: 'granted', at: '2026-01-02T00:00:00Z' })
    },
  },
  {
    name: 'another class was withdrawn',
    state: 'sending',
    reason: null,
    arrange: async (ids) => {
      await consent(ids, { purpose: 'marketing' })
      await personStop(ids, { purpose: 'marketing' })
    },
  },
  {
    name: 'another channel was withdrawn',
    state: 'sending',
    reason: null,
    arrange: (ids) => consent(ids, { channel: 'sms' }),
  },
  {
    name: 'marketing is wanted',
    state: 'sending',
    reason: null,
    seed: marketing,
    arrange: (ids) => consent(ids, { state: 'granted', purpose: 'marketing' }),
  },
  {
    name: 'everything is wanted',
    state: 'sending',
    reason: null,
    seed: marketing,
    arrange: (ids) => consent(ids, { state: 'granted', purpose: 'all', channel: 'email' }),
  },
  {
    name: 'other campaigns, templates, channels and providers are stopped',
    state: 'sending',
    reason: null,
    arrange: async () => {
      await stop({ scope: 'campaign', target: 'another' })
      await stop({ scope: 'template', target: 'another' })
      await stop({ scope: 'channel', target: 'sms' })
      await stop({ scope: 'provider', target: 'sms' })
    },
  },
  {
    name: 'the withdrawal of the appointment is what it tells of',
    state: 'sending',
    reason: null,
    seed: onAppointment,
    arrange: (ids) => entity(ids, 2, 'withdrawn'),
  },
  {
    name: 'the enrolment went through all its steps',
    state: 'sending',
    reason: null,
    seed: { enrolment: { state: 'completed', reason: 'completed' } },
  },
]

describe('a message is sent although', () => {
  it.each(harmless)('$name', async ({ seed, arrange }) => {
    const [ids] = await seedMessages(store, 1, seed)
    if (!ids) throw new Error('no message')
    await arrange?.(ids)
    const { claimed } = await claimDue(store)
    expect(claimed.map((each) => each.intentId)).toEqual([ids.intentId])
  })
})

describe('nothing is looked at', () => {
  it('while a rehearsal runs and the channel is not verified', async () => {
    await stepBusinessTime(store.db, '2026-03-02T09:00:00.000Z')
    const [ids] = await seedMessages(store, 1)
    const items = itemsOf(await releaseAll(store))
    expect(await claimItems(store, items)).toEqual({
      claimed: [],
      refused: [],
      obstacle: 'rehearsal',
      rehearsal: true,
    })
    expect(await intentOf(store, ids?.intentId ?? '')).toMatchObject({ state: 'queued', fence: 0 })
    const { claimed } = await claimItems(store, items, { rehearsalVerified: true })
    expect(claimed).toMatchObject([{ claimedAt: '2026-03-02T09:00:00.000Z' }])
  })

  it('under another definition than the one in force', async () => {
    const [ids] = await seedMessages(store, 1)
    const items = itemsOf(await releaseAll(store))
    expect(await claimItems(store, items, { revision: 7 })).toMatchObject({
      claimed: [],
      obstacle: 'definition',
      rehearsal: false,
    })
    expect(await intentOf(store, ids?.intentId ?? '')).toMatchObject({ state: 'queued' })
  })

  it('of a message that is queued for another job, another channel, or not at all', async () => {
    const [first, second, third] = await seedMessages(store, 3)
    const items = itemsOf(await releaseAll(store))
    await set('intent', first as SeededMessage, { job_id: 'job-of-somebody-else' })
    await set('intent', second as SeededMessage, { channel_index: 1 })
    await set('intent', third as SeededMessage, { state: 'cancelled' })
    expect(await claimItems(store, items)).toMatchObject({
      claimed: [],
      refused: [],
      obstacle: null,
    })
  })
})

describe('a message that took the place of one of an older version', () => {
  async function both(older: string) {
    const [ids] = await seedMessages(store, 1, onAppointment)
    if (!ids) throw new Error('no message')
    await entity(ids, 2, 'active')
    const intent = { ...onAppointment.intent, entity_version: 1, state: older }
    const [first] = await seedMessages(store, 1, {
      intent: { ...intent, person_id: ids.personId, enrolment_id: ids.enrolmentId },
    })
    if (!first) throw new Error('no message')
    await store.db
      .updateTable('intent')
      .set({ instead_of: first.intentId })
      .where('intent_id', '=', ids.intentId)
      .execute()
    return ids
  }

  it.each(['sent', 'delivered'])('is not sent when that one went out: %s (P2)', async (older) => {
    const ids = await both(older)
    const refused = [{ intentId: ids.intentId, state: 'cancelled', reason: 'older_version_told' }]
    expect(await claimDue(store)).toMatchObject({ claimed: [], refused })
  })

  it.each(['planned', 'held', 'cancelled', 'failed', 'bounced', 'expired'])(
    'is sent when that one was not, or nobody knows: %s (P1)',
    async (older) => {
      const ids = await both(older)
      const { claimed } = await claimDue(store)
      expect(claimed.map(({ intentId }) => intentId)).toEqual([ids.intentId])
    },
  )

  it('waits for the lease of that one while it is with a worker (P2)', async () => {
    const ids = await both('sending')
    const refused = [{ intentId: ids.intentId, state: 'planned', reason: 'older_version_told' }]
    expect(await claimDue(store)).toMatchObject({ claimed: [], refused })
    const { due_at } = await intentOf(store, ids.intentId)
    expect(Date.parse(due_at) - Date.now()).toBeLessThanOrEqual(61_000)
  })
})

/** Another message of the same run: `ids` came in its place. */
async function awaited(ids: SeededMessage, over: object): Promise<SeededMessage> {
  const first = await ofTheSameRun(ids, { message_id: 'first', ...over })
  await setMessage(ids, { instead_of: first.intentId })
  return first
}

/** Another message of the same run that came in place of `ids`. */
async function inPlaceOf(ids: SeededMessage, over: object): Promise<SeededMessage> {
  return ofTheSameRun(ids, { message_id: 'second', instead_of: ids.intentId, ...over })
}

async function ofTheSameRun(ids: SeededMessage, over: object): Promise<SeededMessage> {
  const { personId: person_id, enrolmentId: enrolment_id } = ids
  const [other] = await seedMessages(store, 1, { intent: { person_id, enrolment_id, ...over } })
  if (!other) throw new Error('no message')
  return other
}

describe('a message in place of one that was waited for in vain', () => {
  const one = async (over: object) => {
    const [ids] = await seedMessages(store, 1)
    if (!ids) throw new Error('no message')
    const first = await awaited(ids, { due_at: later(now(), 600), ...over })
    return { ids, first }
  }
  const claimedIds = async () => (await claimDue(store)).claimed.map(({ intentId }) => intentId)

  it.each(['planned', 'cancelled', 'failed', 'bounced', 'expired', 'skipped'])(
    'goes out when that one did not: %s (P1)',
    async (state) => {
      const { ids } = await one({ state })
      expect(await claimedIds()).toEqual([ids.intentId])
    },
  )

  it('goes out when that one had been sent by then, and nobody reported that it arrived', async () => {
    const { ids } = await one({ state: 'sent', settled_at: later(now(), -60) })
    expect(await claimedIds()).toEqual([ids.intentId])
  })

  it('waits while that one is with a worker, and stands down when it was sent since (P2)', async () => {
    const { ids, first } = await one({ state: 'sending' })
    const refused = [{ intentId: ids.intentId, state: 'planned', reason: 'awaited_open' }]
    expect(await claimDue(store)).toMatchObject({ claimed: [], refused })
    await setMessage(first, { state: 'sent', settled_at: later(now(), 1) })
    await setMessage(ids, { due_at: now() })
    expect(await claimDue(store)).toMatchObject({
      claimed: [],
      refused: [{ state: 'cancelled', reason: 'awaited_after_all' }],
    })
  })

  it('stands down, too, for one that stood down itself (P2)', async () => {
    await one({ state: 'cancelled', reason: 'awaited_after_all' })
    expect(await claimDue(store)).toMatchObject({ refused: [{ reason: 'awaited_after_all' }] })
  })

  it('goes before that one when it comes back, unless staff have that one sent once more (P2)', async () => {
    const [first] = await seedMessages(store, 1, { intent: { fence: 1 } })
    if (!first) throw new Error('no message')
    const second = await inPlaceOf(first, {})
    const { claimed, refused } = await claimDue(store)
    expect(claimed.map(({ intentId }) => intentId)).toEqual([second.intentId])
    expect(refused).toMatchObject([{ intentId: first.intentId, reason: 'awaited_not_in_time' }])

    const [held] = await seedMessages(store, 1, { intent: { fence: 1, reason: 'resent_by_staff' } })
    if (!held) throw new Error('no message')
    const other = await inPlaceOf(held, {})
    const after = await claimDue(store)
    expect(after.claimed.map(({ intentId }) => intentId)).toEqual([held.intentId])
    expect(after.refused).toMatchObject([{ intentId: other.intentId, reason: 'awaited_open' }])
  })

  it('goes after that one, also when it comes back, where both were planned at once for a newer version (P1)', async () => {
    const planned_at = later(now(), -60)
    const [first] = await seedMessages(store, 1, { intent: { fence: 1, planned_at } })
    if (!first) throw new Error('no message')
    await inPlaceOf(first, { planned_at, due_at: later(now(), 600) })
    expect(await claimedIds()).toEqual([first.intentId])
  })
})

describe('a message over one channel after the other', () => {
  /** The last one of a cascade, with these before it, the last of them first. */
  async function after(...before: object[]) {
    const turn = before.length
    const [ids] = await seedMessages(store, 1, { intent: { turn } })
    if (!ids) throw new Error('no message')
    const { message_id } = await intentOf(store, ids.intentId)
    const all = [ids]
    for (const [index, over] of before.entries()) {
      const due_at = later(now(), 600)
      const planned_at = later(now(), -600 * (index + 1))
      const own = { message_id, turn: turn - index - 1, planned_at, due_at, ...over }
      const one = await ofTheSameRun(ids, own)
      await setMessage(all.at(-1) ?? ids, { instead_of: one.intentId })
      all.push(one)
    }
    return all
  }
  const sentBefore = { state: 'sent', settled_at: later(now(), -60) }

  it.each(['planned', 'cancelled', 'failed', 'bounced'])(
    'goes out when the one before did not: %s (P1)',
    async (state) => {
      const [ids] = await after({ state })
      expect((await claimDue(store)).claimed).toMatchObject([{ intentId: ids?.intentId }])
    },
  )

  it('goes out when the one before was sent, and nobody reported that it arrived (P1)', async () => {
    const [ids] = await after(sentBefore, sentBefore)
    expect((await claimDue(store)).claimed).toMatchObject([{ intentId: ids?.intentId }])
  })

  it.each([
    { state: 'sending' },
    { state: 'held' },
    { state: 'planned', duplicate: true },
    { state: 'planned', duplicate: true, reason: 'resent_by_staff' },
  ])('waits while nobody knows of the one before: %j (P2)', async (over) => {
    const [ids] = await after(over)
    const refused = [{ intentId: ids?.intentId, state: 'planned', reason: 'awaited_open' }]
    expect(await claimDue(store)).toMatchObject({ claimed: [], refused })
  })

  it('waits while the one before is of an older version, and with a worker (P2)', async () => {
    const entity = { entity_type: 'appointment', entity_id: 'A-1', entity_version: 1 }
    const [ids] = await after({ state: 'sending', ...entity })
    const refused = [{ intentId: ids?.intentId, state: 'planned', reason: 'awaited_open' }]
    expect(await claimDue(store)).toMatchObject({ claimed: [], refused })
  })

  it('stands down when the one before was sent since, by a worker that had it (P2)', async () => {
    await after({ state: 'sent', settled_at: later(now(), 1) })
    const refused = [{ state: 'cancelled', reason: 'awaited_after_all' }]
    expect(await claimDue(store)).toMatchObject({ claimed: [], refused })
  })

  it('stands down when the very first one arrived, though another was tried since (P2)', async () => {
    await after(sentBefore, { state: 'delivered' })
    const refused = [{ state: 'cancelled', reason: 'awaited_after_all' }]
    expect(await claimDue(store)).toMatchObject({ claimed: [], refused })
  })

  it('is not sent beside what came in its place when a killed worker gives it back (P2)', async () => {
    const [next, first] = await after({ fence: 1, due_at: now() })
    if (!first || !next) throw new Error('no message')
    const { claimed, refused } = await claimDue(store)
    expect(claimed.map(({ intentId }) => intentId)).toEqual([next.intentId])
    expect(refused).toMatchObject([{ intentId: first.intentId, reason: 'awaited_not_in_time' }])
  })

  const givenBackBesideThird = async (over: object) => {
    const given = { fence: 1, due_at: now() }
    const [third, , first] = await after({ state: 'bounced' }, given)
    if (!third || !first) throw new Error('no message')
    await setMessage(third, { due_at: later(now(), 600), ...over })
    return first
  }

  it.each([
    ...['planned', 'sending', 'sent', 'delivered', 'held', 'expired'].map((state) => ({ state })),
    { state: 'cancelled', reason: 'merged_duplicate' },
    { state: 'failed', duplicate: true },
  ])(
    'is not sent beside the third when a killed worker gives it back and the second bounced: %j (P2)',
    async (over) => {
      const first = await givenBackBesideThird(over)
      const refused = [{ intentId: first.intentId, reason: 'awaited_not_in_time' }]
      expect(await claimDue(store)).toMatchObject({ claimed: [], refused })
    },
  )

  it.each(['skipped', 'failed', 'bounced'])(
    'goes out when it is given back and neither the second nor the third told it: %s (P1)',
    async (state) => {
      const first = await givenBackBesideThird({ state })
      expect((await claimDue(store)).claimed).toMatchObject([{ intentId: first.intentId }])
    },
  )

  it('goes out when it is given back and the second bounced, which was the last one (P1)', async () => {
    const [, first] = await after({ fence: 1, due_at: now() })
    if (!first) throw new Error('no message')
    await sql`update intent set state = 'bounced' where turn = 1`.execute(store.db)
    expect((await claimDue(store)).claimed).toMatchObject([{ intentId: first.intentId }])
  })

  it('that may have been sent before is sent once more, and what came in its place waits (P2)', async () => {
    const [next, first] = await after({ fence: 1, duplicate: true, due_at: now() })
    if (!first || !next) throw new Error('no message')
    const { claimed, refused } = await claimDue(store)
    expect(claimed.map(({ intentId }) => intentId)).toEqual([first.intentId])
    expect(refused).toMatchObject([{ intentId: next.intentId, reason: 'awaited_open' }])
  })

  it('tells other messages the status of the one that has come furthest', async () => {
    const [last] = await after(sentBefore, { state: 'bounced' })
    if (!last) throw new Error('no message')
    await setMessage(last, { state: 'failed' })
    await ofTheSameRun(last, { message_id: 'later' })
    const { claimed } = await claimDue(store)
    expect(claimed).toMatchObject([{ statuses: { hello: 'sent', later: 'queued' } }])
  })
})

it('a run that waits for a message goes on when it is refused for every channel, or has expired', async () => {
  const seeds = [
    { person: { contacts: {} } },
    { intent: { expires_at: later(now(), -1) } },
    { intent: { question: '{}' }, person: { contacts: {} } },
    {},
  ]
  const at = later(now(), 3600)
  const ids: string[] = []
  for (const { intent = {}, person = {} } of seeds) {
    const [message] = await seedMessages(store, 1, {
      intent: { channels: ['email'], ...intent },
      person,
    })
    if (!message) throw new Error('no message')
    const { personId: person_id, enrolmentId: enrolment_id, intentId } = message
    const { step } = await intentOf(store, intentId)
    const times = { began_at: at, due_at: at }
    await store.db
      .insertInto('timer')
      .values({ person_id, timer_id: intentId, enrolment_id, step, ...times })
      .execute()
    ids.push(intentId)
  }
  await claimDue(store)
  const rows = await store.db.selectFrom('timer').selectAll().execute()
  const isEarlier = ids.map((id) => rows.some((row) => row.timer_id === id && row.due_at < at))
  expect(isEarlier).toEqual([true, true, false, false])
})

describe('a message over all channels', () => {
  const partsOf = async (state: object, beside: object) => {
    const [ids] = await seedMessages(store, 1)
    if (!ids) throw new Error('no message')
    const part_of = newUuid()
    const due_at = later(now(), 600)
    const own = { message_id: 'first', part_of, due_at }
    const first = await ofTheSameRun(ids, { ...own, ...state })
    const other = await ofTheSameRun(ids, { ...own, channels: ['sms'], ...beside })
    await setMessage(ids, { instead_of: first.intentId })
    return { ids, first, other }
  }

  it.each([{ state: 'sending' }, { state: 'held' }, { state: 'planned', duplicate: true }])(
    'keeps what came in its place waiting while nobody knows of one of it: %j (P2)',
    async (beside) => {
      const { ids } = await partsOf({ state: 'cancelled' }, beside)
      const refused = [{ intentId: ids.intentId, state: 'planned', reason: 'awaited_open' }]
      expect(await claimDue(store)).toMatchObject({ claimed: [], refused })
    },
  )

  it('has what came in its place stand down when one of it arrived (P2)', async () => {
    await partsOf({ state: 'failed' }, { state: 'delivered' })
    const refused = [{ state: 'cancelled', reason: 'awaited_after_all' }]
    expect(await claimDue(store)).toMatchObject({ claimed: [], refused })
  })

  it('lets what came in its place go when none of it did (P1)', async () => {
    const { ids } = await partsOf({ state: 'failed' }, { state: 'bounced' })
    expect((await claimDue(store)).claimed).toMatchObject([{ intentId: ids.intentId }])
  })

  it('is not sent beside what came in its place when one of it is given back (P2)', async () => {
    const [ids] = await seedMessages(store, 1, { intent: { fence: 1, part_of: newUuid() } })
    if (!ids) throw new Error('no message')
    const { part_of } = await intentOf(store, ids.intentId)
    const due_at = later(now(), 600)
    const other = await ofTheSameRun(ids, { part_of, channels: ['sms'], state: 'failed', due_at })
    await inPlaceOf(other, { due_at, enrolment_id: ids.enrolmentId, person_id: ids.personId })
    const refused = [{ intentId: ids.intentId, reason: 'awaited_not_in_time' }]
    expect(await claimDue(store)).toMatchObject({ claimed: [], refused })
  })

  it('was told over one channel by the other record of the person, and not over another (P1, P2)', async () => {
    const both = async (channel: string) => {
      const part = { part_of: newUuid(), unknown_outcome: 'at-least-once' }
      const [ids] = await seedMessages(store, 1, { intent: { ...part, fence: 1 } })
      if (!ids) throw new Error('no message')
      const items = itemsOf(await releaseAll(store))
      const person_id = ids.personId
      await seedMessages(store, 1, {
        intent: { ...part, part_of: newUuid(), channels: [channel], state: 'sent', person_id },
        enrolment: { person_id, state: 'exited', reason: 'merged_duplicate' },
      })
      const { claimed } = await claimItems(store, items)
      return claimed.length
    }
    expect(await both('sms')).toBe(1)
    expect(await both('email')).toBe(0)
  })
})

describe('a message that comes back after two records became one', () => {
  /** The same message of the run that has ended for it, of the same version of its entity. */
  async function twin(ids: SeededMessage, over: { state: string; duplicate?: boolean }) {
    const [other] = await seedMessages(store, 1, {
      intent: { ...over, person_id: ids.personId },
      enrolment: { person_id: ids.personId, state: 'exited', reason: 'merged_duplicate' },
    })
    if (!other) throw new Error('no message')
    return other
  }

  /** The same message of the run that goes on for both. */
  async function survivor(ids: SeededMessage, over: { state: string; duplicate?: boolean }) {
    const person_id = ids.personId
    const [other] = await seedMessages(store, 1, {
      intent: { ...over, person_id },
      enrolment: { person_id },
    })
    if (!other) throw new Error('no message')
    return other
  }

  const ended = { state: 'exited', reason: 'merged_duplicate' }

  async function comesBack(seed: { intent?: object; enrolment?: object } = {}) {
    const [ids] = await seedMessages(store, 1, {
      ...seed,
      intent: { fence: 1, unknown_outcome: 'at-least-once', ...seed.intent },
    })
    if (!ids) throw new Error('no message')
    return ids
  }

  it.each([
    { state: 'sent' },
    { state: 'delivered' },
    { state: 'bounced' },
    { state: 'held' },
    { state: 'cancelled', duplicate: true },
  ])('is withdrawn when the other was told, or may have been: $state (P2)', async (other) => {
    const ids = await comesBack()
    const items = itemsOf(await releaseAll(store))
    await twin(ids, other)
    const { claimed, refused } = await claimItems(store, items)
    expect(claimed).toEqual([])
    expect(refused).toEqual([
      { intentId: ids.intentId, state: 'cancelled', reason: 'merged_duplicate' },
    ])
  })

  it('waits while the other is sent once more, marked, and is marked when that cannot be (P1, P2)', async () => {
    const ids = await comesBack()
    const items = itemsOf(await releaseAll(store))
    const other = await twin(ids, { state: 'planned', duplicate: true })
    expect(await claimItems(store, items)).toMatchObject({
      claimed: [],
      refused: [{ intentId: ids.intentId, state: 'planned', reason: 'merged_duplicate' }],
    })
    await setMessage(other, { state: 'failed', reason: 'provider_refused' })
    await setMessage(ids, { due_at: now() })
    const { claimed } = await claimDue(store)
    expect(claimed).toMatchObject([{ intentId: ids.intentId, duplicate: true }])
  })

  it('is withdrawn when the other may have been sent, at most once, and is over (P2)', async () => {
    const ids = await comesBack({ intent: { unknown_outcome: 'at-most-once' } })
    const items = itemsOf(await releaseAll(store))
    await twin(ids, { state: 'failed', duplicate: true })
    expect(await claimItems(store, items)).toMatchObject({
      claimed: [],
      refused: [{ intentId: ids.intentId, state: 'cancelled', reason: 'merged_duplicate' }],
    })
  })

  it('waits while the other is with a worker, and goes out when that comes back, too (P1)', async () => {
    const ids = await comesBack()
    const items = itemsOf(await releaseAll(store))
    const other = await twin(ids, { state: 'sending' })
    expect(await claimItems(store, items)).toMatchObject({
      claimed: [],
      refused: [{ intentId: ids.intentId, state: 'planned', reason: 'merged_duplicate' }],
    })
    await store.db
      .updateTable('intent')
      .set({ state: 'cancelled', reason: 'merged_duplicate' })
      .where('intent_id', '=', other.intentId)
      .execute()
    await store.db
      .updateTable('intent')
      .set({ due_at: now() })
      .where('intent_id', '=', ids.intentId)
      .execute()
    const { claimed } = await claimDue(store)
    expect(claimed.map((each) => each.intentId)).toEqual([ids.intentId])
  })

  describe('and of which nobody knows whether it was told', () => {
    const unknown = { duplicate: true, reason: 'outcome_unknown' }

    it.each([
      { state: 'held' },
      { state: 'planned', duplicate: true },
      { state: 'cancelled', duplicate: true },
    ])(
      'is sent once more, marked, when nobody knows of the other either: $state (P1, P2)',
      async (other) => {
        const ids = await comesBack({ intent: unknown })
        const items = itemsOf(await releaseAll(store))
        await twin(ids, other)
        const { claimed } = await claimItems(store, items)
        expect(claimed).toMatchObject([{ intentId: ids.intentId, duplicate: true }])
      },
    )

    it.each([
      { state: 'held' },
      { state: 'planned', duplicate: true },
      { state: 'cancelled', duplicate: true },
    ])(
      'is held when its class is at-most-once and nobody knows of the other: $state (P2)',
      async (other) => {
        const ids = await comesBack({ intent: { ...unknown, unknown_outcome: 'at-most-once' } })
        const items = itemsOf(await releaseAll(store))
        await twin(ids, other)
        const held = { intentId: ids.intentId, state: 'held', reason: 'outcome_unknown' }
        expect(await claimItems(store, items)).toMatchObject({ claimed: [], refused: [held] })
      },
    )

    it('is sent once more though its run has ended, when the other never was (P1)', async () => {
      const ids = await comesBack({ intent: unknown, enrolment: ended })
      const items = itemsOf(await releaseAll(store))
      const other = await survivor(ids, { state: 'cancelled' })
      expect((await claimItems(store, items)).claimed).toMatchObject([{ duplicate: true }])
      expect(await intentOf(store, other.intentId)).toMatchObject({ state: 'cancelled' })
    })

    it.each([
      { state: 'sent', becomes: 'cancelled', reason: 'merged_duplicate' },
      { state: 'queued', duplicate: true, becomes: 'planned', reason: 'merged_duplicate' },
      { state: 'sending', becomes: 'planned', reason: 'merged_duplicate' },
      { state: 'held', becomes: 'held', reason: 'outcome_unknown' },
    ])('of a run that has ended is $becomes while the other is $state (P2)', async (given) => {
      const { becomes, reason, ...other } = given
      const ids = await comesBack({ intent: unknown, enrolment: ended })
      const items = itemsOf(await releaseAll(store))
      await survivor(ids, other)
      const { claimed, refused } = await claimItems(store, items)
      expect(claimed).toEqual([])
      expect(refused).toEqual([{ intentId: ids.intentId, state: becomes, reason }])
    })

    it('of a run that has ended goes when the other one is over without having been sent once more (P1)', async () => {
      const ids = await comesBack({ intent: unknown, enrolment: ended })
      const other = await survivor(ids, { state: 'queued', duplicate: true })
      await claimDue(store)
      await setMessage(other, { state: 'failed', reason: 'provider_refused' })
      await setMessage(ids, { due_at: now() })
      const { claimed } = await claimDue(store)
      expect(claimed).toMatchObject([{ intentId: ids.intentId, duplicate: true }])
    })

    it('of a run that has ended for another reason is not sent (P3)', async () => {
      const exit = { state: 'exited', reason: 'exit_touchpoint' }
      const ids = await comesBack({ intent: unknown, enrolment: exit })
      expect((await claimDue(store)).claimed).toEqual([])
      expect(await intentOf(store, ids.intentId)).toMatchObject({ reason: 'exit_touchpoint' })
    })

    it.each([
      ['when the other is held, too', { state: 'held' }, 'sending'],
      ['when the other never was sent', { state: 'expired' }, 'sending'],
      ['not when the other was told', { state: 'delivered' }, 'cancelled'],
    ])('is sent once more by staff, of whichever record: %s', async (_when, other, state) => {
      const intent = { state: 'held', unknown_outcome: 'at-most-once' }
      const ids = await comesBack({ intent, enrolment: ended })
      await survivor(ids, other)
      const words = { reason: 'not there', source: 'test' }
      expect(await endHolding(store, [ids.intentId], 'resend', words)).toBeNull()
      await claimDue(store)
      expect(await intentOf(store, ids.intentId)).toMatchObject({ state, duplicate: true })
    })

    it('leaves one of two that are to be sent once more, whichever comes first (P2)', async () => {
      for (const isReversed of [false, true]) {
        const ids = await comesBack({ intent: unknown })
        const other = await twin(ids, { state: 'planned', duplicate: true })
        await store.db
          .updateTable('intent')
          .set({ fence: 1 })
          .where('intent_id', '=', other.intentId)
          .execute()
        const items = itemsOf(await releaseAll(store))
        for (const item of isReversed ? items.toReversed() : items) await claimItems(store, [item])
        expect(await intentOf(store, ids.intentId)).toMatchObject({ state: 'sending' })
        expect((await intentOf(store, other.intentId)).state).not.toBe('sending')
      }
    })
  })

  it('looks again when the lease of the other is over, however long it has waited itself (P1)', async () => {
    const ids = await comesBack()
    await set('intent', ids, { planned_for: later(now(), -10 * 3600) })
    const items = itemsOf(await releaseAll(store))
    await twin(ids, { state: 'sending' })
    await claimItems(store, items, { leaseMs: 60_000 })
    const { due_at } = await intentOf(store, ids.intentId)
    const waitsMs = Date.parse(due_at) - Date.now()
    expect(waitsMs).toBeGreaterThan(50_000)
    expect(waitsMs).toBeLessThanOrEqual(61_000)
  })

  it('goes out when the other told of another version of the appointment (P3)', async () => {
    const ids = await comesBack()
    await entity(ids, 2, 'active')
    await set('intent', ids, onAppointment.intent)
    const items = itemsOf(await releaseAll(store))
    const other = await twin(ids, { state: 'sent' })
    await store.db
      .updateTable('intent')
      .set({ ...onAppointment.intent, entity_version: 1 })
      .where('intent_id', '=', other.intentId)
      .execute()
    const { claimed } = await claimItems(store, items)
    expect(claimed.map((each) => each.intentId)).toEqual([ids.intentId])
  })
})

it('every reason of the last check is shown above', () => {
  const shown = [...finals, ...waits, ...nexts].map((each) => each.reason)
  // The last of them in contact-budgets.test.ts.
  shown.push('awaited_not_in_time', 'quiet_hours', 'sending_window', 'budget_used')
  // And in recipients.test.ts.
  shown.push('recipient_deceased', 'relation_ended', 'relation_scope_missing', 'recipient_by_age')
  expect([...lastCheckReasons].filter((reason) => !shown.includes(reason))).toEqual([])
})

describe('the cost of a claim', () => {
  const statementsOf = async (claimed: number, refused: number, all = claimed): Promise<number> => {
    const counting = countStatements(store)
    if (claimed > 0) await seedMessages(store, claimed)
    const unreachable = { person: { contacts: {} }, intent: { channels: ['email'] } }
    if (refused > 0) await seedMessages(store, refused, unreachable)
    const items = itemsOf(await releaseAll(store))
    counting.forget()
    const result = await claimItems(counting, items)
    expect([result.claimed.length, result.refused.length]).toEqual([all, refused])
    return counting.statements()
  }

  it('is two statements, which go in one trip, for one message and for fifty (P8)', async () => {
    expect([await statementsOf(1, 0), await statementsOf(50, 0)]).toEqual([2, 2])
  })

  it('is four when more can be wrong with one of them, and each is claimed (P3)', async () => {
    const window = {
      days: [1, 2, 3, 4, 5, 6, 7],
      opens: '00:00',
      closed: [],
      before: '2999-01-01T00:00:00Z',
    }
    const [other, retried, held] = [newUuid(), { fence: 1 }, { sending_window: window }]
    for (const intent of [{ by_age: true }, retried, { instead_of: other }, held]) {
      await seedMessages(store, 2, { intent })
      expect(await statementsOf(10, 0, 12)).toBe(4)
    }
  })

  it('is eight with any number of refusals that others are told of (P8)', async () => {
    expect([await statementsOf(1, 1), await statementsOf(20, 30)]).toEqual([8, 8])
  })
})

/** What an import or the person answered over HTTP, and the import that told of a yes since. */
it.each([
  ['what a no of an import had stopped', 'import', 'sending', null],
  ['nothing that the person had stopped', 'person', 'skipped', 'consent_withdrawn'],
] as const)('a later yes of an import lifts %s (P3)', async (_, origin, state, reason) => {
  const [ids] = await seedMessages(store, 1)
  if (!ids) throw new Error('no message')
  const no = {
    id: newUuid(),
    source: 'urn:test:crm',
    type: 'consent.withdrawn.v1',
    subject: ids.personId,
    time: '2026-01-01T00:00:00.000Z',
    data: { purpose: 'care', origin },
  }
  expect(await recordStopEvents(store, [{ event: no, idSpace: ownIdSpace }])).toEqual([true])
  await consent(ids, { state: 'granted', origin: 'import', at: '2026-01-02T00:00:00Z' })
  await claimDue(store)
  expect(await intentOf(store, ids.intentId)).toMatchObject({ state, reason })
})
