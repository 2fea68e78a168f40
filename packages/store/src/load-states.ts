import type {
  Consent,
  Enrolment,
  Entity,
  Intent,
  OtherPerson,
  Person,
  PersonState,
  Relation,
  Task,
  Timer,
} from '@wegwijs/campaign/state'
import { consentKey, entityKey, entryOf, relationKey } from '@wegwijs/campaign/state'
import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { Querying } from './database.ts'
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

/** See `hasOpen` and `exitByTouchpoint` of the core. */
const isAlive = sql`(run.state = 'running' or run.reason in ('entity_withdrawn', 'date_moved') or exists (
  select from intent i where i.person_id = run.person_id and i.enrolment_id = run.enrolment_id
    and i.state in ('planned', 'queued', 'sending', 'held')))`

async function loadEnrolments(
  tx: Querying,
  personIds: string[],
  scope: StateScope,
): Promise<Selectable<Schema['enrolment']>[]> {
  const { wholePeople, mergedPeople, touchedCampaignIds, campaignIds, entities, resumed } = scope
  const { dated, redatedCampaignIds } = scope
  const told = scope.receiptCampaignIds.length > 0 ? scope.intentIds : []
  const { goals } = scope
  const reasons = [
    wholePeople,
    mergedPeople,
    touchedCampaignIds,
    redatedCampaignIds,
    goals,
    entities,
    resumed,
    told,
    scope.taskIds,
  ]
  if (reasons.every((some) => some.length === 0)) return []
  const ofPeople = sql`run.person_id = any(${personIds}::uuid[])`
  const { rows } = await sql<Selectable<Schema['enrolment']>>`
    select * from enrolment run where run.person_id = any(${[...wholePeople]}::uuid[]) and ${isAlive}
    union
    select * from enrolment run where run.person_id = any(${[...mergedPeople]}::uuid[])
      and run.campaign_id = any(${[...campaignIds]}::text[])
    union
    select * from enrolment run where ${ofPeople}
      and run.campaign_id = any(${[...touchedCampaignIds]}::text[]) and ${isAlive}
    union
    select * from enrolment run where run.person_id = any(${[...dated]}::uuid[])
      and run.campaign_id = any(${[...redatedCampaignIds]}::text[])
    union
    select run.* from unnest(${goals.map(({ campaignId }) => campaignId)}::text[],
        ${goals.map(({ enteredSince }) => enteredSince)}::timestamptz[]) as goal (campaign_id, since)
      join enrolment run on run.campaign_id = goal.campaign_id and run.entered_at >= goal.since
      where ${ofPeople} and run.goal_at is null
    union
    select * from enrolment run where ${ofPeople} and (run.entity_type, run.entity_id) in (
      select * from unnest(${entities.map((entity) => entity.type)}::text[],
        ${entities.map((entity) => entity.id)}::text[]))
    union
    select own.* from unnest(${[...told]}::uuid[]) as told (intent_id) cross join lateral (
      select e.* from intent i join enrolment e using (person_id, enrolment_id)
      where i.intent_id = told.intent_id and i.campaign_id = any(${[...scope.receiptCampaignIds]}::text[])
        and (e.state = 'running' or exists (
          -- Of a cascade that has run through the last one may wait still, and is taken back by a late receipt.
          select from intent n where n.person_id = e.person_id and n.enrolment_id = e.enrolment_id
            and n.state in ('planned', 'queued') and n.turn > i.turn)) offset 0
    ) as own
    union
    select own.* from unnest(${[...scope.taskIds]}::uuid[]) as done (task_id) cross join lateral (
      select e.* from task t join enrolment e using (person_id, enrolment_id)
      where t.task_id = done.task_id and e.state = 'running' offset 0
    ) as own
    union
    select own.* from ${runsOf(resumed)} cross join lateral (
      select * from enrolment e
      where e.person_id = run.person_id and e.enrolment_id = run.enrolment_id offset 0
    ) as own`.execute(tx)
  return rows
}

/** The enrolments, as rows of `run (person_id, enrolment_id)`. */
function runsOf(enrolments: readonly EnrolmentKey[]): RawBuilder<unknown> {
  return sql`unnest(${enrolments.map((row) => row.person_id)}::uuid[],
    ${enrolments.map((row) => row.enrolment_id)}::uuid[]) as run (person_id, enrolment_id)`
}

async function loadTimers(
  tx: Querying,
  enrolments: readonly EnrolmentKey[],
): Promise<Selectable<Schema['timer']>[]> {
  if (enrolments.length === 0) return []
  const { rows } = await sql<Selectable<Schema['timer']>>`
    select own.* from ${runsOf(enrolments)} cross join lateral (
      select * from timer t
      where t.person_id = run.person_id and t.enrolment_id = run.enrolment_id offset 0
    ) as own`.execute(tx)
  return rows
}

/** Those without a run; a person has one for each date that is still to come. */
async function loadDateTimers(
  tx: Querying,
  personIds: readonly string[],
): Promise<Selectable<Schema['timer']>[]> {
  if (personIds.length === 0) return []
  const { rows } = await sql<Selectable<Schema['timer']>>`
    select * from timer where person_id = any(${[...personIds]}::uuid[])
      and enrolment_id is null`.execute(tx)
  return rows
}

/**
 * Locks them too, in the order in which everybody does: what is decided to be pending is pending
 * until it is written, and no worker claims in between what a newer version replaces (P3).
 */
async function loadIntents(
  tx: Querying,
  enrolments: readonly EnrolmentKey[],
  intentIds: readonly string[],
): Promise<Selectable<Schema['intent']>[]> {
  if (enrolments.length === 0 && intentIds.length === 0) return []
  const { rows } = await sql<Selectable<Schema['intent']>>`
    select * from intent where intent_id = any(array(
      select own.intent_id from ${runsOf(enrolments)} cross join lateral (
        select intent_id from intent i
        where i.person_id = run.person_id and i.enrolment_id = run.enrolment_id offset 0
      ) as own
    ) || ${[...intentIds]}::uuid[]) order by intent_id for update`.execute(tx)
  return rows
}

/** Of campaigns that give nobody work there is none to be looked for. */
async function loadTasks(
  tx: Querying,
  enrolments: readonly Selectable<Schema['enrolment']>[],
  { taskIds, taskCampaignIds }: StateScope,
): Promise<Selectable<Schema['task']>[]> {
  const own = enrolments.filter((row) => taskCampaignIds.includes(row.campaign_id))
  if (own.length === 0 && taskIds.length === 0) return []
  const { rows } = await sql<Selectable<Schema['task']>>`
    select * from task where task_id = any(array(
      select mine.task_id from ${runsOf(own)} cross join lateral (
        select task_id from task t
        where t.person_id = run.person_id and t.enrolment_id = run.enrolment_id offset 0
      ) as mine
    ) || ${[...taskIds]}::uuid[]) order by task_id for update`.execute(tx)
  return rows
}

type Entry = { person_id: string; campaign_id: string; entry_key: string; entered_at: string }

async function loadEntries(
  tx: Querying,
  personIds: string[],
  campaignIds: readonly string[],
): Promise<Entry[]> {
  if (campaignIds.length === 0) return []
  const { rows } = await sql<Entry>`
    select person_id, campaign_id, entry_key, max(entered_at) as entered_at from enrolment
    where person_id = any(${personIds}::uuid[]) and campaign_id = any(${[...campaignIds]}::text[])
    group by person_id, campaign_id, entry_key`.execute(tx)
  return rows
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
