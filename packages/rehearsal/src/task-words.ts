import type { Store } from '@wegwijs/store/database'
import { type OpenTask, openTasks, sayTaskDone } from '@wegwijs/store/tasks'

/** The people who do tasks in a rehearsal. */
export type Teams = {
  /** When somebody will say what of an open task, ISO instant; null: nobody does it. */
  wordOf(task: OpenTask): { at: string; outcome: string } | null
  /** WEGWIJS_SECRET: what they say is our own event. */
  secret: string
}

/** What teams will say of the tasks that are open now. */
export type TaskWords = {
  /** When the next one is said; undefined when nothing will be. */
  nextAt(): Promise<string | undefined>
  /** Says what is to be said by then, as `wegwijs task done` does; `before` once when there is any. */
  sayUntil(instant: string, before: () => Promise<void>): Promise<number>
}

export function createTaskWords(store: Store, teams: Teams | null): TaskWords {
  if (!teams) return { nextAt: async () => undefined, sayUntil: async () => 0 }
  const words = async () =>
    (await openTasks(store.db))
      .flatMap((task) => {
        const word = teams.wordOf(task)
        return word ? [{ taskId: task.taskId, ...word }] : []
      })
      .sort((a, b) => (a.at + a.taskId < b.at + b.taskId ? -1 : 1))
  return {
    nextAt: async () => (await words())[0]?.at,
    sayUntil: async (instant, before) => {
      const due = (await words()).filter(({ at }) => at <= instant)
      if (due.length > 0) await before()
      for (const { taskId, outcome } of due) {
        await sayTaskDone(store, { taskId, outcome, by: 'rehearsal' }, teams.secret)
      }
      return due.length
    },
  }
}
