import type { AgeRule } from '@wegwijs/campaign/addressees'
import type { RelationKind, RelationScope } from '@wegwijs/campaign/definition/words'
import { lastCheck } from '@wegwijs/campaign/last-check'
import { toldAs } from '@wegwijs/campaign/recipients'
import type { IntentState, OtherPerson } from '@wegwijs/campaign/state'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { later, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { stepBusinessTime } from '../src/business-clock.ts'
import type { Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import type { ClaimRequest } from '../src/last-check.ts'
import { loadOthers, loadStates } from '../src/load-states.ts'
import { settle } from '../src/settle.ts'
import {
  claimDue,
  claimItems,
  intentOf,
  itemsOf,
  releaseAll,
  untilSomebodyWaits,
} from './delivery-steps.ts'

/** Messages to somebody else than whom they are about. */

let store: Store
const noon = '2026-03-02T11:00:00.000Z'
const timeZone = 'Europe/Amsterdam'

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'recipients')
  await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
})

beforeEach(async () => {
  await sql`truncate person, consent, relation, person_stop, stop_lift, enrolment, timer, intent, attempt,
    outbox, counted_message, rehearsal_clock`.execute(store.db)
  await stepBusinessTime(store.db, noon)
})

afterAll(() => store.close())

const claimAll = (over: Partial<ClaimRequest> = {}) =>
  claimDue(store, { rehearsalVerified: true, ...over })

type Planted = { personId: string; intentId: string; recipientId: string; enrolmentId: string }

/** A message about a patient to a caregiver, who may get it. */
async function plant(
  over: {
    intent?: object
    patient?: object
    recipient?: object
    relation?: object | null
    recipientId?: string
  } = {},
): Promise<Planted> {
  const recipientId = over.recipientId ?? newUuid()
  const [ids] = await seedMessages(store, 1, {
    intent: {
      recipient_id: recipientId,
      recipient_as: 'caregiver',
      recipient_scope: 'care',
      ...over.intent,
    },
    person: { contacts: {}, time_zone: 'Asia/Tokyo', ...over.patient },
  })
  if (!ids) throw new Error('no message')
  if (over.recipientId === undefined) await person(recipientId, over.recipient)
  if (over.relation !== null) await relation(ids.personId, recipientId, over.relation)
  return { ...ids, recipientId }
}

async function person(personId: string, over: object = {}): Promise<void> {
  await store.db
    .insertInto('person')
    .values({
      person_id: personId,
      fields: JSON.stringify({ givenName: 'Anna' }),
      contacts: JSON.stringify({
        email: { address: `${personId}@far.example.org`, refusedAt: null },
      }),
      locale: 'en',
      journeys: '{}',
      ...over,
    } as never)
    .execute()
}

async function relation(personId: string, otherId: string, over: object = {}): Promise<void> {
  await store.db
    .insertInto('relation')
    .values({
      person_id: personId,
      other_id: otherId,
      kind: 'caregiver',
      state: 'granted',
      scope: ['appointments', 'care'],
      expires_at: null,
      at: noon,
      ...over,
    })
    .execute()
}

async function stopped(personId: string, kind: 'death' | 'staff' | 'consent'): Promise<void> {
  await store.db
    .insertInto('person_stop')
    .values({
      person_id: personId,
      stop_id: newUuid(),
      kind,
      reason: 'test',
      source: 'test',
      at: noon,
    })
    .execute()
}

const children: AgeRule[] = [
  { under: 12, to: ['parent'] },
  { under: 16, to: ['person', 'parent'] },
]

describe('a message to somebody else', () => {
  it('goes to their address, with what is known of both', async () => {
    const { personId, recipientId } = await plant()
    const { claimed } = await claimAll()
    expect(claimed).toMatchObject([
      {
        personId,
        receiverId: recipientId,
        address: `${recipientId}@far.example.org`,
        person: { fields: { givenName: 'Noor' }, locale: 'nl' },
        recipient: {
          as: 'caregiver',
          fields: { givenName: 'Anna' },
          locale: 'en',
          timeZone: null,
        },
      },
    ])
  })

  it('goes to the record that they have become', async () => {
    const { recipientId } = await plant({ recipient: { contacts: '{}' } })
    const [between, survivor] = [newUuid(), newUuid()]
    await person(between, { merged_into: survivor })
    await person(survivor)
    await store.db
      .updateTable('person')
      .set({ merged_into: between })
      .where('person_id', '=', recipientId)
      .execute()
    expect((await claimAll()).claimed).toMatchObject([
      { receiverId: survivor, address: `${survivor}@far.example.org` },
    ])
  })

  it.each<[string, string, (planted: Planted) => Promise<unknown>]>([
    ['the person has died', 'person_deceased', ({ personId }) => stopped(personId, 'death')],
    [
      'the record says that the person has died',
      'person_deceased',
      ({ personId }) =>
        store.db
          .updateTable('person')
          .set({ deceased_at: noon })
          .where('person_id', '=', personId)
          .execute(),
    ],
    ['staff stopped the person', 'person_stopped', ({ personId }) => stopped(personId, 'staff')],
    ['staff stopped them', 'person_stopped', ({ recipientId }) => stopped(recipientId, 'staff')],
    ['they died', 'recipient_deceased', ({ recipientId }) => stopped(recipientId, 'death')],
    [
      'the record says that they died',
      'recipient_deceased',
      ({ recipientId }) =>
        store.db
          .updateTable('person')
          .set({ deceased_at: noon })
          .where('person_id', '=', recipientId)
          .execute(),
    ],
    ['they said stop', 'consent_withdrawn', ({ recipientId }) => stopped(recipientId, 'consent')],
    [
      'they opted out',
      'consent_withdrawn',
      ({ recipientId }) =>
        store.db
          .insertInto('consent')
          .values({
            person_id: recipientId,
            purpose: 'care',
            state: 'withdrawn',
            origin: 'person',
            at: noon,
          })
          .execute(),
    ],
    [
      'the relation has ended',
      'relation_ended',
      () => store.db.updateTable('relation').set({ state: 'ended', scope: [] }).execute(),
    ],
    [
      'the relation has expired',
      'relation_ended',
      () => store.db.updateTable('relation').set({ expires_at: noon }).execute(),
    ],
    ['there is no relation', 'relation_ended', () => store.db.deleteFrom('relation').execute()],
    [
      'the relation of another kind is all that is left',
      'relation_ended',
      () => store.db.updateTable('relation').set({ kind: 'parent' }).execute(),
    ],
    [
      'they have become the person',
      'relation_ended',
      ({ personId, recipientId }) =>
        store.db
          .updateTable('person')
          .set({ merged_into: personId })
          .where('person_id', '=', recipientId)
          .execute(),
    ],
    [
      'they may not hear of it any more',
      'relation_scope_missing',
      () =>
        store.db
          .updateTable('relation')
          .set({ scope: ['news'] })
          .execute(),
    ],
    [
      'nothing is known of them',
      'person_unknown',
      ({ recipientId }) =>
        store.db.deleteFrom('person').where('person_id', '=', recipientId).execute(),
    ],
  ])('is not sent when %s: %s (P3)', async (_, reason, arrange) => {
    const planted = await plant()
    await arrange(planted)
    const { claimed } = await claimAll()
    expect(claimed).toEqual([])
    expect(await intentOf(store, planted.intentId)).toMatchObject({ state: 'skipped', reason })
  })

  it('is sent though the person wants no more messages themselves', async () => {
    const { personId } = await plant()
    await stopped(personId, 'consent')
    expect((await claimAll()).claimed).toHaveLength(1)
  })

  it('holds back nothing of somebody else: the person gets their own', async () => {
    const { recipientId, enrolmentId, personId } = await plant({
      patient: { contacts: { email: { address: 'own@example.org', refusedAt: null } } },
    })
    await sql`insert into intent (person_id, intent_id, enrolment_id, campaign_id, version, message_id, step,
        class, lane, unknown_outcome, template_id, template_hash, channels, state, planned_at, planned_for,
        due_at, expires_at)
      select person_id, gen_random_uuid(), enrolment_id, campaign_id, version, message_id, step, class, lane,
        unknown_outcome, template_id, template_hash, channels, state, planned_at, planned_for, due_at, expires_at
      from intent where enrolment_id = ${enrolmentId}`.execute(store.db)
    await stopped(recipientId, 'consent')
    expect((await claimAll()).claimed).toMatchObject([
      { receiverId: personId, recipient: null, address: 'own@example.org' },
    ])
  })

  it('waits for the end of their own quiet hours', async () => {
    const { intentId } = await plant({ recipient: { time_zone: 'America/New_York' } })
    const quietHours = [{ class: 'care', from: '21:00', until: '08:00' }]
    await claimAll({ quietHours })
    expect(await intentOf(store, intentId)).toMatchObject({
      state: 'planned',
      reason: 'quiet_hours',
      due_at: '2026-03-02T13:00:00.000Z',
    })
  })

  /** The same message to another record of whoever gets it, over this channel. */
  async function toOtherRecord(first: Awaited<ReturnType<typeof plant>>, over: string) {
    const other = newUuid()
    await person(other, { merged_into: first.recipientId })
    await relation(first.personId, other)
    await sql`insert into intent (person_id, intent_id, enrolment_id, campaign_id, version, message_id, step,
        class, lane, unknown_outcome, template_id, template_hash, channels, part_of, state, planned_at,
        planned_for, due_at, expires_at, recipient_id, recipient_as, recipient_scope)
      select person_id, gen_random_uuid(), enrolment_id, campaign_id, version, message_id, step, class, lane,
        unknown_outcome, template_id, template_hash, ${[over]}, part_of, state, planned_at, planned_for, due_at,
        expires_at, ${other}::uuid, recipient_as, recipient_scope
      from intent where intent_id = ${first.intentId}`.execute(store.db)
  }

  /** The second of a cascade to whoever its first recipient has become, with the first one as it is here. */
  async function afterTheirs(over: object, { isInPlaceOfIt = true, isToThem = false } = {}) {
    const second = await plant({ intent: { turn: 1, planned_at: noon } })
    const other = newUuid()
    await person(other, { merged_into: second.recipientId })
    await relation(second.personId, other)
    const { message_id } = await intentOf(store, second.intentId)
    const [first] = await seedMessages(store, 1, {
      intent: {
        person_id: second.personId,
        enrolment_id: second.enrolmentId,
        message_id,
        due_at: later(noon, 600),
        planned_at: later(noon, -1800),
        recipient_id: isToThem ? second.recipientId : other,
        recipient_as: 'caregiver',
        recipient_scope: 'care',
        ...over,
      },
    })
    if (!first) throw new Error('no message')
    if (isInPlaceOfIt)
      await sql`update intent set instead_of = ${first.intentId}::uuid where intent_id = ${second.intentId}`.execute(
        store.db,
      )
    return { first, second }
  }
  const sentBefore = { state: 'sent', settled_at: later(noon, -1700) }

  it.each([
    sentBefore,
    { state: 'bounced', settled_at: later(noon, -1700) },
    { state: 'cancelled', reason: 'awaited_not_in_time' },
  ])('comes over the next channel to whoever they have become since: %j (P1)', async (over) => {
    const { second } = await afterTheirs(over)
    expect((await claimAll()).claimed).toMatchObject([{ intentId: second.intentId }])
  })

  it.each([
    [{ state: 'sending' }, 'awaited_open'],
    [{ state: 'held' }, 'awaited_open'],
    [{ state: 'planned', duplicate: true }, 'awaited_open'],
    [{ state: 'delivered' }, 'awaited_after_all'],
    [{ state: 'sent', settled_at: later(noon, 1) }, 'awaited_after_all'],
  ])('is held to what is known of the channel before: %j, %s (P2)', async (over, reason) => {
    await afterTheirs(over)
    expect(await claimAll()).toMatchObject({ claimed: [], refused: [{ reason }] })
  })

  it('does not go beside the first of whoever they have become, of which nobody knows (P2)', async () => {
    for (const isToThem of [true, false])
      for (const over of [
        { state: 'sending' },
        { state: 'held' },
        { state: 'planned', duplicate: true },
        { state: 'delivered' },
        { state: 'sent', settled_at: later(noon, 1) },
      ]) {
        const { second } = await afterTheirs(over, { isInPlaceOfIt: false, isToThem })
        expect((await claimAll()).claimed, JSON.stringify({ over, isToThem })).toEqual([])
        const isOpen = over.state === 'sending' || over.state === 'planned'
        expect(await intentOf(store, second.intentId)).toMatchObject({
          state: isOpen ? 'planned' : 'cancelled',
          reason: 'merged_duplicate',
        })
      }
  })

  it('begins anew of the same version, over every channel, whatever became of it before (P1)', async () => {
    for (const over of [{ state: 'delivered' }, { state: 'held' }, { state: 'sending' }]) {
      const { first, second } = await afterTheirs(
        { ...over, planned_at: later(noon, -7200) },
        { isInPlaceOfIt: false, isToThem: true },
      )
      const anew = newUuid()
      await sql`insert into intent (person_id, intent_id, enrolment_id, campaign_id, version, message_id, step,
          class, lane, unknown_outcome, template_id, template_hash, channels, state, settled_at, planned_at,
          planned_for, due_at, expires_at, recipient_id, recipient_as, recipient_scope)
        select person_id, ${anew}::uuid, enrolment_id, campaign_id, version, message_id, step, class, lane,
          unknown_outcome, template_id, template_hash, channels, 'sent', ${later(noon, -1700)}::timestamptz,
          ${later(noon, -1800)}::timestamptz, planned_for, due_at, expires_at, recipient_id, recipient_as,
          recipient_scope
        from intent where intent_id = ${first.intentId}`.execute(store.db)
      await sql`update intent set instead_of = ${anew}::uuid where intent_id = ${second.intentId}`.execute(
        store.db,
      )
      const { claimed } = await claimAll()
      expect(claimed, JSON.stringify(over)).toMatchObject([{ intentId: second.intentId }])
    }
  })

  it.each([true, false])(
    'goes over one channel when two who wait for another one become one, both due: %s (P2)',
    async (isFirstById) => {
      const { first, second } = await afterTheirs({ due_at: noon }, { isInPlaceOfIt: false })
      const id = isFirstById
        ? '00000000-0000-7000-8000-000000000000'
        : 'ffffffff-ffff-7fff-bfff-ffffffffffff'
      await sql`update intent set intent_id = ${id}::uuid where intent_id = ${first.intentId}`.execute(
        store.db,
      )
      const { claimed, refused } = await claimAll()
      expect(claimed).toMatchObject([{ intentId: second.intentId }])
      expect(refused).toMatchObject([{ intentId: id, reason: 'merged_duplicate' }])
    },
  )

  it('of two who become one leaves the one that may have been sent before (P1)', async () => {
    const { first, second } = await afterTheirs(
      { due_at: noon, duplicate: true },
      { isInPlaceOfIt: false },
    )
    const { claimed, refused } = await claimAll()
    expect(claimed).toMatchObject([{ intentId: first.intentId }])
    expect(refused).toMatchObject([{ intentId: second.intentId, reason: 'merged_duplicate' }])
  })

  it('is one of two over the next channel, too, and the first does not go behind it (P2)', async () => {
    const next = await afterTheirs({ turn: 1, planned_at: later(noon, -600), ...sentBefore })
    expect((await claimAll()).claimed).toEqual([])
    expect(await intentOf(store, next.second.intentId)).toMatchObject({
      reason: 'merged_duplicate',
    })
    const { first, second } = await afterTheirs({ fence: 1, due_at: noon })
    const { claimed, refused } = await claimAll()
    expect(claimed).toMatchObject([{ intentId: second.intentId }])
    expect(refused).toMatchObject([{ intentId: first.intentId, state: 'cancelled' }])
  })

  it('is one of two when two recipients have become one person (P2)', async () => {
    await toOtherRecord(await plant(), 'email')
    const { claimed, refused } = await claimAll()
    expect(claimed).toHaveLength(1)
    expect(refused).toMatchObject([{ state: 'planned', reason: 'merged_duplicate' }])
  })

  it('goes as far as all give what was said at one moment of two records that have become one (P3)', async () => {
    const grants = [
      [{ scope: ['care'] }, { scope: ['appointments'] }, 'relation_scope_missing'],
      [{ scope: ['care'] }, { scope: ['care', 'news'], expires_at: noon }, 'relation_ended'],
      [{ scope: ['care'] }, { scope: ['care', 'news'] }, null],
    ] as const
    for (const [one, other, reason] of grants) {
      const { personId, intentId, recipientId } = await plant({ relation: one })
      const older = newUuid()
      await person(older, { merged_into: recipientId })
      await relation(personId, older, other)
      await claimAll()
      expect(await intentOf(store, intentId), JSON.stringify(other)).toMatchObject({ reason })
    }
  })

  it('is one over each channel, of one over all channels, when two have become one (P1)', async () => {
    const first = await plant({ intent: { part_of: newUuid() } })
    await toOtherRecord(first, 'sms')
    const { claimed } = await claimAll()
    expect(claimed).toMatchObject([{ intentId: first.intentId }])
  })
})

describe('a run that waits for a message to two', () => {
  const nobody = { contacts: '{}' }
  const bySms = { channels: ['sms'], turn: 1 }

  /** Told over one channel after the other, both to whom one was planned; and until when the run waits. */
  async function toTwo(
    one: { intent?: object; recipient?: object },
    other: { intent?: object; recipient?: object },
  ) {
    const first = await plant({ ...one, intent: { channels: ['email'], ...one.intent } })
    const { step } = await intentOf(store, first.intentId)
    const second = await plantBeside(first, other)
    const { personId: person_id, enrolmentId: enrolment_id } = first
    const at = later(noon, 3600)
    await store.db
      .insertInto('timer')
      .values({ person_id, timer_id: newUuid(), enrolment_id, step, began_at: noon, due_at: at })
      .execute()
    const waitsUntil = async () =>
      (await store.db.selectFrom('timer').select('due_at').executeTakeFirstOrThrow()).due_at
    return { first, second, waitsUntil }
  }

  async function plantBeside(
    { personId, enrolmentId }: Planted,
    { intent, recipient }: { intent?: object; recipient?: object },
  ): Promise<Planted> {
    const [recipientId, intentId] = [newUuid(), newUuid()]
    await person(recipientId, recipient)
    await relation(personId, recipientId)
    await sql`insert into intent (person_id, intent_id, enrolment_id, campaign_id, version, message_id, step,
        class, lane, unknown_outcome, template_id, template_hash, channels, state, planned_at,
        planned_for, due_at, expires_at, recipient_id, recipient_as, recipient_scope)
      select person_id, ${intentId}::uuid, enrolment_id, campaign_id, version, message_id, step, class, lane,
        unknown_outcome, template_id, template_hash, channels, state, planned_at, planned_for, due_at,
        expires_at, ${recipientId}::uuid, recipient_as, recipient_scope
      from intent where enrolment_id = ${enrolmentId} limit 1`.execute(store.db)
    await change(intentId, { state: 'planned', ...intent })
    return { personId, intentId, recipientId, enrolmentId }
  }

  const change = (intentId: string, over: object) =>
    store.db.updateTable('intent').set(over).where('intent_id', '=', intentId).execute()

  it.each<[object, boolean]>([
    [{ state: 'planned', due_at: later(noon, 60) }, false],
    [{ state: 'sending' }, false],
    [{ state: 'held' }, false],
    [{ state: 'sent' }, false],
    [{ state: 'sent', due_at: later(noon, -3600) }, true],
    [{ state: 'delivered' }, true],
    [{ state: 'bounced' }, true],
    [{ state: 'skipped' }, true],
    [{ state: 'cancelled' }, true],
  ])('goes on when one is refused and the other is %j: %s', async (intent, goesOn) => {
    const { waitsUntil } = await toTwo({ recipient: nobody }, { intent })
    await claimAll()
    expect(await waitsUntil()).toBe(goesOn ? noon : later(noon, 3600))
  })

  it('goes on when the last of what was tried for the other is over', async () => {
    const { first, second, waitsUntil } = await toTwo(
      { recipient: nobody, intent: { due_at: later(noon, 60) } },
      { intent: { state: 'sent' } },
    )
    await plantBeside(first, {
      intent: { ...bySms, recipient_id: second.recipientId, state: 'skipped' },
    })
    await change(first.intentId, { due_at: noon })
    await claimAll()
    expect(await waitsUntil()).toBe(noon)
  })

  it('goes on when both are refused, together or one after the other', async () => {
    const both = await toTwo({ recipient: nobody }, { recipient: nobody })
    await claimAll()
    expect(await both.waitsUntil()).toBe(noon)
    await store.db.deleteFrom('timer').execute()
    const { second, waitsUntil } = await toTwo(
      { recipient: nobody },
      { recipient: nobody, intent: { due_at: later(noon, 60) } },
    )
    await claimAll()
    await change(second.intentId, { due_at: noon })
    await claimAll()
    expect(await waitsUntil()).toBe(noon)
  })

  it('goes on when both are refused by two workers in the same instant', async () => {
    const { first, second, waitsUntil } = await toTwo({ recipient: nobody }, { recipient: nobody })
    const items = itemsOf(await releaseAll(store))
    const claims = [first, second].map(({ intentId }) =>
      items.filter((item) => item.intentId === intentId),
    )
    const claiming = await store.db.transaction().execute(async (tx) => {
      await sql`select from timer for update`.execute(tx)
      const both = claims.map((each) => claimItems(store, each, { rehearsalVerified: true }))
      await untilSomebodyWaits(store, 2)
      return both
    })
    await Promise.all(claiming)
    expect(await waitsUntil()).toBe(noon)
  })

  it('goes on when two are one by now, and the one of them who has it was told (P2)', async () => {
    const { first, second, waitsUntil } = await toTwo({}, { intent: { state: 'delivered' } })
    await store.db
      .updateTable('person')
      .set({ merged_into: second.recipientId })
      .where('person_id', '=', first.recipientId)
      .execute()
    await claimAll()
    expect(await intentOf(store, first.intentId)).toMatchObject({ reason: 'merged_duplicate' })
    expect(await waitsUntil()).toBe(noon)
  })
})

describe('whoever stands to the person in more ways than one', () => {
  const ways = ['caregiver', 'representative'] satisfies RelationKind[]
  const ended = { state: 'ended', scope: [] }
  const both = async (first: object, second: object, intent: object = { recipient_ways: ways }) => {
    const planted = await plant({ intent, relation: first })
    await relation(planted.personId, planted.recipientId, { kind: 'representative', ...second })
    const { claimed } = await claimAll({ ages: children })
    const { reason, recipient_as } = await intentOf(store, planted.intentId)
    return { as: claimed[0]?.recipient?.as ?? null, stored: recipient_as, reason }
  }
  const told = (as: string) => ({ as, stored: as, reason: null })
  const refused = (reason: string) => ({ as: null, stored: 'caregiver', reason })

  it('gets it in the first of them that lets them, and is told as that', async () => {
    expect(await both({}, {})).toEqual(told('caregiver'))
    expect(await both(ended, {})).toEqual(told('representative'))
    expect(await both({ scope: ['news'] }, {})).toEqual(told('representative'))
    expect(await both({ expires_at: noon }, {})).toEqual(told('representative'))
  })

  it('gets none when no way lets them', async () => {
    expect(await both(ended, ended)).toEqual(refused('relation_ended'))
    expect(await both(ended, { scope: ['news'] })).toEqual(refused('relation_scope_missing'))
    const theirs = { recipient_ways: ways, by_age: true }
    expect(await both({}, {}, theirs)).toEqual(refused('recipient_by_age'))
  })

  it('gets none in a way that the message does not name, as of what was planned before', async () => {
    expect(await both(ended, {}, {})).toEqual(refused('relation_ended'))
    const other = { recipient_ways: ['caregiver', 'parent'] }
    expect(await both(ended, {}, other)).toEqual(refused('relation_ended'))
  })
})

describe('the rules of age', () => {
  const about = (birthYear: number, as: RelationKind | null) =>
    plant({
      intent: {
        by_age: true,
        recipient_as: as,
        ...(as === null && { recipient_id: null, recipient_scope: null }),
      },
      patient: {
        fields: { birthYear },
        time_zone: null,
        contacts: { email: { address: 'child@example.org', refusedAt: null } },
      },
      relation: { kind: 'parent' },
    })
  const outcome = async (birthYear: number, as: RelationKind | null) => {
    const { intentId } = await about(birthYear, as)
    await claimAll({ ages: children })
    return (await intentOf(store, intentId)).reason
  }

  it('are asked again when it is sent', async () => {
    expect(await outcome(2015, 'parent')).toBeNull()
    expect(await outcome(2015, null)).toBe('recipient_by_age')
    expect(await outcome(2012, 'parent')).toBeNull()
    expect(await outcome(2012, null)).toBeNull()
    expect(await outcome(2010, 'parent')).toBe('recipient_by_age')
    expect(await outcome(2010, null)).toBeNull()
  })

  it('count the year where the person is', async () => {
    await stepBusinessTime(store.db, '2026-12-31T23:30:00.000Z')
    const { intentId } = await about(2011, 'parent')
    await claimAll({ ages: children })
    // In Amsterdam it is 2027 already.
    expect((await intentOf(store, intentId)).reason).toBe('recipient_by_age')
  })
})

describe('a contact budget', () => {
  const budgets = [{ id: 'daily', most: 1, per: 'P1D', classes: ['marketing' as const] }]
  const marketing = { class: 'marketing', recipient_scope: 'care' }
  const over = { budgets, classesNeedingConsent: [] }

  it('is that of whoever gets it, about whomever it is', async () => {
    const first = await plant({ intent: marketing })
    const second = await plant({ intent: marketing, recipientId: first.recipientId })
    const [claimed] = (await claimAll(over)).claimed
    if (!claimed) throw new Error('nothing was claimed')
    const { intentId, fence } = claimed
    await settle(store, [{ intentId, fence, outcome: { kind: 'accepted' } }])
    await claimAll(over)
    const states = await store.db.selectFrom('intent').select(['state', 'reason']).execute()
    expect(states.map(({ state, reason }) => `${state} ${reason}`).sort()).toEqual([
      'planned budget_used',
      'sent provider_accepted',
    ])
    const counted = await store.db.selectFrom('counted_message').select('person_id').execute()
    expect(counted).toEqual([{ person_id: second.recipientId }])
  })

  it('gets a place back that was not used', async () => {
    const { intentId } = await plant({ intent: marketing })
    const [claimed] = (await claimAll(over)).claimed
    const outcome = { kind: 'refused', reason: 'mailbox_unknown' } as const
    await settle(store, [{ intentId, fence: claimed?.fence ?? 0, outcome }])
    expect(await store.db.selectFrom('counted_message').selectAll().execute()).toEqual([])
  })
})

describe('the statement and its pure twin', () => {
  const waysOf = fc.constantFrom<RelationKind[] | null>(null, ['caregiver', 'parent'])
  const facts = fc.record({
    patientDied: fc.integer({ min: 1, max: 8 }).map((drawn) => drawn === 1),
    recipientDied: fc.integer({ min: 1, max: 8 }).map((drawn) => drawn === 1),
    relations: fc.uniqueArray(
      fc.record({
        of: fc.constantFrom('same' as const, 'older' as const),
        kind: fc.constantFrom<RelationKind>('caregiver', 'parent'),
        state: fc.constantFrom('granted' as const, 'granted' as const, 'ended' as const),
        scope: fc.constantFrom<RelationScope[]>(['care'], ['appointments'], ['care', 'news']),
        expires_at: fc.constantFrom(null, null, noon, later(noon, 1)),
        at: fc.constantFrom('2026-02-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'),
      }),
      { minLength: 2, maxLength: 4, selector: ({ of, kind }) => `${of} ${kind}` },
    ),
    as: fc.constantFrom<RelationKind>('caregiver', 'parent'),
    ways: waysOf,
    byAge: fc.constantFrom(false, false, true),
    birthYear: fc.constantFrom(null, 2010, 2012, 2016),
    consent: fc.constantFrom(null, null, 'granted' as const, 'withdrawn' as const),
    ownConsent: fc.constantFrom(null, 'withdrawn' as const),
    recipientZone: fc.constantFrom(null, 'America/New_York'),
    needsConsent: fc.boolean(),
    turn: fc.constantFrom(0, 1),
    duplicate: fc.integer({ min: 1, max: 4 }).map((drawn) => drawn === 1),
    /** The same message to an older record of the recipient. */
    beside: fc.option(
      fc.record({
        state: fc.constantFrom<IntentState>(
          'planned',
          'planned',
          'planned',
          'sending',
          'held',
          'sent',
          'delivered',
          'skipped',
          'cancelled',
        ),
        reason: fc.constantFrom(null, 'merged_duplicate'),
        recipient_as: fc.constantFrom<RelationKind>('caregiver', 'parent'),
        recipient_ways: waysOf,
        unknown_outcome: fc.constantFrom('at-most-once', 'at-least-once'),
        duplicate: fc.boolean(),
        turn: fc.constantFrom(0, 1),
        channels: fc.constantFrom(['email'], ['sms']),
        part_of: fc.constantFrom(null, newUuid()),
      }),
    ),
  })

  it('say the same, whatever is known of both', async () => {
    const told = new Set<string>()
    await fc.assert(
      fc.asyncProperty(facts, async (known) => {
        await sql`truncate person, consent, relation, enrolment, intent, outbox`.execute(store.db)
        const { personId, intentId, enrolmentId, recipientId } = await plant({
          intent: {
            recipient_as: known.as,
            recipient_ways: known.ways,
            by_age: known.byAge,
            turn: known.turn,
            duplicate: known.duplicate,
            ...(known.beside?.part_of && { part_of: known.beside.part_of }),
          },
          patient: {
            deceased_at: known.patientDied ? noon : null,
            fields: known.birthYear === null ? {} : { birthYear: known.birthYear },
          },
          recipient: {
            deceased_at: known.recipientDied ? noon : null,
            time_zone: known.recipientZone,
          },
          relation: null,
        })
        const older = newUuid()
        await person(older, { merged_into: recipientId })
        if (known.beside) {
          const { message_id } = await intentOf(store, intentId)
          await seedMessages(store, 1, {
            intent: {
              person_id: personId,
              enrolment_id: enrolmentId,
              message_id,
              due_at: later(noon, 600),
              recipient_id: older,
              recipient_scope: 'care',
              by_age: known.byAge,
              ...known.beside,
            },
          })
        }
        for (const { of, ...each } of known.relations) {
          await relation(personId, of === 'same' ? recipientId : older, each)
        }
        for (const [id, state] of [
          [recipientId, known.consent],
          [personId, known.ownConsent],
        ] as const) {
          if (state === null) continue
          await store.db
            .insertInto('consent')
            .values({ person_id: id, purpose: 'care', state, origin: 'person', at: noon })
            .execute()
        }
        const { states, others } = await store.db.transaction().execute(async (tx) => {
          const loaded = await loadStates(tx, [personId, recipientId], {
            wholePeople: [],
            mergedPeople: [],
            touchedCampaignIds: [],
            goals: [],
            entities: [],
            resumed: [{ person_id: personId, enrolment_id: enrolmentId }],
            receiptCampaignIds: [],
            campaignIds: [],
            dated: [],
            redatedCampaignIds: [],
            taskIds: [],
            taskCampaignIds: [],
            relations: true,
            intentIds: [intentId],
          })
          return { states: loaded, others: await loadOthers(tx, loaded.values()) }
        })
        const state = states.get(personId)
        const intent = state?.intents.get(intentId)
        if (!state || !intent) throw new Error('it was not loaded')
        const quiet = { from: '18:00', until: '07:00' }
        await claimAll({
          ages: children,
          quietHours: [{ class: 'care', ...quiet }],
          classesNeedingConsent: known.needsConsent ? ['care'] : [],
        })
        const check = lastCheck(state, {
          intent,
          channel: 'email',
          needsConsent: known.needsConsent,
          quietHours: quiet,
          timeZone,
          budgets: [],
          counted: [],
          ages: children,
          receiver: states.get(recipientId) ?? null,
          otherOf: (id: string): OtherPerson | null => others.get(id) ?? null,
          now: noon,
        })
        told.add(check.reason ?? check.effect)
        const { state: came, reason, recipient_as } = await intentOf(store, intentId)
        if (check.effect === 'claim')
          expect({ as: recipient_as }).toEqual(
            toldAs(state, intent, recipientId, {
              ages: children,
              timeZone,
              otherOf: (id: string): OtherPerson | null => others.get(id) ?? null,
              now: noon,
            }),
          )
        expect([came, reason]).toEqual([
          { claim: 'sending', skip: 'skipped', cancel: 'cancelled', wait: 'planned' }[
            check.effect as string
          ],
          check.reason,
        ])
      }),
      { numRuns: 140, seed: 20260302, endOnFailure: true },
    )
    expect([...told].sort()).toEqual([
      'claim',
      'consent_missing',
      'consent_withdrawn',
      'merged_duplicate',
      'person_deceased',
      'quiet_hours',
      'recipient_by_age',
      'recipient_deceased',
      'relation_ended',
      'relation_scope_missing',
    ])
  }, 60_000)
})

describe('recipients that have become one record', () => {
  const budgets = [{ id: 'daily', most: 1, per: 'P1D', classes: ['marketing' as const] }]
  const marketing = { class: 'marketing', recipient_scope: 'care' }
  const over = { budgets, classesNeedingConsent: [] }
  const merge = (personId: string, into: string) =>
    store.db
      .updateTable('person')
      .set({ merged_into: into })
      .where('person_id', '=', personId)
      .execute()

  it('are told once of two runs that have become one (P2)', async () => {
    const first = await plant({ intent: { fence: 1, unknown_outcome: 'at-least-once' } })
    const older = newUuid()
    await person(older, { merged_into: first.recipientId })
    const [twin] = await seedMessages(store, 1, {
      intent: {
        person_id: first.personId,
        recipient_id: older,
        recipient_as: 'caregiver',
        recipient_scope: 'care',
        state: 'sent',
      },
      enrolment: { person_id: first.personId, state: 'exited', reason: 'merged_duplicate' },
    })
    expect(twin).toBeDefined()
    expect((await claimAll()).claimed).toEqual([])
    expect(await intentOf(store, first.intentId)).toMatchObject({
      state: 'cancelled',
      reason: 'merged_duplicate',
    })
  })

  it('look for a place again when what is with a worker must be known, to whichever record (P1)', async () => {
    const first = await plant({ intent: marketing })
    await claimAll({ ...over, leaseMs: 60_000 })
    const second = await plant({ intent: { ...marketing, due_at: later(noon, -60) } })
    await merge(first.recipientId, second.recipientId)
    await store.db.updateTable('counted_message').set({ person_id: second.recipientId }).execute()
    await claimAll({ ...over, leaseMs: 60_000 })
    expect(await intentOf(store, second.intentId)).toMatchObject({
      state: 'planned',
      reason: 'budget_used',
      due_at: later(noon, 60),
    })
  })

  it('get the earlier of two first in a rehearsal, to whichever record it goes', async () => {
    // It is due, though not released yet.
    const first = await plant({
      intent: { ...marketing, due_at: later(noon, -60), channels: ['sms'] },
    })
    const second = await plant({ intent: marketing })
    await merge(first.recipientId, second.recipientId)
    expect((await claimAll(over)).claimed).toEqual([])
    expect(await intentOf(store, second.intentId)).toMatchObject({ state: 'planned', reason: null })
  })
})
