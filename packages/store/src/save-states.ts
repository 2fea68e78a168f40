import type { Person, PersonState } from '@wegwijs/campaign/state'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { rowsOf, upsertRows } from './rows.ts'
import { saveIntents } from './save-intents.ts'
import type { Schema } from './schema.ts'
import { entityColumns, timerColumns } from './state-rows.ts'
import { send } from './transaction.ts'

/** A person before and after a batch; members that are the same object have not changed. */
export type StateChange = { before: PersonState; after: PersonState }

/**
 * Writes what differs: at most one statement a table, none where nothing changed. They are sent one
 * behind the other, and the commit waits for them (`send`).
 */
export async function saveStates(
  tx: Querying,
  namespace: string,
  changes: readonly StateChange[],
): Promise<void> {
  savePeople(tx, changes)
  void upsertRows(
    tx,
    'entity',
    ['person_id', 'entity_type', 'entity_id'],
    ['person_id', 'entity_type', 'entity_id', 'version', 'state', 'data', 'changed_at', 'said_in'],
    changedOf(changes, (state) => state.entities).map(({ personId, value }) => ({
      person_id: personId,
      entity_type: value.type,
      entity_id: value.id,
      version: value.version,
      state: value.state,
      data: value.data,
      changed_at: value.changedAt,
      said_in: value.saidIn,
    })),
  )
  void upsertRows(
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
  void upsertRows(
    tx,
    'relation',
    ['person_id', 'kind', 'other_id'],
    ['person_id', 'kind', 'other_id', 'state', 'scope', 'expires_at', 'at'],
    changedOf(changes, (state) => state.relations).map(({ personId, value }) => ({
      person_id: personId,
      kind: value.kind,
      other_id: value.otherId,
      state: value.state,
      scope: value.scope,
      expires_at: value.expiresAt,
      at: value.at,
    })),
  )
  saveEnrolments(tx, changes)
  saveTimers(tx, changes)
  saveTasks(tx, changes)
  await saveIntents(tx, namespace, changes)
}

/**
 * A touchpoint is counted, moves its person on their journeys and may give them another persona, and most
 * events are touchpoints: names, addresses and fields are then not written again.
 */
function savePeople(tx: Querying, changes: readonly StateChange[]): void {
  const changed = changes.filter(({ before, after }) => before.person !== after.person)
  const moved = changed.filter(isOnlyMoved)
  const other = changed.filter((change) => !isOnlyMoved(change))
  updatePeople(
    tx,
    ['journeys', 'happened', 'persona'],
    moved.map(({ after: { person } }) => ({
      person_id: person.personId,
      journeys: person.journeys,
      happened: person.happened,
      persona: person.persona,
    })),
  )
  updatePeople(
    tx,
    [
      'fields',
      'contacts',
      'locale',
      'time_zone',
      'persona',
      'assigned_persona',
      'journeys',
      'happened',
      'deceased_at',
      'profile_at',
      'test',
    ],
    other.map(({ after: { person } }) => ({
      person_id: person.personId,
      fields: person.fields,
      contacts: person.contacts,
      locale: person.locale,
      time_zone: person.timeZone,
      persona: person.persona,
      assigned_persona: person.assignedPersona,
      journeys: person.journeys,
      happened: person.happened,
      deceased_at: person.deceasedAt,
      profile_at: person.profileAt,
      test: person.test,
    })),
  )
}

function isOnlyMoved({ before, after }: StateChange): boolean {
  const { journeys, happened, persona } = after.person
  const moved: Person = { ...before.person, journeys, happened, persona }
  return (Object.keys(moved) as (keyof Person)[]).every((key) => moved[key] === after.person[key])
}

function updatePeople<Column extends keyof Schema['person'] & string>(
  tx: Querying,
  columns: readonly Column[],
  rows: readonly ({ person_id: string } & { [Name in Column]: unknown })[],
): void {
  if (rows.length === 0) return
  const given = rowsOf('person', ['person_id', ...columns], rows)
  const values = columns.map((column) => sql`${sql.ref(column)} = ${sql.ref(`r.${column}`)}`)
  void send(
    tx,
    sql`update person set ${sql.join(values)} from (${given}) as r
    where person.person_id = r.person_id
      and person.person_id = any(${rows.map((row) => row.person_id)}::uuid[])`,
  )
}

function saveEnrolments(tx: Querying, changes: readonly StateChange[]): void {
  void upsertRows(
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
      'goal_at',
      'entity_type',
      'entity_id',
      'entity_version',
      'trigger',
      'arms',
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
      goal_at: value.goalAt,
      ...entityColumns(value.entity),
      trigger: {
        ...value.trigger,
        traceparent: value.traceparent,
        ...(value.dividedAs !== undefined && { dividedAs: value.dividedAs }),
        ...(value.unplanned && { unplanned: value.unplanned }),
      },
      arms: value.arms ?? null,
    })),
  )
}

function saveTimers(tx: Querying, changes: readonly StateChange[]): void {
  const gone = changes.flatMap(({ before, after }) =>
    [...before.timers.keys()]
      .filter((id) => !after.timers.has(id))
      .map((id) => ({ person_id: before.person.personId, timer_id: id })),
  )
  if (gone.length > 0) {
    void send(
      tx,
      sql`delete from timer where person_id = any(${gone.map((row) => row.person_id)}::uuid[])
      and timer_id = any(${gone.map((row) => row.timer_id)}::uuid[])`,
    )
  }
  void upsertRows(
    tx,
    'timer',
    ['person_id', 'timer_id'],
    [
      'person_id',
      'timer_id',
      'enrolment_id',
      'step',
      'campaign_id',
      'entity_type',
      'entity_id',
      'began_at',
      'due_at',
    ],
    changedOf(changes, (state) => state.timers).map(({ personId, value }) => ({
      person_id: personId,
      ...timerColumns(value),
    })),
  )
}

/** What staff said of one stays beside what was decided of it. */
function saveTasks(tx: Querying, changes: readonly StateChange[]): void {
  void upsertRows(
    tx,
    'task',
    ['task_id'],
    [
      'person_id',
      'task_id',
      'enrolment_id',
      'campaign_id',
      'version',
      'step',
      'name',
      'team',
      'title',
      'outcomes',
      'state',
      'outcome',
      'reason',
      'entity_type',
      'entity_id',
      'entity_version',
      'made_at',
      'due_at',
    ],
    changedOf(changes, (state) => state.tasks).map(({ personId, value }) => ({
      person_id: personId,
      task_id: value.taskId,
      enrolment_id: value.enrolmentId,
      campaign_id: value.campaignId,
      version: value.version,
      step: value.step,
      name: value.name,
      team: value.team,
      title: value.title,
      outcomes: value.outcomes,
      state: value.state,
      outcome: value.outcome,
      reason: value.reason,
      ...entityColumns(value.entity),
      made_at: value.madeAt,
      due_at: value.dueAt,
    })),
  )
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
