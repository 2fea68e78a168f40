import type { Intent, PersonState, Timer } from '@wegwijs/campaign/state'
import { type OutcomeRates, taskWordOf } from './outcome-model.ts'

export type TaskWord = { taskId: string; at: string; outcome: string }

/** What will be said of the tasks that somebody waits for, in its order. */
export function wordsOf({ tasks, timers }: PersonState, rates: OutcomeRates): TaskWord[] {
  if (tasks.size === 0) return []
  const words: TaskWord[] = []
  for (const task of tasks.values()) {
    if (task.state !== 'open') continue
    const timer = [...timers.values()].find(
      (each) => each.enrolmentId === task.enrolmentId && each.step === task.step,
    )
    const word = timer && taskWordOf({ ...task, until: timer.dueAt }, rates)
    if (word) words.push({ taskId: task.taskId, ...word })
  }
  return words.sort((a, b) => (a.at + a.taskId < b.at + b.taskId ? -1 : 1))
}

/** In the order in which they are due, as services/journey/src/timers.ts has it. */
export function dueTimers({ timers }: PersonState, now: string): Timer[] {
  if (timers.size === 0) return []
  return [...timers.values()]
    .filter((timer) => timer.dueAt <= now)
    .sort((a, b) => (a.dueAt + a.timerId < b.dueAt + b.timerId ? -1 : 1))
}

export function dueMessages({ intents }: PersonState, now: string): Intent[] {
  return [...intents.values()]
    .filter((intent) => intent.state === 'planned' && intent.dueAt <= now)
    .sort((a, b) => (a.dueAt + a.intentId < b.dueAt + b.intentId ? -1 : 1))
}

export function nextTimer({ timers }: PersonState): string | null {
  let next: string | null = null
  for (const { dueAt } of timers.values()) if (next === null || dueAt < next) next = dueAt
  return next
}

export function nextMessage({ intents }: PersonState): string | null {
  let next: string | null = null
  for (const { state, dueAt } of intents.values()) {
    if (state === 'planned' && (next === null || dueAt < next)) next = dueAt
  }
  return next
}
