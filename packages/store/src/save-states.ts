import type { Intent, Person, PersonState } from '@wegwijs/campaign/state'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { appendOutbox } from './outbox.ts'
import { isTold, type MessageOutcome, outcomeRecords } from './outcome-events.ts'
import { insertRows, rowsOf, upsertRows } from './rows.ts'
import type { IntentState, Schema } from './schema.ts'
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

async function saveIntents(
  tx: Querying,
  namespace: string,
  changes: readonly StateChange[],
): Promise<void> {
  const changed = changes.flatMap(({ before, after }) =>
    [...after.intents.values()]
      .filter((intent) => before.intents.get(intent.intentId) !== intent)
      .map((intent) => ({
        personId: after.person.personId,
        intent,
        isNew: !before.intents.has(intent.intentId),
      })),
  )
  insertIntents(
    tx,
    changed.filter((each) => each.isNew),
  )
  const known = changed.filter((each) => !each.isNew).map((each) => each.intent)
  keepAnswers(
    tx,
    known.filter((intent) => intent.answer !== null),
  )
  const moved = await moveIntents(tx, known)
  reseatIntents(tx, changes)
  void appendOutbox(tx, outcomeRecords(namespace, moved))
}

/** In the version to which somebody was moved the step of a message may stand elsewhere. */
function reseatIntents(tx: Querying, changes: readonly StateChange[]): void {
  const reseated = changes.flatMap(({ before, after }) =>
    [...after.intents.values()].filter(({ intentId, step }) => {
      const known = before.intents.get(intentId)
      return known !== undefined && known.step !== step
    }),
  )
  if (reseated.length === 0) return
  void send(
    tx,
    sql`update intent set step = seat.step
      from unnest(${reseated.map(({ intentId }) => intentId)}::uuid[],
        ${reseated.map(({ step }) => step)}::text[]) as seat (intent_id, step)
      where intent.intent_id = seat.intent_id`,
  )
}

function insertIntents(
  tx: Querying,
  planned: readonly { personId: string; intent: Intent }[],
): void {
  void insertRows(
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
      'question',
      'channels',
      'state',
      'reason',
      'entity_type',
      'entity_id',
      'entity_version',
      'instead_of',
      'turn',
      'part_of',
      'recipient_id',
      'recipient_as',
      'recipient_scope',
      'by_age',
      'sending_window',
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
      question: intent.question,
      channels: intent.channels,
      state: intent.state,
      reason: intent.reason,
      ...entityColumns(intent.entity),
      instead_of: intent.insteadOf,
      turn: intent.turn ?? 0,
      part_of: intent.partOf ?? null,
      recipient_id: intent.recipient?.personId ?? null,
      recipient_as: intent.recipient?.kind ?? null,
      recipient_scope: intent.recipient?.scope ?? null,
      by_age: intent.byAge ?? false,
      sending_window: intent.window ?? null,
      planned_at: intent.plannedAt,
      planned_for: intent.dueAt,
      due_at: intent.dueAt,
      expires_at: intent.expiresAt,
      traceparent: intent.traceparent,
    })),
  )
}

/** The first that is written stays. */
function keepAnswers(tx: Querying, answered: readonly Intent[]): void {
  if (answered.length === 0) return
  const rows = answered.map((intent) => ({ intent_id: intent.intentId, answer: intent.answer }))
  void send(
    tx,
    sql`update intent set answer = given.answer, touched_at = clock_timestamp()
    from (${rowsOf('intent', ['intent_id', 'answer'], rows)}) as given
    where intent.intent_id = given.intent_id
      and intent.intent_id = any(${rows.map((row) => row.intent_id)}::uuid[])
      and intent.answer is null`,
  )
}

/**
 * Withdraws messages and notes what receipts say. Guarded by the state in the table, not by the one
 * that was loaded: what a worker has claimed since can no longer be withdrawn, and a receipt only
 * ever moves a message up. Returns those that moved. Rows are locked in the order in which everybody locks them.
 */
async function moveIntents(tx: Querying, intents: readonly Intent[]): Promise<MessageOutcome[]> {
  if (intents.length === 0) return []
  const rows = intents.map((intent) => ({
    intent_id: intent.intentId,
    state: intent.state,
    reason: intent.reason,
  }))
  const ids = sql`${rows.map((row) => row.intent_id)}::uuid[]`
  const moved = await sql<Omit<MessageOutcome, 'state'> & { state: IntentState }>`
    with wanted as (${rowsOf('intent', ['intent_id', 'state', 'reason'], rows)}),
    locked as (
      select intent_id from intent where intent_id = any(${ids})
      order by intent_id for update
    )
    update intent set state = wanted.state, reason = wanted.reason,
      settled_at = business_now(), touched_at = clock_timestamp()
    from wanted join locked using (intent_id)
    where intent.intent_id = wanted.intent_id and intent.intent_id = any(${ids}) and (
      (wanted.state = 'cancelled' and intent.state in ('planned', 'queued'))
      or (wanted.state = 'delivered' and intent.state <> all('{delivered, bounced}'))
      or (wanted.state = 'bounced' and intent.state <> 'bounced')
    )
    returning intent.intent_id as "intentId", intent.person_id as "personId",
      intent.campaign_id as "campaignId", intent.version, intent.message_id as "messageId",
      intent.channels[intent.channel_index + 1] as channel, intent.provider, intent.state,
      intent.reason, intent.fence, intent.settled_at as at`.execute(tx)
  return moved.rows.flatMap(({ state, ...outcome }) =>
    isTold(state) ? [{ ...outcome, state }] : [],
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
