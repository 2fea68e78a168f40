import { ownIdSpace } from '@wegwijs/campaign/event-check'
import type { Identity } from '@wegwijs/campaign/journey-event'
import { isJsonObject, type JsonObject, type JsonValue } from '@wegwijs/campaign/json'
import { sql } from 'kysely'
import { businessNow } from './business-clock.ts'
import type { Querying } from './database.ts'
import type { IntentState } from './schema.ts'
import { listPersonStops, type RecordedPersonStop } from './stops.ts'
import { type ReadCampaign, readAsFarAsItGoes } from './stored-definition.ts'
import { query } from './transaction.ts'

/** Everything that is stored about why a person did or did not get something (P4); no names, no addresses. */
export type PersonFacts = {
  personId: string
  identities: readonly Identity[]
  persona: string | null
  deceasedAt: string | null
  test: boolean
  businessNow: string
  /** In the order in which they were taken in. */
  events: readonly EventFact[]
  enrolments: readonly EnrolmentFact[]
  decisions: readonly DecisionFact[]
  messages: readonly MessageFact[]
  stops: readonly RecordedPersonStop[]
}

export type EventFact = {
  source: string
  id: string
  subject: string
  type: string
  /** When it happened. */
  time: string
  /** When it was decided, in business time. */
  businessAt: string
  entity: string | null
  version: number | null
  /** The person's persona after it. */
  persona: string | null
  /** The campaign into which it puts the person by hand. */
  enrols?: string | null
  /** A code of the closed list: what became of the event itself. */
  outcome: string
}

export type EnrolmentFact = {
  enrolmentId: string
  campaignId: string
  version: number
  state: 'running' | 'completed' | 'exited'
  reason: string | null
  enteredAt: string
  endedAt: string | null
  /** Until when it waits, if it does. */
  waitsUntil: string | null
}

export type DecisionFact = {
  businessAt: string
  /** The event that led to it; both null when a timer did. */
  source: string | null
  eventId: string | null
  campaignId: string | null
  version: number | null
  enrolmentId: string | null
  intentId: string | null
  /** A code of the closed list, which a newer Wegwijs may have made longer. */
  reason: string
  detail: JsonObject | null
  /** What is stored as its detail is none: that is null then. */
  unreadable?: true
}

export type MessageFact = {
  intentId: string
  enrolmentId: string
  campaignId: string
  version: number
  messageId: string
  templateId: string
  state: IntentState
  reason: string | null
  detail: Readonly<Record<string, unknown>> | null
  /** Who gets it, where that is somebody else than whom it is about, and by which relation. */
  recipient: { personId: string; as: string } | null
  channels: readonly string[]
  /** The one that was used, or is tried next. */
  channel: string | null
  provider: string | null
  plannedAt: string
  dueAt: string
  expiresAt: string
  settledAt: string | null
  attempts: readonly AttemptFact[]
}

export type AttemptFact = {
  businessAt: string
  channel: string
  provider: string
  outcome: string
  reason: string | null
  duplicate: boolean
}

/** A campaign with the times at which each of its versions was published, the oldest first. */
export type CampaignFacts = {
  campaignId: string
  state: 'live' | 'ended'
  versions: readonly ({ version: number; publishedAt: string } & ReadCampaign)[]
}

/** The id of a person, followed to the record that they were merged into. Null when there is nobody. */
export async function findPerson(db: Querying, identity: Identity): Promise<string | null> {
  return query(async () => {
    const { rows } = await sql<{ person_id: string }>`
      with recursive line as (
        select person_id, merged_into, 0 as steps from person where person_id = coalesce(
          (select person_id from person_identity
            where id_space = ${identity.idSpace} and external_id = ${identity.externalId}),
          (select person_id from person
            where ${identity.idSpace === ownIdSpace} and person_id::text = ${identity.externalId}))
        union all
        select person.person_id, person.merged_into, steps + 1
        from line join person on person.person_id = line.merged_into where steps < 100
      )
      select person_id from line where merged_into is null
    `.execute(db)
    return rows[0]?.person_id ?? null
  })
}

/** Null when no person has this id. */
export async function readPersonFacts(db: Querying, personId: string): Promise<PersonFacts | null> {
  return query(async () => {
    const person = await db
      .selectFrom('person')
      .select(['persona', 'deceased_at', 'test'])
      .where('person_id', '=', personId)
      .executeTakeFirst()
    if (!person) return null
    return {
      personId,
      identities: await readIdentities(db, personId),
      persona: person.persona,
      deceasedAt: person.deceased_at,
      test: person.test,
      businessNow: await businessNow(db),
      events: await readEvents(db, personId),
      enrolments: await readEnrolments(db, personId),
      decisions: await readDecisions(db, personId),
      messages: await readMessages(db, personId),
      stops: await listPersonStops(db, personId),
    }
  })
}

/** Every campaign that ever was live; of a version that cannot be read, as much as can be. */
export async function readCampaignFacts(db: Querying): Promise<CampaignFacts[]> {
  const rows = await query(() =>
    db
      .selectFrom('campaign as c')
      .innerJoin('campaign_version as v', 'v.campaign_id', 'c.campaign_id')
      .select(['c.campaign_id', 'c.state', 'v.version', 'v.published_at', 'v.content'])
      .orderBy('c.campaign_id')
      .orderBy('v.version')
      .execute(),
  )
  const versionOf = (row: (typeof rows)[number]) => ({
    version: row.version,
    publishedAt: row.published_at,
    ...readAsFarAsItGoes({
      campaignId: row.campaign_id,
      version: row.version,
      content: row.content,
    }),
  })
  return [...Map.groupBy(rows, (row) => row.campaign_id)].map(([campaignId, versions]) => ({
    campaignId,
    state: versions[0]?.state ?? 'ended',
    versions: versions.map(versionOf),
  }))
}

async function readIdentities(db: Querying, personId: string): Promise<Identity[]> {
  const { rows } = await sql<Identity>`
    select id_space as "idSpace", external_id as "externalId" from person_identity
    where person_id = ${personId} order by id_space, external_id
  `.execute(db)
  return rows
}

async function readEvents(db: Querying, personId: string): Promise<EventFact[]> {
  const { rows } = await sql<EventFact>`
    select source, event_id as id, subject, type, time, business_at as "businessAt", entity,
      entity_version as version, persona, outcome,
      case when type = 'person.enrolled.v1' then data ->> 'campaign' end as enrols
    from event where person_id = ${personId}
    order by business_at, recorded_at, partition, record_offset
  `.execute(db)
  return rows
}

async function readEnrolments(db: Querying, personId: string): Promise<EnrolmentFact[]> {
  const { rows } = await sql<EnrolmentFact>`
    select e.enrolment_id as "enrolmentId", e.campaign_id as "campaignId", e.version, e.state,
      e.reason, e.entered_at as "enteredAt", e.ended_at as "endedAt",
      (select min(due_at) from timer t
        where t.person_id = e.person_id and t.enrolment_id = e.enrolment_id) as "waitsUntil"
    from enrolment e where e.person_id = ${personId}
    order by e.entered_at, e.campaign_id, e.enrolment_id
  `.execute(db)
  return rows
}

async function readDecisions(db: Querying, personId: string): Promise<DecisionFact[]> {
  const { rows } = await sql<DecisionRow>`
    select business_at as "businessAt", source, event_id as "eventId", campaign_id as "campaignId",
      version, enrolment_id as "enrolmentId", intent_id as "intentId", reason, detail
    from decided where person_id = ${personId}
    order by business_at, recorded_at, source, event_id, ordinal
  `.execute(db)
  return rows.map(decisionOf)
}

type DecisionRow = Omit<DecisionFact, 'detail'> & { detail: JsonValue }

function decisionOf({ detail, ...row }: DecisionRow): DecisionFact {
  return detail === null || isJsonObject(detail)
    ? { ...row, detail }
    : { ...row, detail: null, unreadable: true }
}

async function readMessages(db: Querying, personId: string): Promise<MessageFact[]> {
  const { rows } = await sql<MessageFact>`
    select i.intent_id as "intentId", i.enrolment_id as "enrolmentId",
      i.campaign_id as "campaignId", i.version, i.message_id as "messageId",
      i.template_id as "templateId", i.state, i.reason, i.detail, i.channels,
      case when i.recipient_id is not null then json_build_object(
        'personId', survivor_of(i.recipient_id), 'as', i.recipient_as) end as recipient,
      i.channels[i.channel_index + 1] as channel, i.provider, i.planned_at as "plannedAt",
      i.due_at as "dueAt", i.expires_at as "expiresAt", i.settled_at as "settledAt",
      coalesce((
        select json_agg(json_build_object(
          'businessAt', to_char(a.business_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          'channel', a.channel, 'provider', a.provider, 'outcome', a.outcome,
          'reason', a.reason, 'duplicate', a.duplicate) order by a.recorded_at, a.fence)
        from attempt a where a.person_id = i.person_id and a.intent_id = i.intent_id
      ), '[]') as attempts
    from intent i where i.person_id = ${personId}
    order by i.planned_at, i.due_at, i.channels, i.intent_id
  `.execute(db)
  return rows
}
