import { newUuid } from '@wegwijs/runtime/derived-id'
import type { Store } from '@wegwijs/store/database'
import { type RawBuilder, sql } from 'kysely'
import { birthYear, idSpace, planted, source, touchpointType } from './hospital.ts'

/**
 * What a hospital of some years holds, put straight into the tables: as many rows as a benchmark
 * needs would take hours by the front door. The person of number `n` is known as `p<n>`.
 */

/** A UUID that hangs on `text` alone, as SQL; of version 8, since a job takes no other than real ones. */
function uuidOf(text: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`overlay(overlay(md5(${text}) placing '8' from 13) placing '8' from 17)::uuid`
}

/** The id of the person of a number, as SQL; `n` is the number. */
const personId = uuidOf(sql`'person ' || n`)

export async function plantPeople(store: Store, count: number): Promise<void> {
  const decade = birthYear(0) - birthYear(1)
  await sql`insert into person (person_id, fields, contacts, locale, persona, journeys, test)
    select ${personId},
      jsonb_build_object('givenName', 'Persoon', 'birthYear', ${birthYear(0)}::int - (n % 10) * ${decade}::int),
      jsonb_build_object(
        'email', jsonb_build_object('address', 'p' || n || '@example.org', 'refusedAt', null),
        'phone', jsonb_build_object('address', '+316' || (20000000 + n), 'refusedAt', null)),
      'nl', 'persona-' || n % 10, '{"visit": {"phase": "treatment", "episode": 1, "since": "2026-01-01T00:00:00.000Z"}}', true
    from generate_series(0, ${count - 1}::int) as n`.execute(store.db)
  await sql`insert into person_identity (person_id, id_space, external_id)
    select ${personId}, ${idSpace}, 'p' || n from generate_series(0, ${count - 1}::int) as n`.execute(
    store.db,
  )
  await sql`analyze person, person_identity`.execute(store.db)
}

export type PlantedMessages = {
  /** One for each person from `from` on, and round again when there are more messages than people. */
  count: number
  people: number
  from?: number
  channel?: 'sms' | 'email' | 'app'
  lane?: 'transactional' | 'standard' | 'bulk'
  /** The first is due so many seconds from now. */
  inSeconds?: number
  /** The last is due so many seconds after the first. */
  overSeconds?: number
}

/** Plans messages, in one transaction, each under an enrolment that has come to its end. */
export async function plantMessages(store: Store, options: PlantedMessages): Promise<void> {
  const { count, people, from = 0, channel = 'sms', lane = 'transactional' } = options
  const { inSeconds = 0, overSeconds = 0 } = options
  const round = newUuid()
  const number = sql`(${from}::int + i) % ${people}::int`
  const due = sql`date_trunc('milliseconds', clock_timestamp()) + make_interval(secs => ${inSeconds}::float8 + ${overSeconds / count}::float8 * i)`
  await sql`with message as materialized (
      select ${uuidOf(sql`'person ' || ${number}`)} as person_id,
        ${uuidOf(sql`${round}::text || 'enrolment' || i`)} as enrolment_id,
        ${uuidOf(sql`${round}::text || 'intent' || i`)} as intent_id, i, ${due} as due_at
      from generate_series(0, ${count - 1}::int) as i
    ), enrolled as (
      insert into enrolment (person_id, enrolment_id, campaign_id, version, entry_key, state, reason,
        entered_at, ended_at, trigger)
      select person_id, enrolment_id, ${planted.campaignId}, 1, enrolment_id::text, 'completed', 'completed',
        clock_timestamp(), clock_timestamp(),
        jsonb_build_object('source', ${source}::text, 'id', enrolment_id, 'type', ${touchpointType(0)}::text,
          'time', '2026-01-01T00:00:00.000Z', 'data', jsonb_build_object(
            'reference', left(enrolment_id::text, 12), 'department', 'cardiology', 'firstVisit', true))
      from message
    )
    insert into intent (person_id, intent_id, enrolment_id, campaign_id, version, message_id, step, class,
      lane, unknown_outcome, template_id, template_hash, channels, state, planned_at, planned_for, due_at,
      expires_at)
    select person_id, intent_id, enrolment_id, ${planted.campaignId}, 1, 'visit', '0', 'care',
      ${lane}, 'at-most-once', ${planted.template}, ${planted.templateHash}, array[${channel}::text], 'planned',
      clock_timestamp(), due_at, due_at, due_at + interval '30 days'
    from message`.execute(store.db)
}

/** A statement of the whole would take longer than a statement may. */
const PLANTED_AT_ONCE = 100_000
const WEEK_SECONDS = 7 * 86_400

/** Plans messages for three to six weeks from now, each for a person of its own. */
export async function plantBacklog(store: Store, count: number): Promise<void> {
  for (let from = 0; from < count; from += PLANTED_AT_ONCE) {
    await plantMessages(store, {
      count: Math.min(PLANTED_AT_ONCE, count - from),
      people: count,
      from,
      inSeconds: 3 * WEEK_SECONDS,
      overSeconds: 3 * WEEK_SECONDS,
    })
  }
  await sql`analyze intent, enrolment`.execute(store.db)
}

/**
 * What years leave behind: events with their identities and a decision each, and for one in four a
 * campaign that was gone through and its message, spread over `people`.
 */
export async function plantHistory(
  store: Store,
  { count, people }: { count: number; people: number },
): Promise<void> {
  for (let from = 0; from < count; from += PLANTED_AT_ONCE) {
    await plantPast(store, { count: Math.min(PLANTED_AT_ONCE, count - from), people, from })
  }
  await sql`analyze inbox, event, enrolment, intent`.execute(store.db)
}

async function plantPast(
  store: Store,
  { count, people, from }: { count: number; people: number; from: number },
): Promise<void> {
  const now = sql`clock_timestamp()`
  await sql`with past as materialized (
      select (${from}::int + i) % ${people}::int as n, 'old ' || (${from}::int + i) as event_id
      from generate_series(0, ${count - 1}::int) as i
    ), whose as materialized (
      select ${personId} as person_id, 'p' || n as subject, event_id from past
    ), remembered as (
      insert into inbox (person_id, source, event_id, subject)
      select person_id, ${source}, event_id, subject from whose
    )
    insert into event (person_id, source, event_id, subject, type, time, business_at, data, outcome,
      decisions, topic, partition, record_offset)
    select person_id, ${source}, event_id, subject, ${touchpointType(0)}, ${now}, ${now},
      '{"reference": "old", "department": "cardiology", "firstVisit": true}', 'applied',
      jsonb_build_array(jsonb_build_object('campaignId', ${planted.campaignId}::text, 'version', 1,
        'enrolmentId', null, 'intentId', null, 'reason', 'trigger_false', 'detail', null)), 'old', 0, 0
    from whose`.execute(store.db)
  const messages = Math.ceil(count / 4)
  await plantMessages(store, { count: messages, people, from })
  await sql`update intent set state = 'delivered', provider = 'sms-http', settled_at = clock_timestamp()
    where state = 'planned'`.execute(store.db)
}
