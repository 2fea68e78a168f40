import type pg from 'pg'
import type { BareTables } from './tables.ts'

/**
 * The rows that the promises ask for and nothing else, in the tables of Wegwijs with their indexes: the
 * identity of an event, the event with what it led to, the person's place, the run, the message; then each move
 * of the message, its attempt, and the record that tells others. Nothing is decided or checked, nobody is looked
 * up or locked, and whatever can be is always the same text: less than this no pipeline writes that keeps them.
 */
export function promisedTables(namespace: string): Omit<BareTables, 'people'> {
  return {
    takeIn: { name: 'promised rows of events', text: takeIn(namespace) },
    release: {
      name: 'promised release',
      text: `update ${namespace}.intent set state = 'queued', job_id = 'deliver', queued_at = clock_timestamp(),
        touched_at = clock_timestamp() where intent_id = any($1::uuid[])`,
    },
    claim: { name: 'promised claim', text: claim(namespace) },
    settle: { name: 'promised settlement', text: settle(namespace) },
  }
}

export async function personIds(pool: pg.Pool, namespace: string): Promise<Map<string, string>> {
  const { rows } = await pool.query<{ external_id: string; person_id: string }>(
    `select external_id, person_id from ${namespace}.person_identity`,
  )
  return new Map(rows.map((row) => [row.external_id, row.person_id]))
}

const decisions = JSON.stringify([
  {
    campaignId: 'campaign-0',
    version: 1,
    enrolmentId: '00000000-0000-8000-8000-000000000000',
    intentId: '00000000-0000-8000-8000-000000000000',
    reason: 'message_planned',
    detail: null,
  },
])

const journeys = JSON.stringify({
  visit: { phase: 'treatment', episode: 1, since: '2026-01-01T00:00:00.000Z' },
})

const takeIn = (namespace: string) => `
  with given as materialized (
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::jsonb[], $7::uuid[])
      as e (event_id, source, subject, type, time, data, person_id)
  ), remembered as (
    insert into ${namespace}.inbox (person_id, source, event_id, subject)
    select person_id, source, event_id, subject from given on conflict do nothing
  ), kept as (
    insert into ${namespace}.event (person_id, source, event_id, subject, type, time, business_at, data, persona,
      outcome, decisions, topic, partition, record_offset)
    select person_id, source, event_id, subject, type, time, time, data, 'persona-0', 'applied', '${decisions}',
      'touchpoints', 0, 0 from given
  ), placed as (
    update ${namespace}.person p set journeys = '${journeys}' where p.person_id = any($7::uuid[])
  ), planned as materialized (
    select intent_id, person_id, data, gen_random_uuid() as enrolment_id
    from unnest($8::uuid[], $9::text[], $10::text[], $11::jsonb[], $12::uuid[])
      as i (intent_id, subject, address, data, person_id)
  ), entered as (
    insert into ${namespace}.enrolment (person_id, enrolment_id, campaign_id, version, entry_key, state, reason,
      entered_at, ended_at, trigger)
    select person_id, enrolment_id, 'campaign-0', 1, intent_id::text, 'completed', 'completed', clock_timestamp(),
      clock_timestamp(), jsonb_build_object('data', data) from planned
  )
  insert into ${namespace}.intent (person_id, intent_id, enrolment_id, campaign_id, version, message_id, step,
    class, lane, unknown_outcome, template_id, template_hash, channels, state, planned_at, planned_for, due_at,
    expires_at)
  select person_id, intent_id, enrolment_id, 'campaign-0', 1, 'visit', '0', 'care', 'transactional',
    'at-most-once', 'visit', 'visit-1', '{sms}', 'planned', clock_timestamp(), clock_timestamp(),
    clock_timestamp(), clock_timestamp() + interval '30 days' from planned`

const claim = (namespace: string) => `
  with locked as materialized (
    select intent_id from ${namespace}.intent where intent_id = any($1::uuid[]) order by intent_id for update
  )
  update ${namespace}.intent i set state = 'sending', fence = i.fence + 1, attempts = i.attempts + 1,
    claim_id = gen_random_uuid(), lease_until = clock_timestamp() + interval '1 minute', provider = 'sms-http',
    touched_at = clock_timestamp()
  from locked, ${namespace}.person p, ${namespace}.enrolment e
  where i.intent_id = locked.intent_id and i.intent_id = any($1::uuid[]) and p.person_id = i.person_id
    and e.person_id = i.person_id and e.enrolment_id = i.enrolment_id
  returning i.intent_id, p.contacts -> 'phone' ->> 'address' as address, e.trigger -> 'data' as data`

const headers = JSON.stringify({
  ce_specversion: '1.0',
  ce_id: '00000000-0000-8000-8000-000000000000',
  ce_source: 'urn:wegwijs',
  ce_type: 'message.sent.v1',
  ce_subject: '00000000-0000-8000-8000-000000000000',
  ce_time: '2026-01-01T00:00:00.000Z',
  'content-type': 'application/json',
})

const value = JSON.stringify({
  intentId: '00000000-0000-8000-8000-000000000000',
  campaignId: 'campaign-0',
  version: 1,
  messageId: 'visit',
  channel: 'sms',
  provider: 'sms-http',
  state: 'sent',
  reason: null,
})

const settle = (namespace: string) => `
  with done as materialized (
    select i.person_id, i.intent_id, i.fence, sent.reference
    from unnest($1::uuid[], $2::text[]) as sent (intent_id, reference)
      join ${namespace}.intent i on i.intent_id = sent.intent_id
    where i.intent_id = any($1::uuid[]) order by i.intent_id for update of i
  ), tried as (
    insert into ${namespace}.attempt (person_id, intent_id, fence, business_at, channel, provider, outcome,
      reference, duplicate)
    select person_id, intent_id, fence, clock_timestamp(), 'sms', 'sms-http', 'accepted', reference, false from done
  ), told as (
    insert into ${namespace}.outbox (topic, record_key, headers, value)
    select 'messages', person_id::text, '${headers}', convert_to('${value}', 'UTF8') from done
  )
  update ${namespace}.intent i set state = 'sent', claim_id = null, lease_until = null, job_id = null,
    reference = done.reference, settled_at = clock_timestamp(), touched_at = clock_timestamp()
  from done where i.intent_id = done.intent_id and i.intent_id = any($1::uuid[])`
