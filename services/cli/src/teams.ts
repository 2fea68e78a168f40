import { type TaskShares, taskWordOf } from '@wegwijs/dry-run/outcome-model'
import type { Teams } from '@wegwijs/rehearsal/task-words'

/** The people who do tasks in a rehearsal, by these shares; null when nobody does. */
export function teamsBy(rates: TaskShares, secret: string): Teams | null {
  if ((rates.done ?? 0) === 0) return null
  return { secret, wordOf: (task) => taskWordOf(task, rates) }
}
