import { z } from 'zod'
import {
  identifierSchema,
  localisedTextSchema,
  positiveDurationSchema,
} from '../definition/words.ts'
import { noteOf } from '../draft.ts'
import { factsOf, timeZoneOf } from '../facts.ts'
import { addDuration, type Instant } from '../instant.ts'
import type { JsonObject } from '../json.ts'
import { fieldOf, hangsOnEntity, type Moment, momentSchema, resolveMoment } from '../moment.ts'
import type { Task } from '../state.ts'
import { refusalOfTask } from '../task-contact.ts'
import { newestTaskOf, settleSaid, withdrawTask } from '../tasks.ts'
import type { Step } from './step.ts'
import type { StepKind } from './step-kind.ts'
import type { Onward, StepRun } from './step-run.ts'

type Outcome = { outcome: string; says: { nl: string; en: string }; steps?: Step[] | undefined }

export type TaskStep = {
  task: {
    id: string
    team: string
    title: { nl: string; en: string }
    due?: Moment | undefined
    within: string
    outcomes: Outcome[]
    otherwise?: Step[] | undefined
  }
}

export const taskStep: StepKind<TaskStep> = {
  key: 'task',
  meaning:
    'Gives somebody of a team something to do for the person, such as a call, and goes the way of what came of it. `wegwijs tasks` lists what is open, `wegwijs task done` says what came of it; the first word counts. The time for it, `within`, runs from when it is due; when it is over, the task is taken back and `otherwise` follows. Whatever ends the campaign takes it back, too. It is a contact like a message: who has not given a consent that the class of the campaign asks for, is left out by the rules of age where the class asks for one, or has said no to that class or to everything, gets none, and `otherwise` follows at once; so it does when such a no comes while it is open, or a year of birth by which they are too young. What somebody said of it before it is taken back counts; what is said of it after that is kept, and nothing follows. When the appointment or stay moves that it hangs on, an open task moves along; what was done stays done. A moment that has passed, or whose data is missing, makes it due at once.',
  shortest: {
    task: {
      id: 'call',
      team: 'aftercare',
      title: { nl: 'Bel op', en: 'Call' },
      within: 'P1D',
      outcomes: [{ outcome: 'reached', says: { nl: 'Gesproken', en: 'Spoken to' } }],
    },
  },
  explanation: {
    nl: ({ task }, { reason, detail }, words) => {
      if (reason === 'task_made')
        return `kreeg het team "${task.team}" de taak "${task.title.nl}", voor ${words.moment(String(detail?.dueAt))}`
      if (reason === 'task_moved')
        return `schoof de taak "${task.title.nl}" mee, naar ${words.moment(String(detail?.dueAt))}`
      if (reason === 'task_done')
        return `werd de taak "${task.title.nl}" gedaan: "${outcomeCalled(task, detail).nl}"`
      if (reason === 'task_not_done')
        return `werd de taak "${task.title.nl}" teruggenomen: zij was niet gedaan binnen ${words.duration(task.within)}`
      if (reason === 'task_closed')
        return `werd van de taak "${task.title.nl}" nog gezegd: "${outcomeCalled(task, detail).nl}"; zij was al teruggenomen, dus er volgde niets op`
      if (reason === 'waiting')
        return `ging de campagne wachten op de taak "${task.title.nl}", uiterlijk tot ${words.moment(String(detail?.until))}`
      if (detail?.taskId === undefined)
        return `kreeg het team "${task.team}" de taak "${task.title.nl}" niet: ${words.reason(reason)}`
      return `werd de taak "${task.title.nl}" teruggenomen: ${words.reason(reason)}`
    },
    en: ({ task }, { reason, detail }, words) => {
      if (reason === 'task_made')
        return `the team "${task.team}" got the task "${task.title.en}", for ${words.moment(String(detail?.dueAt))}`
      if (reason === 'task_moved')
        return `the task "${task.title.en}" moved along, to ${words.moment(String(detail?.dueAt))}`
      if (reason === 'task_done')
        return `the task "${task.title.en}" was done: "${outcomeCalled(task, detail).en}"`
      if (reason === 'task_not_done')
        return `the task "${task.title.en}" was taken back: it was not done within ${words.duration(task.within)}`
      if (reason === 'task_closed')
        return `it was still said of the task "${task.title.en}": "${outcomeCalled(task, detail).en}"; it had been taken back, so nothing followed`
      if (reason === 'waiting')
        return `the campaign began to wait for the task "${task.title.en}", at most until ${words.moment(String(detail?.until))}`
      if (detail?.taskId === undefined)
        return `the team "${task.team}" did not get the task "${task.title.en}": ${words.reason(reason)}`
      return `the task "${task.title.en}" was taken back: ${words.reason(reason)}`
    },
  },
  schema: (steps) =>
    z.strictObject({
      task: z
        .strictObject({
          id: identifierSchema.describe(
            'How later conditions name it (`enrolment.<id>.outcome`); once in a campaign.',
          ),
          team: identifierSchema.describe('Who does it: a team of `policies.yaml`.'),
          title: localisedTextSchema.describe(
            'What is to be done. Nothing about the person: who does it looks that up.',
          ),
          due: momentSchema.optional().describe('When it is to be done; without it, at once.'),
          within: positiveDurationSchema.describe(
            'How long after it is due it is waited for, such as `P1D`.',
          ),
          outcomes: z
            .array(
              z
                .strictObject({
                  outcome: identifierSchema.describe(
                    'Its name, as `wegwijs task done --outcome` takes it.',
                  ),
                  says: localisedTextSchema.describe('What it means, for whoever does the task.'),
                  steps: steps.optional().describe('What then happens.'),
                })
                .describe('An outcome.'),
            )
            .min(1)
            .max(10)
            .refine(
              (outcomes) => new Set(outcomes.map((each) => each.outcome)).size === outcomes.length,
              'expected outcomes with different names',
            )
            .describe('What can come of it, each with what then happens.'),
          otherwise: steps.optional().describe('What happens when it is not done in time.'),
        })
        .describe('What is to be done.'),
    }),
  waits: true,
  parts: ({ task }) => ({
    id: { name: task.id, path: ['task', 'id'] },
    task,
    team: { name: task.team, path: ['task', 'team'] },
    moments: (task.due ? fieldOf(task.due) : []).map((field) => ({
      path: ['task', 'due', 'until'],
      field,
    })),
    arms: [
      ...task.outcomes.map(({ outcome, steps }, index) => ({
        path: ['task', 'outcomes', index, 'steps'],
        label: outcome,
        when: null,
        steps: steps ?? [],
      })),
      { path: ['task', 'otherwise'], label: 'otherwise', when: null, steps: task.otherwise ?? [] },
    ],
    fields: [
      [
        `${task.id}.outcome`,
        {
          type: 'text',
          sensitivity: 'personal',
          required: false,
          values: task.outcomes.map(({ outcome }) => outcome),
        },
      ],
    ],
  }),
  decide(step, run) {
    const { task } = step
    const { draft, context, campaign, enrolment, node } = run
    const dueAt = dueOf(task, run)
    const known = draft.tasks.get(taskIdOf(run))
    const done = known?.state === 'done' ? known : known && settleSaid(draft, known)
    // Somebody has done it already, though the run had been taken from here when they said so.
    if (done) return goBy(task, done, run)
    const refusal = refusalOfTask(draft, context, { class: campaign.file.class, dueAt })
    if (refusal) {
      noteOf(draft, enrolment, refusal, { detail: { step: node.path, task: task.id } })
      return goOtherwise(task, run)
    }
    makeTask(task, run, dueAt)
    return { waitUntil: endOf(task, run) }
  },
  read: ({ task }, _, { draft, enrolment }) =>
    newestTaskOf(draft, enrolment, task.id)?.outcome ?? undefined,
  hasBegun: ({ task }, { draft, enrolment }) =>
    newestTaskOf(draft, enrolment, task.id)?.state === 'open',
  waitsUntil: ({ task }, run) => endOf(task, run),
  onMoved({ task }, run) {
    const { draft, enrolment, node } = run
    const open = newestTaskOf(draft, enrolment, task.id)
    if (open?.state !== 'open') return
    const dueAt = task.due && hangsOnEntity(task.due) ? dueOf(task, run) : open.dueAt
    draft.tasks.set(open.taskId, { ...open, entity: enrolment.entity, dueAt })
    if (dueAt === open.dueAt) return
    noteOf(draft, enrolment, 'task_moved', {
      detail: { step: node.path, task: task.id, taskId: open.taskId, dueAt },
    })
  },
  onTask({ task }, done, run) {
    if (done.name !== task.id || done.state === 'open') return null
    return done.state === 'withdrawn' ? goOtherwise(task, run) : goBy(task, done, run)
  },
  onTimer({ task }, run) {
    const waitUntil = endOf(task, run)
    if (waitUntil > run.context.now) return { waitUntil }
    const { draft, enrolment } = run
    const open = newestTaskOf(draft, enrolment, task.id)
    // What was said in time counts, also when its event is late.
    const done = open?.state === 'open' && settleSaid(draft, open)
    if (done) return goBy(task, done, run)
    if (open) withdrawTask(draft, enrolment, open, 'task_not_done')
    return goOtherwise(task, run)
  },
}

/** The way of what came of it. */
function goBy({ id, outcomes }: TaskStep['task'], done: Task, run: StepRun): Onward {
  const { draft, enrolment, node } = run
  const named = outcomes.findIndex(({ outcome }) => outcome === done.outcome)
  // Of an outcome that this version does not know nobody said what follows.
  const arm = named < 0 ? outcomes.length : named
  noteOf(draft, enrolment, 'task_done', {
    detail: { step: node.path, task: id, taskId: done.taskId, outcome: done.outcome, arm },
  })
  return { goTo: node.arms[arm]?.first ?? node.next }
}

/** Nobody does it, or is to do it any more. */
function goOtherwise({ outcomes }: TaskStep['task'], { node }: StepRun): Onward {
  return { goTo: node.arms[outcomes.length]?.first ?? node.next }
}

function outcomeCalled({ outcomes }: TaskStep['task'], detail: JsonObject | null) {
  const name = String(detail?.outcome)
  return outcomes.find(({ outcome }) => outcome === name)?.says ?? { nl: name, en: name }
}

/** When it is to be done, and not before now. */
function dueOf({ due }: TaskStep['task'], { draft, context, enrolment }: StepRun): Instant {
  if (!due) return context.now
  const facts = factsOf(draft, context, enrolment)
  const moment = resolveMoment(due, { ...facts, isWorkingDay: context.definition.isWorkingDay })
  return moment !== null && moment > context.now ? moment : context.now
}

/** Its id is derived, as that of a message is: the same decision made again makes the same task (P2). */
function taskIdOf({ context, campaign, enrolment, node }: StepRun): string {
  const version = String(enrolment.entity?.version ?? 0)
  // Whoever was moved here may have had a task at this path in the version before.
  const moved = campaign.file.move ? [`v${campaign.version}`] : []
  return context.deriveId('task', enrolment.enrolmentId, node.path, version, ...moved)
}

function makeTask(task: TaskStep['task'], run: StepRun, dueAt: Instant): void {
  const { draft, context, campaign, enrolment, node } = run
  const { id: name, team, title, outcomes } = task
  const taskId = taskIdOf(run)
  // One that was taken back, and is asked for again, is to be done after all.
  if ((draft.tasks.get(taskId)?.state ?? 'withdrawn') !== 'withdrawn') return
  const made: Task = {
    taskId,
    enrolmentId: enrolment.enrolmentId,
    campaignId: campaign.id,
    version: campaign.version,
    step: node.path,
    name,
    team,
    title,
    outcomes: outcomes.map(({ outcome, says }) => ({ outcome, says })),
    state: 'open',
    outcome: null,
    said: null,
    reason: null,
    entity: enrolment.entity,
    madeAt: context.now,
    dueAt,
  }
  draft.tasks.set(taskId, made)
  noteOf(draft, enrolment, 'task_made', {
    detail: { step: node.path, task: name, taskId, team, dueAt },
  })
}

/** Until when it is waited for. */
function endOf({ id, within }: TaskStep['task'], { draft, context, enrolment }: StepRun): Instant {
  const dueAt = newestTaskOf(draft, enrolment, id)?.dueAt ?? context.now
  return addDuration(dueAt, within, timeZoneOf(draft, context))
}
