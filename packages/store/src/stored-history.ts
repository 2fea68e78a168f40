import { ownSource } from '@wegwijs/campaign/event-check'
import type { Identity } from '@wegwijs/campaign/journey-event'
import type { Consent, Entity, Person, Relation } from '@wegwijs/campaign/state'
import { isFailure } from '@wegwijs/runtime/failure'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { type Selectable, sql } from 'kysely'
import { businessNow } from './business-clock.ts'
import type { Database, Querying } from './database.ts'
import type { Schema } from './schema.ts'
import { consentOf, entityOf, personOf, relationOf } from './state-rows.ts'
import { isMembers, isMoment, stored } from './stored-shapes.ts'
import { query } from './transaction.ts'

/**
 * What is stored of the people to whom something happened since a moment, for a dry run over it. All
 * their events that are kept come along, older ones too: what a campaign does hangs on them.
 *
 * Names, addresses and fields are kept as they are now and not as they were (P7: events hold none), and
 * so everybody has been introduced as they are now. Of what is older than their oldest event, consents,
 * entities and places on journeys hold as far as nothing has changed them since.
 */
export type StoredPerson = {
  identities: readonly Identity[]
  person: Person
  consents: readonly Consent[]
  entities: readonly Entity[]
  /** Who stands to them, by one of their ids. */
  relations: readonly { other: Identity; relation: Relation }[]
}

/** `arrivedAt`: when it was taken in, in business time; `appendedAt`: when Kafka had it, where its own time is later. */
export type StoredEvent = { event: TouchpointEvent & { appendedAt?: string }; arrivedAt: string }

/** A row that cannot be read: in which column, and whose it is; of an event its source and id. Never what stands there (P7). */
export type UnreadableRow = { column: string; id: string }

/**
 * What of a history cannot be read. A person of whom a row cannot be read is left out with all their events: what
 * they would get hangs on all of it. An event that cannot be read is left out itself.
 */
export class UnreadableRows {
  /** How many there are. */
  count = 0
  /** The first of them, so that a whole history that cannot be read is told in a few lines. */
  readonly first: UnreadableRow[] = []
  /** Our own ids of the people who are left out. */
  readonly people = new Set<string>()

  add(row: UnreadableRow): void {
    this.count += 1
    if (this.first.length < mostNamed) this.first.push(row)
  }
}

const mostNamed = 10

/** The moment so many days before business time. */
export async function daysBack(db: Querying, days: number): Promise<string> {
  const now = await query(() => businessNow(db))
  return new Date(Date.parse(now) - days * 86_400_000).toISOString()
}

const peopleAtOnce = 1_000

/**
 * Those to whom something happened since then, and who may hear of them, some at a time; of whom something cannot
 * be read, that is added to `unreadable` instead.
 */
export async function* storedPeople(
  db: Querying,
  since: string,
  unreadable: UnreadableRows,
): AsyncGenerator<StoredPerson[]> {
  let after = '00000000-0000-0000-0000-000000000000'
  for (;;) {
    const ids = await query(() => personIdsAfter(db, since, after))
    const last = ids.at(-1)
    if (last === undefined) return
    const people = await query(() => readPeople(db, since, ids))
    yield people.flatMap(({ personId, unreadable: rows, read }) => {
      if (rows.length === 0) return [read()]
      unreadable.people.add(personId)
      for (const row of rows) unreadable.add(row)
      return []
    })
    after = last
  }
}

async function personIdsAfter(db: Querying, since: string, after: string): Promise<string[]> {
  const { rows } = await sql<{ person_id: string }>`
    with active as materialized (
      select distinct person_id from event where business_at >= ${since}
    )
    select person_id from (
      select person_id from active
      union select survivor_of(other_id) from relation where person_id in (select person_id from active)
    ) as people where person_id > ${after}::uuid
    order by person_id limit ${peopleAtOnce}`.execute(db)
  return rows.map((row) => row.person_id)
}

/**
 * Some people, as they were before the oldest of their events that are kept.
 *
 * @throws WEGWIJS_STORED_ROW_UNREADABLE for a row by which nothing can be decided
 */
export async function peopleOf(
  db: Querying,
  since: string,
  ids: readonly string[],
): Promise<StoredPerson[]> {
  const people = await readPeople(db, since, ids)
  return people.map(({ read }) => read())
}

/** Somebody's rows, and what of them cannot be read; `read` throws the first of that. */
type ReadPerson = { personId: string; unreadable: UnreadableRow[]; read(): StoredPerson }

async function readPeople(
  db: Querying,
  since: string,
  ids: readonly string[],
): Promise<ReadPerson[]> {
  const wanted = sql`person_id = any(${[...ids]}::uuid[])`
  const people = await sql<Selectable<Schema['person']>>`
    select * from person where ${wanted} and merged_into is null`.execute(db)
  const identities = await sql<{ person_id: string; id_space: string; external_id: string }>`
    select person_id, id_space, external_id from person_identity where ${wanted}
    order by id_space, external_id`.execute(db)
  const firsts = await sql<{ person_id: string; first: string }>`
    select person_id, min(business_at) as first from event where ${wanted} group by person_id
    having max(business_at) >= ${since}`.execute(db)
  const consents = await sql<Selectable<Schema['consent']>>`
    select * from consent where ${wanted}`.execute(db)
  const entities = await sql<Selectable<Schema['entity']>>`
    select * from entity where ${wanted}`.execute(db)
  const relations = await sql<
    Selectable<Schema['relation']> & { id_space: string; external_id: string }
  >`
    select r.*, i.id_space, i.external_id from relation r cross join lateral (
      select id_space, external_id from person_identity
      where person_id = survivor_of(r.other_id) order by id_space, external_id limit 1
    ) as i where ${wanted}`.execute(db)
  const remembered = await sql<{ person_id: string; field: string; at: string }>`
    select person_id, detail ->> 'field' as field, business_at as at from decision
    where ${wanted} and reason = 'field_set'
    union all
    select person_id, said -> 'detail' ->> 'field', business_at
    from event cross join lateral jsonb_array_elements(decisions) as said
    where ${wanted} and decisions @> '[{"reason": "field_set"}]' and said ->> 'reason' = 'field_set'`.execute(
    db,
  )
  const own = <Row extends { person_id: string }>(rows: readonly Row[]) => {
    const byPerson = Map.groupBy(rows, (row) => row.person_id)
    return (id: string): readonly Row[] => byPerson.get(id) ?? []
  }
  const [identitiesOf, consentsOf, entitiesOf, relationsOf, firstOf, rememberedOf] = [
    own(identities.rows),
    own(consents.rows),
    own(entities.rows),
    own(relations.rows),
    own(firsts.rows),
    own(remembered.rows),
  ]
  return people.rows.map((row) => {
    // Of whom nothing is told again all holds that is known.
    const first = firstOf(row.person_id)[0]?.first ?? '9999'
    const unreadable = [
      readable(() => personOf(row)),
      ...entitiesOf(row.person_id).map((each) => readable(() => entityOf(each))),
    ].flatMap((each) => ('unreadable' in each ? [each.unreadable] : []))
    const read = (): StoredPerson => ({
      identities: identitiesOf(row.person_id).map(({ id_space, external_id }) => ({
        idSpace: id_space,
        externalId: external_id,
      })),
      person: asBefore(
        personOf(row),
        first,
        rememberedOf(row.person_id)
          .filter(({ at }) => at >= first)
          .map(({ field }) => field),
      ),
      consents: consentsOf(row.person_id)
        .map(consentOf)
        .filter(({ at }) => at < first),
      entities: entitiesOf(row.person_id)
        .map(entityOf)
        .filter(({ changedAt }) => changedAt < first),
      relations: relationsOf(row.person_id)
        .filter(({ at }) => at < first)
        .map((each) => ({
          other: { idSpace: each.id_space, externalId: each.external_id },
          relation: relationOf(each),
        })),
    })
    return { personId: row.person_id, unreadable, read }
  })
}

function readable<Value>(read: () => Value): { value: Value } | { unreadable: UnreadableRow } {
  try {
    return { value: read() }
  } catch (error) {
    if (!isFailure(error, 'WEGWIJS_STORED_ROW_UNREADABLE')) throw error
    const { column, id } = error.detail
    return { unreadable: { column: String(column), id: String(id) } }
  }
}

/** What has come about since is told again by the events, or set again by campaigns (`remembered`). */
function asBefore(person: Person, first: string, remembered: readonly string[]): Person {
  const places = Object.entries(person.journeys).filter(([, { since }]) => since < first)
  const fields = Object.entries(person.fields).filter(
    ([name]) => !remembered.includes(`person.${name}`),
  )
  return {
    ...person,
    fields: Object.fromEntries(fields),
    journeys: Object.fromEntries(places),
    happened: {},
    deceasedAt: person.deceasedAt !== null && person.deceasedAt < first ? person.deceasedAt : null,
    profileAt: null,
  }
}

const eventsAtOnce = 5_000

type EventRow = {
  person_id: string
  source: string
  event_id: string
  subject: string
  type: string
  time: string
  business_at: string
  data: unknown
  entity: string | null
  entity_version: number | null
  appended_at: string | null
}

/**
 * All kept events of those people, in the order in which they were taken in, some at a time. Without our
 * own: what providers reported, and teams said, was about messages and tasks that there really were. One statement reads them, so
 * that what comes in meanwhile is not seen, and a long history is sorted once. What cannot be read is added to
 * `unreadable`, in which those of the people are already.
 */
export async function* storedEvents(
  db: Database,
  since: string,
  unreadable: UnreadableRows,
): AsyncGenerator<StoredEvent[]> {
  const tx = await query(() =>
    db.startTransaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(),
  )
  try {
    await query(() =>
      // A cursor takes no parameters.
      sql`declare history no scroll cursor for
        select person_id, source, event_id, subject, type, time, business_at, data, entity, entity_version,
          appended_at
        from event where source <> ${sql.lit(ownSource)} and not starts_with(source, ${sql.lit(`${ownSource}:`)})
          and person_id in (select person_id from event where business_at >= ${sql.lit(since)}::timestamptz)
        order by recorded_at, record_offset, source, event_id, subject`.execute(tx),
    )
    for (;;) {
      const { rows } = await query(() =>
        sql<EventRow>`fetch ${sql.lit(eventsAtOnce)} from history`.execute(tx),
      )
      if (rows.length === 0) return
      yield rows.flatMap((row) => {
        const event = readable(() => eventOf(row))
        if ('unreadable' in event) unreadable.add(event.unreadable)
        else if (!unreadable.people.has(row.person_id)) return [event.value]
        return []
      })
    }
  } finally {
    await tx.rollback().execute()
  }
}

function eventOf(row: EventRow): StoredEvent {
  const id = `${row.source}/${row.event_id}`
  const event = {
    id: row.event_id,
    source: row.source,
    type: row.type,
    subject: row.subject,
    time: stored<string>(isMoment, row.time, 'event.time', id),
    data: stored<TouchpointEvent['data']>(isMembers, row.data, 'event.data', id),
    ...(row.entity !== null && { entity: row.entity }),
    ...(row.entity_version !== null && { version: row.entity_version }),
    ...(row.appended_at !== null && { appendedAt: row.appended_at }),
  }
  return {
    event,
    arrivedAt: stored<string>(isMoment, row.business_at, 'event.business_at', id),
  }
}
