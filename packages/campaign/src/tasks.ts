import { type Draft, noteOf } from './draft.ts'
import type { ReasonCode } from './reasons.ts'
import type { Enrolment, JourneyEvent, Task } from './state.ts'

/**
 * Applies what somebody says has come of a task (`task.done`). The first word counts, and only while the
 * task is open: what was taken back has no outcome.
 */
export function applyTaskDone(draft: Draft, event: JourneyEvent): ReasonCode {
  const task = draft.tasks.get(String(event.data.taskId))
  if (!task) return 'task_unknown'
  if (task.state !== 'open') return 'task_closed'
  const outcome = String(event.data.outcome)
  if (!task.outcomes.some((each) => each.outcome === outcome)) return 'task_outcome_unknown'
  draft.tasks.set(task.taskId, { ...task, state: 'done', outcome, reason: 'task_done' })
  return 'task_done'
}

/** The newest task that the step of that id made. */
export function newestTaskOf(draft: Draft, enrolment: Enrolment, name: string): Task | undefined {
  let newest: Task | undefined
  for (const task of draft.tasks.values()) {
    if (task.enrolmentId !== enrolment.enrolmentId || task.name !== name) continue
    if (!newest || task.madeAt > newest.madeAt) newest = task
    else if (task.madeAt === newest.madeAt && versionOf(task) > versionOf(newest)) newest = task
  }
  return newest
}

function versionOf({ entity }: Task): number {
  return entity?.version ?? 0
}

/** Takes back what nobody has done yet; leaves any other as it is. */
export function withdrawTask(
  draft: Draft,
  enrolment: Enrolment,
  task: Task,
  reason: ReasonCode,
): void {
  if (task.state !== 'open') return
  draft.tasks.set(task.taskId, { ...task, state: 'withdrawn', reason })
  noteOf(draft, enrolment, reason, {
    detail: { step: task.step, task: task.name, taskId: task.taskId },
  })
}

/** Takes back everything that the run still asks of somebody. */
export function withdrawTasks(draft: Draft, enrolment: Enrolment, reason: ReasonCode): void {
  for (const task of [...draft.tasks.values()]) {
    if (task.enrolmentId === enrolment.enrolmentId) withdrawTask(draft, enrolment, task, reason)
  }
}
