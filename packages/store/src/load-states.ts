import type {
  Consent,
  Enrolment,
  Entity,
  Intent,
  Person,
  PersonState,
  Timer,
} from '@wegwijs/campaign/state'
import { consentKey, entityKey, entryOf } from '@wegwijs/campaign/state'
import { type Selectable, sql } from 'kysely'
import type { Querying } from './database.ts'
import type { Schema } from './schema.ts'
import { consentOf, enrolmentOf, entityOf, intentOf, personOf, timerOf } from './state-rows.ts'

/** What of a person a batch needs, beside what is running: `person_id`s are implied. */
export type StateScope = {
  /** Entities that the batch speaks of: enrolments that hang on them come along. */
  entities: readonly { type: string; id: string }[]
  /** Messages that receipts of the batch are about. */
  intentIds: readonly string[]
  /** Campaigns that the batch may start: their past entries come along. */
  campaignIds: readonly string[]
}

/** Loads what the core decides on: six statements, whatever the number of people (P8). */
export async function loadStates(
  tx: Querying,
  personIds: readonly string[],
  scope: StateScope,
): Promise<Map<string, PersonState>> {
  const ids = [...personIds]
  const people = await selectOf(tx, 'person', ids)
  const entities = await selectOf(tx, 'entity', ids)
  const consents = await selectOf(tx, 'consent', ids)
  const timers = await selectOf(tx, 'timer', ids)
  const enrolments = await loadEnrolments(tx, ids, scope)
  const intents = await loadIntents(tx, enrolments, scope.intentIds)
  const entries = await loadEntries(tx, ids, scope.campaignIds)
  const states = new Map<string, MutableState>()
  for (const row of people) states.set(row.person_id, emptyState(personOf(row)))
  for (const row of entities)
    put(states, row, (state) => state.entities, entityKey(entityOf(row)), entityOf(row))
  for (const row of consents)
    put(states, row, (state) => state.consents, consentKey(consentOf(row)), consentOf(row))
  for (const row of timers) put(states, row, (state) => state.timers, row.timer_id, timerOf(row))
  for (const row of enrolments)
    put(states, row, (state) => state.enrolments, row.enrolment_id, enrolmentOf(row))
  for (const row of intents)
    put(states, row, (state) => state.intents, row.intent_id, intentOf(row))
  for (const row of entries)
    states.get(row.person_id)?.entries.add(entryOf(row.campaign_id, row.entry_key))
  return states
}

async function loadEnrolments(
  tx: Querying,
  personIds: string[],
  scope: StateScope,
): Promise<Selectable<Schema['enrolment']>[]> {
  const { rows } = await sql<Selectable<Schema['enrolment']>>`
    select * from enrolment where person_id = any(${personIds}::uuid[]) and state = 'running'
    union
    select * from enrolment where (person_id, enrolment_id) in (
      select person_id, enrolment_id from intent
      where person_id = any(${personIds}::uuid[]) and state in ('planned', 'queued'))
    union
    select * from enrolment where person_id = any(${personIds}::uuid[])
      and (entity_type, entity_id) in (
        select * from unnest(${scope.entities.map((entity) => entity.type)}::text[],
          ${scope.entities.map((entity) => entity.id)}::text[]))`.execute(tx)
  return rows
}

/**
 * Locks them too, in the order in which everybody does: what is decided to be pending is pending
 * until it is written, and no worker claims in between what a newer version replaces (P3).
 */
async function loadIntents(
  tx: Querying,
  enrolments: readonly { person_id: string; enrolment_id: string }[],
  intentIds: readonly string[],
): Promise<Selectable<Schema['intent']>[]> {
  const { rows } = await sql<Selectable<Schema['intent']>>`
    select * from intent where intent_id = any(array(
      select own.intent_id
      from unnest(${enrolments.map((row) => row.person_id)}::uuid[],
        ${enrolments.map((row) => row.enrolment_id)}::uuid[]) as run (person_id, enrolment_id)
      cross join lateral (
        select intent_id from intent i
        where i.person_id = run.person_id and i.enrolment_id = run.enrolment_id offset 0
      ) as own
    ) || ${[...intentIds]}::uuid[]) order by intent_id for update`.execute(tx)
  return rows
}

async function loadEntries(
  tx: Querying,
  personIds: string[],
  campaignIds: readonly string[],
): Promise<{ person_id: string; campaign_id: string; entry_key: string }[]> {
  if (campaignIds.length === 0) return []
  const { rows } = await sql<{ person_id: string; campaign_id: string; entry_key: string }>`
    select person_id, campaign_id, entry_key from enrolment
    where person_id = any(${personIds}::uuid[]) and campaign_id = any(${[...campaignIds]}::text[])`.execute(
    tx,
  )
  return rows
}

async function selectOf<Table extends 'person' | 'entity' | 'consent' | 'timer'>(
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
  enrolments: Map<string, Enrolment>
  timers: Map<string, Timer>
  intents: Map<string, Intent>
  entries: Set<string>
}

function emptyState(person: Person): MutableState {
  return {
    person,
    entities: new Map(),
    consents: new Map(),
    enrolments: new Map(),
    timers: new Map(),
    intents: new Map(),
    entries: new Set(),
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
