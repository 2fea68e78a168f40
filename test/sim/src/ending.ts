import type { Store } from '@wegwijs/store/database'
import { checkLedger, type LedgerServers } from '@wegwijs/store/ledger'
import { sql } from 'kysely'
import type { Ending } from './history.ts'

/** What is left to do; `due` is when the next thing is, of those that are planned for later. */
export type Remains = { open: number; due: string | null }

export async function readRemains({ db }: Store): Promise<Remains> {
  const { rows } = await sql<Remains>`
    select (
      (select count(*) from intent where state in ('queued', 'sending') or lease_until is not null
        or (state = 'planned' and due_at <= due_now()))
      + (select count(*) from timer where due_at <= due_now())
      + (select count(*) from outbox where published_at is null)
      + (select count(*) from rollout)
    )::int as open,
    least((select min(due_at) from timer), (select min(due_at) from intent where state = 'planned'))
      as due`.execute(db)
  return rows[0] ?? { open: 0, due: null }
}

/** True when all of these messages have been queued at some time. */
export async function wereQueued({ db }: Store, intents: readonly string[]): Promise<boolean> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from intent
    where intent_id = any(${[...intents]}::uuid[]) and queued_at is not null`.execute(db)
  return rows[0]?.count === intents.length
}

/** Reads what stands in the records when nothing moves any more. */
export async function readEnding(store: Store, servers: LedgerServers): Promise<Ending> {
  const { db } = store
  const key = sql`e.source || ' ' || e.event_id || ' ' || e.subject`
  const messages = await sql<Ending['messages'][number]>`
    select i.intent_id as intent, i.person_id as person, i.recipient_id as recipient, i.campaign_id as campaign, i.state, i.reason,
      i.channels[i.channel_index + 1] as channel,
      (run.trigger ->> 'source') || ' ' || (run.trigger ->> 'id') || ' ' || coalesce((
        select e.subject from event e where e.source = run.trigger ->> 'source'
          and e.event_id = run.trigger ->> 'id' and e.person_id = i.person_id limit 1), '') as event,
      i.entity_version as version
    from intent i join enrolment run using (person_id, enrolment_id) order by i.intent_id`.execute(
    db,
  )
  const decisions = await sql<Ending['decisions'][number]>`
    select distinct decided.source || ' ' || decided.id || ' ' || e.subject as event, decided.campaign, decided.reason from (
      select d.person_id, d.campaign_id as campaign, d.reason,
        coalesce(run.trigger ->> 'source', d.source) as source,
        coalesce(run.trigger ->> 'id', d.event_id) as id
      from decided d left join enrolment run using (person_id, enrolment_id)
      where d.campaign_id is not null
    ) as decided join event e on e.source = decided.source and e.event_id = decided.id
      and e.person_id = decided.person_id
    order by 1, 2, 3`.execute(db)
  const events = await sql<{
    event: string
  }>`select case when e.source not like 'urn:wegwijs%' then ${key} else 'receipt ' || e.event_id
        -- Of a message to somebody else there is one event about each of them.
        || case when e.data ->> 'recipientId' = e.person_id::text then ' for its recipient' else '' end
      end as event
      from event e order by 1`.execute(db)
  const consents = await sql<Ending['consents'][number]>`
    select person_id as person, purpose, channel, state, origin, at from consent
    order by 1, 2, 3`.execute(db)
  const entities = await sql<Ending['entities'][number]>`
    select person_id as person, entity_type || '/' || entity_id as entity, version, state from entity
    order by 1, 2`.execute(db)
  const people = await sql<Ending['people'][number]>`
    select p.person_id as person, array_agg(k.id_space || '/' || k.external_id order by 1) as identities,
      p.contacts -> 'email' ->> 'address' as email, p.deceased_at is not null as deceased
    from person p join person_identity k using (person_id) where p.merged_into is null
    group by p.person_id order by 1`.execute(db)
  const letters = await sql<{ letter: string }>`
    select error_class || ' ' || coalesce(convert_from(decode(headers ->> 'ce_id', 'base64'), 'UTF8'), '') as letter from dead_letter
    order by 1`.execute(db)
  const miscounted = await sql<{ place: string }>`
    select topic || '/' || partition as place from consumer_position
    where records + skipped_offsets <> next_offset order by 1`.execute(db)
  const inbox = await sql<Ending['inbox'][number]>`
    select intent_id as intent, title from app_message order by 1`.execute(db)
  const rules = await checkLedger(store, servers, { sweepSeconds: 1 })
  return {
    messages: messages.rows,
    decisions: decisions.rows,
    events: events.rows.map((row) => row.event),
    consents: consents.rows,
    entities: entities.rows,
    people: people.rows,
    inbox: inbox.rows,
    miscounted: miscounted.rows.map((row) => row.place),
    deadLetters: letters.rows.map((row) => row.letter),
    ledger: rules
      .filter((rule) => rule.broken > 0)
      .map((rule) => `${rule.name}: ${rule.says} (${rule.broken}: ${rule.examples.join(', ')})`),
  }
}
