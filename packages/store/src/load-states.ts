import {
  type Consent,
  consentKey,
  type Enrolment,
  type Entity,
  entityKey,
  entryOf,
  type Intent,
  type OtherPerson,
  type Person,
  type PersonState,
  type Relation,
  relationKey,
  type Task,
  type Timer,
} from '@wegwijs/campaign/state'
import { type Selectable, sql } from 'kysely'
import type { Querying } from './database.ts'
import {
  loadDateTimers,
  loadEnrolments,
  loadEntries,
  loadIntents,
  loadTasks,
  loadTimers,
} from './load-runs.ts'
import type { Schema } from './schema.ts'
import {
  consentOf,
  enrolmentOf,
  entityOf,
  intentOf,
  personOf,
  relationOf,
  taskOf,
  timerOf,
} from './state-rows.ts'

/**
 * What of its people a batch needs beside themselves, their entities and their consents: what it may
 * touch and no more, or an event would cost more the longer its person is with us (P8).
 */
export type StateScope = {
  /** People of whom all counts that runs or may still go out: they died, or two become one. */
  wholePeople: readonly string[]
  /**
   * People of whom two become one: what they ever entered of `campaignIds`, and what hangs on an
   * entity that several of them know. What has run through counts, too: it may have told what
   * another run has ahead.
   */
  mergedPeople: readonly string[]
  /** Campaigns that touchpoints of the batch end, or that wait for them: what of them runs or may still go out. */
  touchedCampaignIds: readonly string[]
  /** Campaigns that touchpoints of the batch are the goal of: runs that have not reached it. */
  goals: readonly { campaignId: string; enteredSince: string }[]
  /** Entities that the batch speaks of: enrolments that hang on them. */
  entities: readonly { type: string; id: string }[]
  /** Enrolments that go on, because their timers have come. */
  resumed: readonly EnrolmentKey[]
  /** People whose dates the batch may change, or of whom one has come. */
  dated: readonly string[]
  /**
   * Campaigns on a date of the person's own, when a profile of the batch may move it: everything that
   * `dated` have entered of them. What has run through counts, too: it is taken back when its date has
   * moved ahead, and begins nothing twice when the date comes back.
   */
  redatedCampaignIds: readonly string[]
  /** Messages that receipts of the batch are about. */
  intentIds: readonly string[]
  /** Campaigns that wait for receipts: their enrolments that such a message is of. */
  receiptCampaignIds: readonly string[]
  /** Tasks of which the batch says what came of them. */
  taskIds: readonly string[]
  /** Campaigns that give people work. */
  taskCampaignIds: readonly string[]
  /** Campaigns that the batch may start: their past entries. */
  campaignIds: readonly string[]
  /** Something that is decided hangs on who is related to whom. */
  relations: boolean
}

export type EnrolmentKey = { person_id: string; enrolment_id: string }

/** Loads what the core decides on: nine statements at most, whatever the number of people (P8). */
export async function loadStates(
  tx: Querying,
  personIds: readonly string[],
  scope: StateScope,
): Promise<Map<string, PersonState>> {
  const ids = [...personIds]
  const people = await selectOf(tx, 'person', ids)
  const entities = await selectOf(tx, 'entity', ids)
  const consents = await selectOf(tx, 'consent', ids)
  const relations = scope.relations ? await selectOf(tx, 'relation', ids) : []
  const shared = entitiesOfSeveral(entities, scope.mergedPeople)
  const enrolments = await loadEnrolments(tx, ids, {
    ...scope,
    entities: [...scope.entities, ...shared],
  })
  const timers = [...(await loadTimers(tx, enrolments)), ...(await loadDateTimers(tx, scope.dated))]
  const intents = await loadIntents(tx, enrolments, scope.intentIds)
  const tasks = await loadTasks(tx, enrolments, scope)
  const entries = await loadEntries(tx, ids, scope.campaignIds)
  const states = new Map<string, MutableState>()
  for (const row of people) states.set(row.person_id, emptyState(personOf(row)))
  for (const row of entities)
    put(states, row, (state) => state.entities, entityKey(entityOf(row)), entityOf(row))
  for (const row of consents)
    put(states, row, (state) => state.consents, consentKey(consentOf(row)), consentOf(row))
  for (const row of relations)
    put(states, row, (state) => state.relations, relationKey(relationOf(row)), relationOf(row))
  for (const row of timers) put(states, row, (state) => state.timers, row.timer_id, timerOf(row))
  for (const row of enrolments)
    put(states, row, (state) => state.enrolments, row.enrolment_id, enrolmentOf(row))
  for (const row of intents)
    put(states, row, (state) => state.intents, row.intent_id, intentOf(row))
  for (const row of tasks) put(states, row, (state) => state.tasks, row.task_id, taskOf(row))
  for (const row of entries)
    states.get(row.person_id)?.entries.set(entryOf(row.campaign_id, row.entry_key), row.entered_at)
  return states
}

function entitiesOfSeveral(
  entities: readonly Selectable<Schema['entity']>[],
  people: readonly string[],
): { type: string; id: string }[] {
  const owned = entities.filter((row) => people.includes(row.person_id))
  const byKey = Map.groupBy(owned, (row) => entityKey(entityOf(row)))
  return [...byKey.values()]
    .filter((rows) => rows.length > 1)
    .flatMap(([row]) => (row ? [entityOf(row)] : []))
}

/**
 * Those to whom these people are related, or to whom messages about them go, by the id that the relation or
 * the message has of them: in one statement, and in
 * none when there are none. Not locked: what a message may do is looked at again when it is sent.
 */
export async function loadOthers(
  tx: Querying,
  states: Iterable<Pick<PersonState, 'relations'> & Partial<Pick<PersonState, 'intents'>>>,
): Promise<Map<string, OtherPerson>> {
  const ids = new Set<string>()
  for (const { relations, intents } of states) {
    for (const { otherId } of relations.values()) ids.add(otherId)
    for (const { recipient } of intents?.values() ?? []) if (recipient) ids.add(recipient.personId)
  }
  if (ids.size === 0) return new Map()
  const { rows } = await sql<OtherPerson & { otherId: string }>`
    select named.other_id as "otherId", p.person_id as "personId", p.time_zone as "timeZone",
      p.persona, p.fields ->> 'preferredChannel' as "preferredChannel", p.deceased_at as "deceasedAt"
    from unnest(${[...ids].sort()}::uuid[]) as named (other_id) cross join lateral (
      select person_id, time_zone, persona, fields, deceased_at from person
      where person_id = survivor_of(named.other_id) offset 0
    ) as p`.execute(tx)
  return new Map(rows.map(({ otherId, ...other }) => [otherId, other]))
}

/** Those of these people who ever entered a campaign; nothing is asked of nobody. */
export async function whoEntered(tx: Querying, personIds: readonly string[]): Promise<Set<string>> {
  if (personIds.length === 0) return new Set()
  const { rows } = await sql<{ person_id: string }>`
    select person_id from unnest(${[...new Set(personIds)]}::uuid[]) as asked (person_id)
    where exists (select from enrolment e where e.person_id = asked.person_id)`.execute(tx)
  return new Set(rows.map((row) => row.person_id))
}

async function selectOf<Table extends 'person' | 'entity' | 'consent' | 'relation'>(
  tx: Querying,
  table: Table,
  personIds: string[],
): Promise<Selectable<Schema[Table]>[]> {
  const { rows } = await sql<Selectable<Schema[Table]>>`
    select * from ${sql.table(table)} where person_id = any(${personIds}::uuid[])`.execute(tx)
  return rows
}

type MutableState = {
  person: Person
  entities: Map<string, Entity>
  consents: Map<string, Consent>
  relations: Map<string, Relation>
  enrolments: Map<string, Enrolment>
  timers: Map<string, Timer>
  intents: Map<string, Intent>
  tasks: Map<string, Task>
  entries: Map<string, string>
}

function emptyState(person: Person): MutableState {
  return {
    person,
    entities: new Map(),
    consents: new Map(),
    relations: new Map(),
    enrolments: new Map(),
    timers: new Map(),
    intents: new Map(),
    tasks: new Map(),
    entries: new Map(),
  }
}

function put<Value>(
  states: Map<string, MutableState>,
  row: { person_id: string },
  mapOf: (state: MutableState) => Map<string, Value>,
  key: string,
  value: Value,
): void {
  const state = states.get(row.person_id)
  if (state) mapOf(state).set(key, value)
}
