import { newUuid } from '@wegwijs/runtime/derived-id'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { type SeededMessage, seedMessages } from '@wegwijs/test-support/seed-messages'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { beginRehearsal, businessNow, stepBusinessTime } from '../src/business-clock.ts'
import type { Store } from '../src/database.ts'
import { listDeadLetters, markReplayed, readDeadLetters } from '../src/dead-letters.ts'
import { endRehearsal, rehearsed } from '../src/end-rehearsal.ts'
import { findPerson, readPersonFacts } from '../src/explain.ts'
import { createOutboxPage } from '../src/outbox-page.ts'
import { settle } from '../src/settle.ts'
import { readStanding } from '../src/standing.ts'
import { readStatus } from '../src/status.ts'
import { claimDue } from './delivery-steps.ts'

/** The questions that people ask the record, on one small life. */
let store: Store
let sent: SeededMessage
let waiting: SeededMessage

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'reading')
  await sql`insert into definition (bundle, hash, applied_by) values ('{}', 'h', 'test')`.execute(
    store.db,
  )
  sent = await one({})
  const { claimed } = await claimDue(store)
  await settle(
    store,
    claimed.map(({ intentId, fence }) => ({ intentId, fence, outcome: { kind: 'accepted' } })),
  )
  waiting = await one({ intent: { due_at: '2999-01-01T00:00:00.000Z', lane: 'bulk' } })
  await sql`insert into person_identity (person_id, id_space, external_id)
    values (${sent.personId}, 'ehr', 'P:1')`.execute(store.db)
})
afterAll(() => store.close())

async function one(over: Parameters<typeof seedMessages>[2]): Promise<SeededMessage> {
  const [seeded] = await seedMessages(store, 1, over)
  if (!seeded) throw new Error('nothing was seeded')
  return seeded
}

test('a person is found by any of their ids, and through a merge', async () => {
  const found = await findPerson(store.db, { idSpace: 'ehr', externalId: 'P:1' })
  expect(found).toBe(sent.personId)
  expect(await findPerson(store.db, { idSpace: 'wegwijs', externalId: sent.personId })).toBe(
    sent.personId,
  )
  const merged = newUuid()
  await sql`insert into person (person_id, merged_into) values (${merged}, ${sent.personId})`.execute(
    store.db,
  )
  expect(await findPerson(store.db, { idSpace: 'wegwijs', externalId: merged })).toBe(sent.personId)
  expect(await findPerson(store.db, { idSpace: 'ehr', externalId: 'nobody' })).toBeNull()
  expect(await findPerson(store.db, { idSpace: 'wegwijs', externalId: 'no uuid' })).toBeNull()
})

test('what events led to is read from their own rows and from the rows of before', async () => {
  const personId = newUuid()
  const at = '2026-03-01T09:00:00.000Z'
  await sql`insert into person (person_id) values (${personId})`.execute(store.db)
  await sql`insert into decision (person_id, decision_id, ordinal, business_at, source, event_id,
      campaign_id, version, reason)
    values (${personId}, ${newUuid()}, 0, ${at}, 'urn:test', 'e1', 'before', 1, 'trigger_false')`.execute(
    store.db,
  )
  const made = [
    { campaignId: 'since', version: 2, enrolmentId: null, intentId: null, reason: 'enrolled' },
    { campaignId: null, version: null, enrolmentId: null, intentId: null, reason: 'merged' },
  ].map((decision) => ({ ...decision, detail: null }))
  await sql`insert into event (person_id, source, event_id, subject, type, time, business_at, data,
      outcome, decisions, topic, partition, record_offset)
    values (${personId}, 'urn:test', 'e2', 'p', 'care.visit.v1', ${at}, ${at}, '{}', 'applied',
      ${JSON.stringify(made)}::jsonb, 't', 0, 1)`.execute(store.db)
  const facts = await readPersonFacts(store.db, personId)
  expect(facts?.decisions).toMatchObject([
    { eventId: 'e1', campaignId: 'before', version: 1, reason: 'trigger_false', detail: null },
    { eventId: 'e2', campaignId: 'since', version: 2, reason: 'enrolled', detail: null },
    { eventId: 'e2', campaignId: null, version: null, reason: 'merged', detail: null },
  ])
})

test('the facts of a person hold the attempts of each message, and no name or address', async () => {
  const facts = await readPersonFacts(store.db, sent.personId)
  expect(facts?.messages).toMatchObject([
    {
      intentId: sent.intentId,
      state: 'sent',
      channel: 'email',
      attempts: [{ channel: 'email', provider: 'smtp', outcome: 'accepted', duplicate: false }],
    },
  ])
  expect(facts?.messages[0]?.attempts[0]?.businessAt).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/)
  expect(JSON.stringify(facts)).not.toMatch(/Noor|example\.org/)
  expect(await readPersonFacts(store.db, newUuid())).toBeNull()
})

test('status counts by state and tells what waits', async () => {
  const status = await readStatus(store.db)
  expect(status).toMatchObject({ rehearsal: false, messages: { sent: 1, planned: 1 } })
  expect(status.waiting.find(({ stage }) => stage === 'outbox')).toMatchObject({ count: 1 })
  expect(status.waiting.some(({ stage }) => stage === 'planned')).toBe(false)
})

test('the standing of a namespace names the earliest due time of any queue', async () => {
  expect(await readStanding(store.db)).toMatchObject({
    rehearsalInstant: null,
    nextTimer: null,
    nextMessage: '2999-01-01T00:00:00.000Z',
    queued: false,
    sending: false,
    unpublished: true,
  })
  await sql`insert into timer (person_id, timer_id, enrolment_id, step, due_at)
    values (${waiting.personId}, ${newUuid()}, ${waiting.enrolmentId}, '1', '2998-01-01')`.execute(
    store.db,
  )
  expect((await readStanding(store.db)).nextTimer).toBe('2998-01-01T00:00:00.000Z')
})

test('the outbox page shows who got what, by name', async () => {
  // Of a namespace whose definition is no definition only the record can be told.
  await sql`delete from definition`.execute(store.db)
  const page = createOutboxPage(store.db)
  expect(await page.people(10, 'en')).toMatchObject([
    { personId: sent.personId, name: 'Noor', counts: { email: 1, sms: 0, app: 0 } },
  ])
  const timeline = await page.timeline(sent.personId, 'en')
  expect(timeline?.moments).toMatchObject([
    {
      kind: 'message',
      intentId: sent.intentId,
      channel: 'email',
      campaign: 'seeded',
      state: 'sent',
    },
  ])
  expect(await page.timeline(newUuid(), 'en')).toBeNull()
  expect(await page.timeline("x' or true", 'en')).toBeNull()
})

test('dead letters are listed without content, read with their bytes, and marked', async () => {
  const id = newUuid()
  await sql`insert into dead_letter (dead_letter_id, topic, partition, record_offset, record_key,
      value, headers, error_class, reason)
    values (${id}, 'touchpoints', 3, 7, 'A'::bytea, '\\xff00'::bytea,
      ${JSON.stringify({ ce_id: Buffer.from('e1').toString('base64') })}, 'not_json', 'not JSON')`.execute(
    store.db,
  )
  const listed = await listDeadLetters(store.db, { limit: 10 })
  expect(listed).toMatchObject([{ deadLetterId: id, errorClass: 'not_json', offset: '7' }])
  expect(listed[0]).not.toHaveProperty('value')
  const [letter] = await readDeadLetters(store.db, [id, newUuid()])
  expect(letter?.value).toEqual(Buffer.from([0xff, 0]))
  expect(letter?.headers.ce_id?.toString()).toBe('e1')
  await markReplayed(store.db, [id])
  expect(await listDeadLetters(store.db, { limit: 10 })).toEqual([])
  expect(await listDeadLetters(store.db, { limit: 10, replayed: true })).toMatchObject([
    { replays: 1 },
  ])
  expect(await listDeadLetters(store.db, { limit: 10, replayed: true, errorClass: 'x' })).toEqual(
    [],
  )
})

test('a rehearsal stands where it is told, never goes back, and leaves nothing when it ends', async () => {
  const nothingSent = async () => new Map([['touchpoints/0', 0n]])
  expect(await endRehearsal(store, nothingSent)).toBe(false)
  await sql`insert into campaign_version (campaign_id, version, content, templates, hash, revision, published_at)
    values ('seeded', 1, '{}', '{}', 'h', 1, now())`.execute(store.db)
  await beginRehearsal(store.db, '2014-01-01T00:00:00.000Z')
  await stepBusinessTime(store.db, '2014-02-01T00:00:00.000Z', { dueHeld: true })
  await stepBusinessTime(store.db, '2014-01-15T00:00:00.000Z')
  expect(await businessNow(store.db)).toBe('2014-02-01T00:00:00.000Z')
  const version = await store.db
    .selectFrom('campaign_version')
    .select('published_at')
    .executeTakeFirst()
  expect(version?.published_at).toBe('2014-01-01T00:00:00.000Z')

  const unread = endRehearsal(store, async () => new Map([['touchpoints/0', 3n]]))
  await expect(unread).rejects.toMatchObject({ code: 'WEGWIJS_REHEARSAL_UNREAD' })
  expect(await endRehearsal(store, nothingSent)).toBe(true)
  const status = await readStatus(store.db)
  expect(status).toMatchObject({ rehearsal: false, people: 0, messages: {}, enrolments: {} })
})

/** Of these a rehearsal leaves what it finds, or what people have decided and not what anybody lived. */
const staying = [
  'api_key',
  'campaign',
  'campaign_version',
  'consumer_position',
  'definition',
  'history_count',
  'operational_stop',
  'rehearsal_clock',
  'stop_lift',
  'template_version',
]

// A table that nobody thought of here keeps people who never lived, or work for them.
test('every table is one that a rehearsal empties or one that stays, and none of a person stays', async () => {
  const { rows } = await sql<{ name: string; of_person: boolean }>`
    select relname as name, exists (select from pg_attribute
      where attrelid = c.oid and attname like '%person%' and not attisdropped) as of_person
    from pg_class c
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
      and not relispartition and relname not like 'kysely%'`.execute(store.db)
  const tables = rows.map(({ name }) => name).sort()
  expect(tables).toEqual([...rehearsed, ...staying].sort())
  const ofPeople = rows.filter((row) => row.of_person).map(({ name }) => name)
  expect(ofPeople.filter((name) => staying.includes(name))).toEqual([])
  expect(ofPeople).toContain('task')
})
