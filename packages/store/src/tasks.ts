import { ownSource } from '@wegwijs/campaign/event-check'
import type { ReasonCode } from '@wegwijs/campaign/reasons'
import type { Task } from '@wegwijs/campaign/state'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { signEvent } from '@wegwijs/wire/signature'
import { topicsOf } from '@wegwijs/wire/topics'
import { type RawBuilder, sql } from 'kysely'
import { ageRulesInForce } from './age-rules.ts'
import type { Querying, Store } from './database.ts'
import { consentFacts, firstStopOf } from './last-check.ts'
import { appendOutbox } from './outbox.ts'
import { type AgeRules, whoByAge } from './recipients.ts'
import { isInEachLanguage, isOutcomes, stored } from './stored-shapes.ts'
import { inTransaction } from './transaction.ts'
import { wake } from './wake.ts'

/** A task as those who do it see it. Whom it is for they look up by the id (P7). */
export type ListedTask = Pick<Task, 'taskId' | 'name' | 'team' | 'state'> & {
  /** Null when it cannot be read as it is stored. */
  title: Task['title'] | null
  outcomes: Task['outcomes'] | null
  personId: string
  campaignId: string
  dueAt: string
  /** What came of it, or what somebody has said that is not decided yet. */
  outcome: string | null
  reason: string | null
  /** Who said so, and when; null while nobody has. */
  saidBy: string | null
  saidAt: string | null
  /** Why an open one is not to be done now, or was not decided to be taken back yet; null: nothing is in its way. */
  held: HeldReason | null
}

export type HeldReason = ReasonCode &
  (
    | 'person_unknown'
    | 'person_deceased'
    | 'person_stopped'
    | 'recipient_by_age'
    | 'consent_withdrawn'
    | 'consent_missing'
    | 'entity_unapplied'
    | 'sending_stopped'
    | 'campaign_stopped'
  )

/**
 * What is in the way of an open task `t` at this moment: a call is a contact, so what the last check asks of a
 * message is asked of it, as far as that is not a matter of channels (P3). Its class is that of its version, and
 * whether that needs a consent, and from which age on people are called for it, is said by what is in force: a class
 * that cannot be read needs it, and rules of age that cannot (null) leave out everybody whose age is known. Twin of
 * packages/campaign/src/task-contact.ts.
 */
function heldBy(rules: AgeRules | null): RawBuilder<unknown> {
  return sql`
  select case
    when p.person_id is null then 'person_unknown'
    when p.deceased_at is not null or stop.kind = 'death' then 'person_deceased'
    when stop.kind = 'staff' then 'person_stopped'
    when i.needs_consent and ${isLeftOut(rules)} then 'recipient_by_age'
    when c.withdrawn_everywhere or stop.kind = 'consent' then 'consent_withdrawn'
    when i.needs_consent and not c.granted_somewhere then 'consent_missing'
    when e.unapplied_version > e.version then 'entity_unapplied'
    when exists (select from operational_stop s where s.scope = 'all'
      and not exists (select from stop_lift l where l.stop_id = s.stop_id)) then 'sending_stopped'
    when exists (select from operational_stop s where s.scope = 'campaign'
      and s.target = t.campaign_id
      and not exists (select from stop_lift l where l.stop_id = s.stop_id)) then 'campaign_stopped'
  end as held
  from (
    select v.class, array[]::text[] as channels, 0 as channel_index,
      (select bundle #> '{policies,classes}' from definition order by revision desc limit 1)
        #>> array[v.class, 'consent'] is distinct from 'implied' as needs_consent
    from (values (1)) as one left join (
      select content ->> 'class' as class from campaign_version
      where campaign_id = t.campaign_id and version = t.version) as v on true
  ) as i
  cross join lateral (select t.person_id as receiver_id) as w
  left join person p on p.person_id = t.person_id
  left join entity e on e.person_id = t.person_id and e.entity_type = t.entity_type
    and e.entity_id = t.entity_id
  left join lateral (${consentFacts}) as c on true
  left join lateral (${firstStopOf(sql`t.person_id`)}) as stop on true
  where t.state = 'open' offset 0`
}

/** Whether the person `p` is not written to themselves at the age at which the task `t` is due. */
function isLeftOut(rules: AgeRules | null): RawBuilder<unknown> {
  return rules
    ? sql`not 'person' = any(${whoByAge(rules, sql`t.due_at`)})`
    : sql`jsonb_typeof(p.fields -> 'birthYear') = 'number'`
}

/**
 * What is due first, first. `state` null: whatever became of them. Those that are open are those that may be done:
 * what is in the way of the others (`held`) is told among all of them.
 */
export async function listTasks(
  db: Querying,
  { team, state, limit }: { team: string | null; state: Task['state'] | null; limit: number },
): Promise<ListedTask[]> {
  const rules = await ageRulesInForce(db)
  const { rows } = await sql<ListedTask>`
    select t.task_id as "taskId", t.person_id as "personId", t.campaign_id as "campaignId", t.name,
      t.team, t.title, t.outcomes, t.state, t.due_at as "dueAt",
      coalesce(t.outcome, t.said_outcome) as outcome, t.reason, t.said_by as "saidBy",
      t.said_at as "saidAt", hold.held
    from task t left join lateral (${heldBy(rules)}) as hold on true
    where (${team}::text is null or t.team = ${team}) and (${state}::text is null or t.state = ${state})
      and (${state}::text is distinct from 'open' or (t.said_by is null and hold.held is null))
    order by t.due_at, t.task_id limit ${limit}`.execute(db)
  return rows.map((task) => ({
    ...task,
    title: isInEachLanguage(task.title) ? task.title : null,
    outcomes: isOutcomes(task.outcomes) ? task.outcomes : null,
  }))
}

/** A task of which nobody has said anything yet, and until when its run waits for that. */
export type OpenTask = Pick<Task, 'taskId' | 'outcomes' | 'dueAt'> & { until: string }

/** Those that somebody waits for and that may be done, if they can be read; for whoever plays the teams in a rehearsal. */
export async function openTasks(db: Querying): Promise<OpenTask[]> {
  const rules = await ageRulesInForce(db)
  const { rows } = await sql<OpenTask>`
    select t.task_id as "taskId", t.outcomes, t.due_at as "dueAt", timer.due_at as until
    from task t join timer on timer.person_id = t.person_id
      and timer.enrolment_id = t.enrolment_id and timer.step = t.step
    left join lateral (${heldBy(rules)}) as hold on true
    where t.state = 'open' and t.said_by is null and hold.held is null`.execute(db)
  return rows.filter(({ outcomes }) => isOutcomes(outcomes))
}

/** What became of a word about a task. */
export type TaskAnswer =
  | { refusal: TaskRefusal }
  /** Written down. `takenBack`: why the task had been taken back before, so that nothing follows; null: it counts. */
  | { refusal: null; takenBack: string | null }

/** Why nothing was written down. */
export type TaskRefusal =
  | { why: 'unknown' }
  /** Somebody has said what came of it; `by` is who. */
  | { why: 'said'; by: string; outcome: string }
  /** Nobody is to be called; what came of an earlier call can be said when that is over. */
  | { why: 'held'; reason: HeldReason }
  | { why: 'outcome'; outcomes: readonly string[] }

/**
 * Writes down what came of a task, and who says so; the first word counts. What follows is decided when
 * its event has come in, or when the task would be taken back before that: the event goes out with this
 * transaction, and names nobody (P7). Of a task that was taken back it is written down all the same, since somebody
 * may have called before that; nothing follows. Refused while something is in the way of an open task, which a stop
 * that was committed before is: nothing is to follow from a call that was not to be made (P3).
 *
 * @throws WEGWIJS_STORED_ROW_UNREADABLE when nobody can tell which outcomes it has
 */
export async function sayTaskDone(
  store: Store,
  { taskId, outcome, by }: { taskId: string; outcome: string; by: string },
  secret: string,
): Promise<TaskAnswer> {
  const answer = await inTransaction(store.db, async (tx): Promise<TaskAnswer> => {
    const { rows } = await sql<Said>`
      select person_id as "personId", state, reason, outcomes, said_by as "saidBy",
        said_outcome as "saidOutcome", business_now() as now
      from task where task_id = ${taskId}::uuid for update`.execute(tx)
    const [task] = rows
    if (task) stored(isOutcomes, task.outcomes, 'task.outcomes', taskId)
    const refusal = refusalOf(task, outcome)
    if (refusal || !task) return { refusal: refusal ?? { why: 'unknown' } }
    // With the row locked: what was committed meanwhile is seen.
    const rules = await ageRulesInForce(tx)
    const held = await sql<{ held: HeldReason | null }>`
      select hold.held from task t cross join lateral (${heldBy(rules)}) as hold
      where t.task_id = ${taskId}::uuid`.execute(tx)
    const reason = held.rows[0]?.held ?? null
    if (reason !== null) return { refusal: { why: 'held', reason } }
    const { personId, now } = task
    await sql`update task set said_outcome = ${outcome}, said_by = ${by}, said_at = ${now}
      where task_id = ${taskId}::uuid`.execute(tx)
    const event = signEvent(
      {
        id: `${taskId}-${outcome}`,
        source: `${ownSource}:tasks`,
        type: 'task.done.v1',
        subject: personId,
        time: now,
        data: { taskId, outcome },
      },
      secret,
    )
    void appendOutbox(tx, [
      { topic: topicsOf(store.namespace).touchpoints, ...encodeRecord(event) },
    ])
    return { refusal: null, takenBack: task.state === 'withdrawn' ? task.reason : null }
  })
  if (answer.refusal === null)
    await wake(store.db, store.namespace, ['outbox']).catch(() => undefined)
  return answer
}

type Said = {
  personId: string
  state: Task['state']
  reason: string | null
  outcomes: Task['outcomes']
  saidBy: string | null
  saidOutcome: string | null
  now: string
}

function refusalOf(task: Said | undefined, outcome: string): TaskRefusal | null {
  if (!task) return { why: 'unknown' }
  if (task.saidBy !== null) return { why: 'said', by: task.saidBy, outcome: task.saidOutcome ?? '' }
  const outcomes = task.outcomes.map((each) => each.outcome)
  return outcomes.includes(outcome) ? null : { why: 'outcome', outcomes }
}
