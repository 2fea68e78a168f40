import type { CompiledCampaign } from './compiled-campaign.ts'
import type { CampaignFile } from './definition/campaign.ts'
import { differencesBetween } from './definition/differences.ts'
import { type DecideContext, type Decision, type Draft, draftOf, noteOf, stateOf } from './draft.ts'
import { end, hasPending, moveTo } from './enrolments.ts'
import type { Instant } from './instant.ts'
import type { JsonValue } from './json.ts'
import { dateOfPersonIn } from './moment.ts'
import { choosePersona } from './people.ts'
import { type Enrolment, isPending, type PersonState } from './state.ts'
import { withdrawMessage } from './steps/message-plan.ts'
import { kindOf, partsOf } from './steps/registry.ts'
import type { Step } from './steps/step.ts'
import { withdrawTask } from './tasks.ts'
import { withoutUnplanned } from './unplanned.ts'

/** A step with its path (`2.0.1`), and its place as people count (`3.1.2`). */
type PlacedStep = { path: string; place: string; step: Step }

/**
 * Path of a step at which somebody may wait → path in the other version; null takes them out. Of whoever is
 * through, {@link behindAll} is the path.
 */
export type StepMap = ReadonlyMap<string, string | null>

/** Where somebody stands who is through, and so do moves that name it `end`. */
export const behindAll = ''

/**
 * A step at which somebody may wait and that leads nowhere, or to one that lacks answers or outcomes which
 * may still come; or a name that no step has.
 */
export type MoveFault =
  | { step: string; problem: 'no_counterpart' | 'unknown' | 'unknown_target' }
  | { step: string; problem: 'ways_missing'; missing: string[] }

/** Every step with the names by which a move may call it. */
export function placedSteps(steps: readonly Step[], prefix = '', place = ''): PlacedStep[] {
  return steps.flatMap((step, index) => {
    const own = { path: `${prefix}${index}`, place: `${place}${index + 1}`, step }
    const inside = (partsOf(step).arms ?? []).flatMap((arm, number) =>
      placedSteps(arm.steps, `${own.path}.${number}.`, `${own.place}.${number + 1}.`),
    )
    return [own, ...inside]
  })
}

/** Its id, or where it stands. */
export function nameOfStep({ step, place }: PlacedStep): string {
  return partsOf(step).id?.name ?? place
}

/** The step that bears this name: an id, or a place. */
export function stepNamed(steps: readonly PlacedStep[], name: string): PlacedStep | undefined {
  return steps.find((each) => partsOf(each.step).id?.name === name || each.place === name)
}

/**
 * Where people of one version go on in the other: as the move says, else at the step of the same id and
 * kind, else at the only one that stands there as it was.
 */
export function stepMapOf(
  before: CampaignFile,
  after: CampaignFile,
): { steps: StepMap; faults: MoveFault[] } {
  const [old, next] = [placedSteps(before.steps), placedSteps(after.steps)]
  const steps = new Map<string, string | null>()
  const faults: MoveFault[] = []
  for (const [name, to] of Object.entries(after.move?.steps ?? {})) {
    const from = stepNamed(old, name) ?? (name === 'end' ? { path: behindAll } : undefined)
    const target = to === 'end' ? null : stepNamed(next, to)
    if (!from) faults.push({ step: name, problem: 'unknown' })
    else if (target === undefined) faults.push({ step: to, problem: 'unknown_target' })
    else steps.set(from.path, target?.path ?? null)
  }
  for (const each of old.filter(({ step }) => kindOf(step).waits)) {
    const said = steps.get(each.path)
    if (said === null) continue
    const counterpart = next.find(({ path }) => path === said) ?? counterpartOf(each, old, next)
    const step = nameOfStep(each)
    const missing = counterpart ? waysMissing(each.step, counterpart.step) : []
    if (!counterpart) faults.push({ step, problem: 'no_counterpart' })
    else if (missing.length > 0) faults.push({ step, problem: 'ways_missing', missing })
    else steps.set(each.path, counterpart.path)
  }
  return { steps, faults }
}

function counterpartOf(
  { step }: PlacedStep,
  old: readonly PlacedStep[],
  next: readonly PlacedStep[],
): PlacedStep | undefined {
  const id = partsOf(step).id?.name
  const isOfKind = (other: PlacedStep) => kindOf(other.step) === kindOf(step)
  if (id !== undefined)
    return next.find((other) => partsOf(other.step).id?.name === id && isOfKind(other))
  const isSame = (other: PlacedStep) => isEqual(other.step, step)
  const [only, ...others] = next.filter(isSame)
  return others.length === 0 && old.filter(isSame).length === 1 ? only : undefined
}

/** What is stored has its keys in another order, which means nothing. */
function isEqual(one: Step, other: Step): boolean {
  const [a, b] = [one, other].map((step): JsonValue => JSON.parse(JSON.stringify(step)))
  return differencesBetween(a, b).length === 0
}

/**
 * Takes somebody's runs in an older version along to the live one. They go on at the step to which theirs
 * leads, and what that waits for counts from when they began to wait. A message that has not gone out
 * stays as it was planned when this version has one of that id, unless the move withdraws it; any other
 * is withdrawn; of a run that is through, too, which takes steps only when the move says where. What a worker has, and what went out, is
 * of the version in which it was planned. Somebody who is in the live version already is left alone: doing it
 * again changes nothing (P2).
 */
export function moveRuns(
  state: PersonState,
  { from, to, steps }: { from: CompiledCampaign; to: CompiledCampaign; steps: StepMap },
  context: DecideContext,
): { state: PersonState; decisions: Decision[] } {
  const draft = draftOf(state)
  for (const enrolment of [...draft.enrolments.values()]) {
    const { campaignId, version, step } = enrolment
    if (campaignId !== from.id || version !== from.version) continue
    if (isThrough(draft, enrolment)) {
      const target = steps.get(behindAll)
      const again: Enrolment = { ...enrolment, state: 'running', reason: null, endedAt: null }
      if (target === undefined) moveThrough(draft, enrolment, to)
      else moveRun(draft, again, { to, target, waitedFor: null }, context)
    }
    if (enrolment.state !== 'running') continue
    const target = steps.get(step ?? '')
    if (target === undefined) throw new RangeError(`a move of ${campaignId} leads nowhere`)
    const at = from.nodes.get(step ?? '')
    const waitedFor = at ? dateWaitedFor(at.step) : null
    moveRun(draft, enrolment, { to, target, waitedFor }, context)
  }
  return { state: stateOf(draft), decisions: draft.decisions }
}

/** What is planned of it may go out long after the last of its steps. */
export function isThrough(state: Parameters<typeof hasPending>[0], enrolment: Enrolment): boolean {
  return enrolment.state === 'completed' && hasPending(state, enrolment)
}

function moveThrough(draft: Draft, before: Enrolment, to: CompiledCampaign): void {
  const enrolment = inVersion(before, to)
  draft.enrolments.set(enrolment.enrolmentId, enrolment)
  noteOf(draft, enrolment, 'moved_to_version', { detail: { from: before.version, to: to.version } })
  reseatMessages(draft, enrolment, to)
  reseatTasks(draft, enrolment, to)
}

function moveRun(
  draft: Draft,
  before: Enrolment,
  {
    to,
    target,
    waitedFor,
  }: { to: CompiledCampaign; target: string | null; waitedFor: string | null },
  context: DecideContext,
): void {
  const beganAt = beganToWait(draft, before) ?? context.now
  reseatMessages(draft, before, to)
  reseatTasks(draft, before, to)
  const enrolment = inVersion(before, to)
  const named = target === null ? 'end' : nameAt(to, target)
  draft.enrolments.set(enrolment.enrolmentId, enrolment)
  if (target === null) {
    end(draft, enrolment, 'exited', 'moved_to_version', context)
    return
  }
  noteOf(draft, enrolment, 'moved_to_version', {
    detail: { from: before.version, to: to.version, step: named },
  })
  takeBackTasks(draft, enrolment, to.nodes.get(target)?.step)
  // What they come to now goes by who they are by now, as when a wait ends.
  choosePersona(draft, context)
  moveTo(draft, enrolment, { path: target, beganAt, waitedFor }, context)
}

function dateWaitedFor(step: Step): string | null {
  const { pause } = partsOf(step)
  return pause === undefined ? null : dateOfPersonIn(pause)
}

/**
 * What somebody who was given answers to choose from may still choose, and of which the new step says
 * nothing. Of a question or a task by another name nothing more is heard, so there is nothing to miss.
 */
function waysMissing(before: Step, after: Step): string[] {
  const [own, next] = [partsOf(before), partsOf(after)]
  if (kindOf(before) !== kindOf(after) || own.id?.name !== next.id?.name) return []
  const ways = new Set((next.arms ?? []).map(({ label }) => label))
  return (own.arms ?? []).flatMap(({ label }) => (ways.has(label) ? [] : [label]))
}

/** Nobody is to do what is not waited for any more. */
function takeBackTasks(draft: Draft, enrolment: Enrolment, target: Step | undefined): void {
  const name = target && partsOf(target).task?.id
  for (const task of [...draft.tasks.values()]) {
    if (task.enrolmentId === enrolment.enrolmentId && task.name !== name)
      withdrawTask(draft, enrolment, task, 'moved_to_version')
  }
}

function nameAt({ file }: CompiledCampaign, path: string): string {
  const placed = placedSteps(file.steps).find((each) => each.path === path)
  return placed ? nameOfStep(placed) : path
}

function beganToWait({ timers }: Draft, { enrolmentId, step }: Enrolment): Instant | undefined {
  for (const timer of timers.values())
    if (timer.enrolmentId === enrolmentId && timer.step === step) return timer.beganAt
  return undefined
}

/** Which messages that have not gone out a version takes back, by their ids. */
export function withdrawnBy({ steps, move }: CampaignFile): (messageId: string) => boolean {
  const named = new Set(move?.withdraw)
  const known = new Set(placedSteps(steps).flatMap(({ step }) => partsOf(step).message?.id ?? []))
  return (messageId) => named.has(messageId) || !known.has(messageId)
}

/** What it has passed and the version takes back is not told by a newer appointment either. */
function inVersion(before: Enrolment, { version, file }: CompiledCampaign): Enrolment {
  return { ...withoutUnplanned(before, withdrawnBy(file)), version }
}

/** Every message of a run belongs to the step of its id in the version in which the run goes on. */
function reseatMessages(draft: Draft, run: Enrolment, to: CompiledCampaign): void {
  const isWithdrawn = withdrawnBy(to.file)
  const placed = new Map(
    placedSteps(to.file.steps).flatMap(({ step, path }) => {
      const { message } = partsOf(step)
      return message ? [[message.id, path] as const] : []
    }),
  )
  for (const intent of [...draft.intents.values()]) {
    if (intent.enrolmentId !== run.enrolmentId) continue
    const path = placed.get(intent.messageId)
    const reseated = { ...intent, step: path ?? `gone/${intent.messageId}` }
    draft.intents.set(intent.intentId, reseated)
    if (isPending(intent) && isWithdrawn(intent.messageId))
      withdrawMessage(draft, run, reseated, 'moved_to_version')
  }
}

/** So does every task; one that is no more belongs to none, and not to what stands at its path now. */
function reseatTasks(draft: Draft, run: Enrolment, to: CompiledCampaign): void {
  const placed = new Map(
    placedSteps(to.file.steps).flatMap(({ step, path }) => {
      const { task } = partsOf(step)
      return task ? [[task.id, path] as const] : []
    }),
  )
  for (const task of [...draft.tasks.values()]) {
    if (task.enrolmentId !== run.enrolmentId) continue
    const step = placed.get(task.name) ?? `gone/${task.name}`
    draft.tasks.set(task.taskId, { ...task, step })
  }
}
