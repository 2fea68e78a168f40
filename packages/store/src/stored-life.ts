import type { JsonObject } from '@wegwijs/campaign/json'
import { isRelationEvent } from '@wegwijs/campaign/relations'
import {
  type EntityReference,
  type JourneyEvent,
  type OtherPerson,
  type Relation,
  relationKey,
} from '@wegwijs/campaign/state'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { loadOthers } from './load-states.ts'
import { relationOf } from './state-rows.ts'
import { peopleOf, type StoredPerson } from './stored-history.ts'
import { query } from './transaction.ts'

/** What is stored of one person, to decide it again: see {@link StoredPerson} for what that leaves out. */
export type StoredLife = {
  before: StoredPerson
  /** All their events that are kept, our own too, in the order in which they were taken in. */
  events: { event: JourneyEvent; at: string }[]
  /** As they were before the events. */
  relations: ReadonlyMap<string, Relation>
  /** Whom the events name, by `id space:id`, as who they are now. */
  named: ReadonlyMap<string, string>
  /** Whom they lead to, by the id that the relation has of them. */
  others: ReadonlyMap<string, OtherPerson>
}

/** Null when no person has this id, or when they were merged into another. */
export async function readStoredLife(db: Querying, personId: string): Promise<StoredLife | null> {
  return query(async () => {
    const [before] = await peopleOf(db, '-infinity', [personId])
    if (!before) return null
    const rows = await db
      .selectFrom('relation')
      .selectAll()
      .where('person_id', '=', personId)
      .execute()
    const ever = new Map(rows.map(relationOf).map((each) => [relationKey(each), each]))
    const others = await loadOthers(db, [{ relations: ever }])
    const relations = new Map(
      before.relations.map(({ relation }) => [relationKey(relation), relation]),
    )
    const events = await eventsOf(db, personId)
    const named = await namedIn(db, events)
    const known = new Map([
      ...others,
      ...[...others.values()].map((each): [string, OtherPerson] => [each.personId, each]),
    ])
    return { before, events, relations, others: known, named }
  })
}

/** One query, and none where nobody is named. */
async function namedIn(
  db: Querying,
  events: StoredLife['events'],
): Promise<ReadonlyMap<string, string>> {
  const named = events.flatMap(({ event }) => (isRelationEvent(event) ? [event.data] : []))
  if (named.length === 0) return new Map()
  const { rows } = await sql<{ name: string; person_id: string }>`
    select id_space || ':' || external_id as name, survivor_of(person_id) as person_id
    from person_identity where (id_space, external_id) in (
      select * from unnest(${named.map(({ idSpace }) => String(idSpace))}::text[],
        ${named.map(({ externalId }) => String(externalId))}::text[]))`.execute(db)
  return new Map(rows.map((row) => [row.name, row.person_id]))
}

type EventRow = Omit<JourneyEvent, 'entity' | 'appendedAt'> & {
  at: string
  data: JsonObject
  entity: string | null
  version: number | null
  appended_at: string | null
}

async function eventsOf(db: Querying, personId: string): Promise<StoredLife['events']> {
  const { rows } = await sql<EventRow>`
    select source, event_id as id, subject, type, time, data, entity, entity_version as version,
      traceparent, business_at as at, appended_at
    from event where person_id = ${personId}
    order by business_at, recorded_at, partition, record_offset
  `.execute(db)
  return rows.map(({ at, entity, version, appended_at: appendedAt, ...event }) => ({
    at,
    event: {
      ...event,
      entity: referenceOf(entity, version),
      ...(appendedAt !== null && { appendedAt }),
    },
  }))
}

/** `appointment/A-1` of a version; the type of an entity has no stroke in it. */
function referenceOf(entity: string | null, version: number | null): EntityReference | null {
  if (entity === null || version === null) return null
  const stroke = entity.indexOf('/')
  return { type: entity.slice(0, stroke), id: entity.slice(stroke + 1), version }
}
