import { type Draft, noteOf } from './draft.ts'
import type { ReasonCode } from './reasons.ts'
import type { Enrolment, JourneyEvent, Task } from './state.ts'

/**
 * Applies what somebody says has come of a task (`task.done`). The first word counts, and only while the
 * task is open. Of one that was taken back it changes nothing, and is kept: somebody did it, such as a call
 * from before the person said no.
 */
export function applyTaskDone(draft: Draft, event: JourneyEvent): ReasonCode {
  const task = draft.tasks.get(String(event.data.taskId))
  if (!task) return 'task_unknown'
  const outcome = String(event.data.outcome)
  // It was read when the task was to be taken back, before its event.
  if (task.state === 'done' && task.said === outcome) return 'task_done'
  if (!task.outcomes.some((each) => each.outcome === outcome))
    return task.state === 'open' ? 'task_outcome_unknown' : 'task_closed'
  if (task.state === 'open') {
    draft.tasks.set(task.taskId, doneWith(task, outcome))
    return 'task_done'
  }
  if (task.said === null) draft.tasks.set(task.taskId, { ...task, said: outcome })
  noteOf(draft, task, 'task_closed', { detail: { ...namesOf(task), outcome } })
  return 'task_closed'
}

function doneWith(task: Task, outcome: string): Task {
  return { ...task, state: 'done', outcome, said: outcome, reason: 'task_done' }
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

/**
 * What somebody has said of it counts from when they said it, though its event comes in later: the task as
 * it is done. Null when nobody has said anything.
 */
export function settleSaid(draft: Draft, task: Task): Task | null {
  if (task.said === null) return null
  const done = doneWith(task, task.said)
  draft.tasks.set(task.taskId, done)
  return done
}

/** Takes back what nobody has done yet; leaves any other as it is. */
export function withdrawTask(
  draft: Draft,
  enrolment: Enrolment,
  task: Task,
  reason: ReasonCode,
): void {
  if (task.state !== 'open') return
  const done = settleSaid(draft, task)
  if (done) {
    noteOf(draft, enrolment, 'task_done', {
      detail: { ...namesOf(done), outcome: done.outcome },
    })
    return
  }
  draft.tasks.set(task.taskId, { ...task, state: 'withdrawn', reason })
  noteOf(draft, enrolment, reason, { detail: namesOf(task) })
}

function namesOf({ step, name, taskId }: Task) {
  return { step, task: name, taskId }
}

/** Takes back everything that the run still asks of somebody. */
export function withdrawTasks(draft: Draft, enrolment: Enrolment, reason: ReasonCode): void {
  for (const task of [...draft.tasks.values()]) {
    if (task.enrolmentId === enrolment.enrolmentId) withdrawTask(draft, enrolment, task, reason)
  }
}
