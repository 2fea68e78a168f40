import { ownSource } from '@wegwijs/campaign/event-check'
import type { Task } from '@wegwijs/campaign/state'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { signEvent } from '@wegwijs/wire/signature'
import { topicsOf } from '@wegwijs/wire/topics'
import { sql } from 'kysely'
import type { Querying, Store } from './database.ts'
import { appendOutbox } from './outbox.ts'
import { inTransaction } from './transaction.ts'
import { wake } from './wake.ts'

/** A task as those who do it see it. Whom it is for they look up by the id (P7). */
export type ListedTask = Pick<Task, 'taskId' | 'name' | 'team' | 'title' | 'outcomes' | 'state'> & {
  personId: string
  campaignId: string
  dueAt: string
  /** What came of it, or what somebody has said that is not decided yet. */
  outcome: string | null
  reason: string | null
  /** Who said so, and when; null while nobody has. */
  saidBy: string | null
  saidAt: string | null
}

/** What is due first, first. `state` null: whatever became of them. */
export async function listTasks(
  db: Querying,
  { team, state, limit }: { team: string | null; state: Task['state'] | null; limit: number },
): Promise<ListedTask[]> {
  const { rows } = await sql<ListedTask>`
    select task_id as "taskId", person_id as "personId", campaign_id as "campaignId", name, team,
      title, outcomes, state, due_at as "dueAt", coalesce(outcome, said_outcome) as outcome, reason,
      said_by as "saidBy", said_at as "saidAt"
    from task
    where (${team}::text is null or team = ${team}) and (${state}::text is null or state = ${state})
      and (${state}::text is distinct from 'open' or said_by is null)
    order by due_at, task_id limit ${limit}`.execute(db)
  return rows
}

/** A task of which nobody has said anything yet, and until when its run waits for that. */
export type OpenTask = Pick<Task, 'taskId' | 'outcomes' | 'dueAt'> & { until: string }

/** Those that somebody waits for; for whoever plays the teams in a rehearsal. */
export async function openTasks(db: Querying): Promise<OpenTask[]> {
  const { rows } = await sql<OpenTask>`
    select task.task_id as "taskId", task.outcomes, task.due_at as "dueAt", timer.due_at as until
    from task join timer on timer.person_id = task.person_id
      and timer.enrolment_id = task.enrolment_id and timer.step = task.step
    where task.state = 'open' and task.said_by is null`.execute(db)
  return rows
}

/** Why nothing was said of a task. */
export type TaskRefusal =
  | { why: 'unknown' }
  /** Somebody has said what came of it; `by` is who. */
  | { why: 'said'; by: string; outcome: string }
  | { why: 'closed'; state: string; reason: string | null }
  | { why: 'outcome'; outcomes: readonly string[] }

/**
 * Writes down what came of a task, and who says so; the first word counts. What follows is decided when
 * its event has come in: it goes out with this transaction, and names nobody (P7).
 */
export async function sayTaskDone(
  store: Store,
  { taskId, outcome, by }: { taskId: string; outcome: string; by: string },
  secret: string,
): Promise<TaskRefusal | null> {
  const refusal = await inTransaction(store.db, async (tx): Promise<TaskRefusal | null> => {
    const { rows } = await sql<Said>`
      select person_id as "personId", state, reason, outcomes, said_by as "saidBy",
        said_outcome as "saidOutcome", business_now() as now
      from task where task_id = ${taskId}::uuid for update`.execute(tx)
    const refused = refusalOf(rows[0], outcome)
    if (refused || !rows[0]) return refused
    const { personId, now } = rows[0]
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
    return null
  })
  if (refusal === null) await wake(store.db, store.namespace, ['outbox']).catch(() => undefined)
  return refusal
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
  if (task.state !== 'open') return { why: 'closed', state: task.state, reason: task.reason }
  const outcomes = task.outcomes.map((each) => each.outcome)
  return outcomes.includes(outcome) ? null : { why: 'outcome', outcomes }
}
