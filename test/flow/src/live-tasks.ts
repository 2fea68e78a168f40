import type { Task } from '@wegwijs/campaign/state'
import type { Store } from '@wegwijs/store/database'
import { sql } from 'kysely'

/** What became of a task, under the first name of whom it is about. */
export type LiveTask = Pick<
  Task,
  'campaignId' | 'name' | 'state' | 'outcome' | 'reason' | 'dueAt'
> & {
  person: string
}

export function liveTask(person: string, task: Task): LiveTask {
  const { campaignId, name, state, outcome, reason, dueAt } = task
  return { person, campaignId, name, state, outcome, reason, dueAt }
}

/** Every task that the live pipeline has made, from its tables. */
export async function readLiveTasks(store: Store): Promise<LiveTask[]> {
  const { rows } = await sql<LiveTask>`
    select (select min(id_space || ':' || external_id collate "C") from person_identity p
        where p.person_id = task.person_id) as person,
      campaign_id as "campaignId", name, state, outcome, reason, due_at as "dueAt"
    from task`.execute(store.db)
  return sortTasks(rows)
}

export function sortTasks(tasks: readonly LiveTask[]): LiveTask[] {
  const keyOf = (task: LiveTask) => [task.person, task.campaignId, task.dueAt, task.state].join(' ')
  return tasks.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}
