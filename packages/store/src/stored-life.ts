import type { JsonObject } from '@wegwijs/campaign/json'
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
  /** As they are now. */
  relations: ReadonlyMap<string, Relation>
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
    const relations = new Map(rows.map(relationOf).map((each) => [relationKey(each), each]))
    const others = await loadOthers(db, [{ relations }])
    return { before, events: await eventsOf(db, personId), relations, others }
  })
}

type EventRow = Omit<JourneyEvent, 'entity'> & {
  at: string
  data: JsonObject
  entity: string | null
  version: number | null
}

async function eventsOf(db: Querying, personId: string): Promise<StoredLife['events']> {
  const { rows } = await sql<EventRow>`
    select source, event_id as id, subject, type, time, data, entity, entity_version as version,
      traceparent, business_at as at
    from event where person_id = ${personId}
    order by business_at, recorded_at, partition, record_offset
  `.execute(db)
  return rows.map(({ at, entity, version, ...event }) => ({
    at,
    event: { ...event, entity: referenceOf(entity, version) },
  }))
}

/** `appointment/A-1` of a version; the type of an entity has no stroke in it. */
function referenceOf(entity: string | null, version: number | null): EntityReference | null {
  if (entity === null || version === null) return null
  const stroke = entity.indexOf('/')
  return { type: entity.slice(0, stroke), id: entity.slice(stroke + 1), version }
}
