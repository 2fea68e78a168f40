import type {
  Consent,
  Contact,
  ContactKind,
  Enrolment,
  Entity,
  EntityReference,
  Intent,
  Person,
  PersonState,
  Timer,
} from '@wegwijs/campaign/state'
import { consentKey, entityKey, entryOf } from '@wegwijs/campaign/state'
import { type Selectable, sql } from 'kysely'
import type { Querying } from './database.ts'
import { insertRows, rowsOf, upsertRows } from './rows.ts'
import type { Schema } from './schema.ts'

/** What of a person a batch needs, beside what is running: `person_id`s are implied. */
export type StateScope = {
  /** Entities that the batch speaks of: enrolments that hang on them come along. */
  entities: readonly { type: string; id: string }[]
  /** Messages that receipts of the batch are about. */
  intentIds: readonly string[]
  /** Campaigns that the batch may start: their past entries come along. */
  campaignIds: readonly string[]
}

/**
 * Locks these people in the order of their ids until the transaction ends: from here on nobody else
 * changes their journeys (P6). Returns, for each, who they were merged into.
 */
export async function lockPeople(
  tx: Querying,
  personIds: readonly string[],
): Promise<Map<string, string | null>> {
  const rows = await tx
    .selectFrom('person')
    .select(['person_id', 'merged_into'])
    .where('person_id', '=', sql<string>`any(${[...personIds]}::uuid[])`)
    .orderBy('person_id')
    .forNoKeyUpdate()
    .execute()
  return new Map(rows.map((row) => [row.person_id, row.merged_into]))
}

/**
 * Locks up to `limit` people whose timers are due and whom nobody else holds, in the order in which
 * they are due, and returns their ids.
 */
export async function lockPeopleWithDueTimers(tx: Querying, limit: number): Promise<string[]> {
  const { rows } = await sql<{ person_id: string }>`
    select person_id from person
    where person_id in (
      select person_id from (
        select person_id, due_at from timer where due_at <= due_now() order by due_at limit ${limit}
      ) as due
    )
    order by person_id
    for no key update skip locked`.execute(tx)
  return rows.map((row) => row.person_id)
}

/** Puts off the due timers of a locked person by an hour of business time. */
export async function postponeTimers(tx: Querying, personId: string): Promise<void> {
  await sql`update timer set due_at = business_now() + interval '1 hour'
    where person_id = ${personId} and due_at <= business_now()`.execute(tx)
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
  const intents = await loadIntents(
    tx,
    enrolments.map((row) => row.enrolment_id),
    scope.intentIds,
  )
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

/** A person before and after a batch; members that are the same object have not changed. */
export type StateChange = { before: PersonState; after: PersonState }

/** Writes what differs: at most one statement a table, none where nothing changed. */
export async function saveStates(tx: Querying, changes: readonly StateChange[]): Promise<void> {
  await savePeople(tx, changes)
  await upsertRows(
    tx,
    'entity',
    ['person_id', 'entity_type', 'entity_id'],
    ['person_id', 'entity_type', 'entity_id', 'version', 'state', 'data', 'changed_at'],
    changedOf(changes, (state) => state.entities).map(({ personId, value }) => ({
      person_id: personId,
      entity_type: value.type,
      entity_id: value.id,
      version: value.version,
      state: value.state,
      data: value.data,
      changed_at: value.changedAt,
    })),
  )
  await upsertRows(
    tx,
    'consent',
    ['person_id', 'purpose', 'channel'],
    ['person_id', 'purpose', 'channel', 'state', 'origin', 'at', 'proof'],
    changedOf(changes, (state) => state.consents).map(({ personId, value }) => ({
      person_id: personId,
      purpose: value.purpose,
      channel: value.channel ?? '',
      state: value.state,
      origin: value.origin,
      at: value.at,
      proof: value.proof,
    })),
  )
  await saveEnrolments(tx, changes)
  await saveTimers(tx, changes)
  await saveIntents(tx, changes)
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

async function loadIntents(
  tx: Querying,
  enrolmentIds: string[],
  intentIds: readonly string[],
): Promise<Selectable<Schema['intent']>[]> {
  const { rows } = await sql<Selectable<Schema['intent']>>`
    select * from intent where enrolment_id = any(${enrolmentIds}::uuid[])
    union
    select * from intent where intent_id = any(${[...intentIds]}::uuid[])`.execute(tx)
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

async function savePeople(tx: Querying, changes: readonly StateChange[]): Promise<void> {
  const rows = changes
    .filter(({ before, after }) => before.person !== after.person)
    .map(({ after: { person } }) => ({
      person_id: person.personId,
      fields: person.fields,
      contacts: person.contacts,
      locale: person.locale,
      time_zone: person.timeZone,
      persona: person.persona,
      assigned_persona: person.assignedPersona,
      journeys: person.journeys,
      deceased_at: person.deceasedAt,
      profile_at: person.profileAt,
      test: person.test,
    }))
  if (rows.length === 0) return
  const columns = [
    'person_id',
    'fields',
    'contacts',
    'locale',
    'time_zone',
    'persona',
    'assigned_persona',
    'journeys',
    'deceased_at',
    'profile_at',
    'test',
  ] as const
  await sql`update person set fields = r.fields, contacts = r.contacts, locale = r.locale,
      time_zone = r.time_zone, persona = r.persona, assigned_persona = r.assigned_persona,
      journeys = r.journeys, deceased_at = r.deceased_at, profile_at = r.profile_at, test = r.test
    from (${rowsOf('person', columns, rows)}) as r where person.person_id = r.person_id`.execute(tx)
}

async function saveEnrolments(tx: Querying, changes: readonly StateChange[]): Promise<void> {
  await upsertRows(
    tx,
    'enrolment',
    ['person_id', 'enrolment_id'],
    [
      'person_id',
      'enrolment_id',
      'campaign_id',
      'version',
      'entry_key',
      'state',
      'reason',
      'step',
      'entered_at',
      'ended_at',
      'entity_type',
      'entity_id',
      'entity_version',
      'trigger',
    ],
    changedOf(changes, (state) => state.enrolments).map(({ personId, value }) => ({
      person_id: personId,
      enrolment_id: value.enrolmentId,
      campaign_id: value.campaignId,
      version: value.version,
      entry_key: value.entryKey,
      state: value.state,
      reason: value.reason,
      step: value.step,
      entered_at: value.enteredAt,
      ended_at: value.endedAt,
      ...entityColumns(value.entity),
      trigger: { ...value.trigger, traceparent: value.traceparent },
    })),
  )
}

async function saveTimers(tx: Querying, changes: readonly StateChange[]): Promise<void> {
  const gone = changes.flatMap(({ before, after }) =>
    [...before.timers.keys()]
      .filter((id) => !after.timers.has(id))
      .map((id) => ({ person_id: before.person.personId, timer_id: id })),
  )
  if (gone.length > 0) {
    await sql`delete from timer where (person_id, timer_id) in (
      ${rowsOf('timer', ['person_id', 'timer_id'], gone)})`.execute(tx)
  }
  await upsertRows(
    tx,
    'timer',
    ['person_id', 'timer_id'],
    ['person_id', 'timer_id', 'enrolment_id', 'step', 'due_at'],
    changedOf(changes, (state) => state.timers).map(({ personId, value }) => ({
      person_id: personId,
      timer_id: value.timerId,
      enrolment_id: value.enrolmentId,
      step: value.step,
      due_at: value.dueAt,
    })),
  )
}

async function saveIntents(tx: Querying, changes: readonly StateChange[]): Promise<void> {
  const changed = changes.flatMap(({ before, after }) =>
    [...after.intents.values()]
      .filter((intent) => before.intents.get(intent.intentId) !== intent)
      .map((intent) => ({
        personId: after.person.personId,
        intent,
        isNew: !before.intents.has(intent.intentId),
      })),
  )
  await insertIntents(
    tx,
    changed.filter((each) => each.isNew),
  )
  await moveIntents(
    tx,
    changed.filter((each) => !each.isNew).map((each) => each.intent),
  )
}

async function insertIntents(
  tx: Querying,
  planned: readonly { personId: string; intent: Intent }[],
): Promise<void> {
  await insertRows(
    tx,
    'intent',
    [
      'person_id',
      'intent_id',
      'enrolment_id',
      'campaign_id',
      'version',
      'message_id',
      'step',
      'class',
      'lane',
      'unknown_outcome',
      'template_id',
      'template_hash',
      'channels',
      'state',
      'reason',
      'entity_type',
      'entity_id',
      'entity_version',
      'planned_at',
      'planned_for',
      'due_at',
      'expires_at',
      'traceparent',
    ],
    planned.map(({ personId, intent }) => ({
      person_id: personId,
      intent_id: intent.intentId,
      enrolment_id: intent.enrolmentId,
      campaign_id: intent.campaignId,
      version: intent.version,
      message_id: intent.messageId,
      step: intent.step,
      class: intent.class,
      lane: intent.lane,
      unknown_outcome: intent.unknownOutcome,
      template_id: intent.templateId,
      template_hash: intent.templateHash,
      channels: intent.channels,
      state: intent.state,
      reason: intent.reason,
      ...entityColumns(intent.entity),
      planned_at: intent.plannedAt,
      planned_for: intent.dueAt,
      due_at: intent.dueAt,
      expires_at: intent.expiresAt,
      traceparent: intent.traceparent,
    })),
  )
}

/**
 * Withdraws messages and notes what receipts say. Guarded by the state in the table, not by the one
 * that was loaded: what a worker has claimed since can no longer be withdrawn, and a receipt only
 * ever moves a message up. Rows are locked in the order in which everybody locks them.
 */
async function moveIntents(tx: Querying, intents: readonly Intent[]): Promise<void> {
  if (intents.length === 0) return
  const rows = intents.map((intent) => ({
    intent_id: intent.intentId,
    state: intent.state,
    reason: intent.reason,
  }))
  await sql`
    with wanted as (${rowsOf('intent', ['intent_id', 'state', 'reason'], rows)}),
    locked as (
      select intent_id from intent where intent_id in (select intent_id from wanted)
      order by intent_id for update
    )
    update intent set state = wanted.state, reason = wanted.reason,
      settled_at = business_now(), touched_at = clock_timestamp()
    from wanted join locked using (intent_id)
    where intent.intent_id = wanted.intent_id and (
      (wanted.state = 'cancelled' and intent.state in ('planned', 'queued'))
      or (wanted.state = 'delivered' and intent.state in ('planned', 'queued', 'sending', 'held', 'sent'))
      or (wanted.state = 'bounced' and intent.state in ('planned', 'queued', 'sending', 'held', 'sent', 'delivered'))
    )`.execute(tx)
}

/** Members whose object is another one than before, or is new. */
function changedOf<Value>(
  changes: readonly StateChange[],
  mapOf: (state: PersonState) => ReadonlyMap<string, Value>,
): { personId: string; value: Value }[] {
  return changes.flatMap(({ before, after }) => {
    const known = mapOf(before)
    return [...mapOf(after)]
      .filter(([key, value]) => known.get(key) !== value)
      .map(([, value]) => ({ personId: after.person.personId, value }))
  })
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

function personOf(row: Selectable<Schema['person']>): Person {
  return {
    personId: row.person_id,
    fields: row.fields as Person['fields'],
    contacts: row.contacts as Partial<Record<ContactKind, Contact>>,
    locale: row.locale,
    timeZone: row.time_zone,
    persona: row.persona,
    assignedPersona: row.assigned_persona,
    journeys: row.journeys as Person['journeys'],
    deceasedAt: row.deceased_at,
    profileAt: row.profile_at,
    test: row.test,
  }
}

function entityOf(row: Selectable<Schema['entity']>): Entity {
  return {
    type: row.entity_type,
    id: row.entity_id,
    version: row.version,
    state: row.state,
    data: row.data as Entity['data'],
    changedAt: row.changed_at,
  }
}

function consentOf(row: Selectable<Schema['consent']>): Consent {
  return {
    purpose: row.purpose as Consent['purpose'],
    channel: row.channel === '' ? null : (row.channel as Consent['channel']),
    state: row.state,
    origin: row.origin,
    at: row.at,
    proof: row.proof,
  }
}

function timerOf(row: Selectable<Schema['timer']>): Timer {
  return { timerId: row.timer_id, enrolmentId: row.enrolment_id, step: row.step, dueAt: row.due_at }
}

function enrolmentOf(row: Selectable<Schema['enrolment']>): Enrolment {
  const { traceparent, ...trigger } = row.trigger as Enrolment['trigger'] & {
    traceparent: string | null
  }
  return {
    enrolmentId: row.enrolment_id,
    campaignId: row.campaign_id,
    version: row.version,
    entryKey: row.entry_key,
    state: row.state,
    reason: row.reason,
    step: row.step,
    enteredAt: row.entered_at,
    endedAt: row.ended_at,
    entity: referenceOf(row),
    trigger,
    traceparent: traceparent ?? null,
  }
}

function intentOf(row: Selectable<Schema['intent']>): Intent {
  return {
    intentId: row.intent_id,
    enrolmentId: row.enrolment_id,
    campaignId: row.campaign_id,
    version: row.version,
    messageId: row.message_id,
    step: row.step,
    class: row.class as Intent['class'],
    lane: row.lane as Intent['lane'],
    unknownOutcome: row.unknown_outcome as Intent['unknownOutcome'],
    templateId: row.template_id,
    templateHash: row.template_hash,
    channels: row.channels as Intent['channels'],
    state: row.state,
    reason: row.reason,
    entity: referenceOf(row),
    plannedAt: row.planned_at,
    dueAt: row.due_at,
    expiresAt: row.expires_at,
    traceparent: row.traceparent,
  }
}

type EntityColumns = {
  entity_type: string | null
  entity_id: string | null
  entity_version: number | null
}

function referenceOf(row: EntityColumns): EntityReference | null {
  const { entity_type: type, entity_id: id, entity_version: version } = row
  return type !== null && id !== null && version !== null ? { type, id, version } : null
}

function entityColumns(entity: EntityReference | null): EntityColumns {
  return {
    entity_type: entity?.type ?? null,
    entity_id: entity?.id ?? null,
    entity_version: entity?.version ?? null,
  }
}
