import type { CompiledCampaign } from './compiled-campaign.ts'
import { type DecideContext, type Draft, noteOf } from './draft.ts'
import type { Instant } from './instant.ts'
import type { JsonObject } from './json.ts'
import { choosePersona } from './people.ts'
import type { ReasonCode } from './reasons.ts'
import {
  campaignKey,
  type Enrolment,
  type Intent,
  isOpen,
  isPending,
  type JourneyEvent,
  type RunTimer,
} from './state.ts'
import { standDownFor, withdrawMessage } from './steps/message-plan.ts'
import type { InPlaceOf, StepResult, StepRun } from './steps/step-run.ts'
import { withdrawTasks } from './tasks.ts'

/** Goes on with the enrolment whose timer has come. A timer whose enrolment has ended does nothing. */
export function resume(draft: Draft, timer: RunTimer, context: DecideContext): void {
  draft.timers.delete(timer.timerId)
  const enrolment = draft.enrolments.get(timer.enrolmentId)
  if (enrolment?.state !== 'running' || enrolment.step !== timer.step) return
  choosePersona(draft, context)
  const run = runAt(draft, enrolment, timer.step, context)
  const { kind, step, next } = run.node
  const result = kind.onTimer?.(step, run) ?? { goTo: next }
  const path = follow(run, result, timer.beganAt)
  const inPlaceOf = 'goTo' in result ? (result.inPlaceOf ?? null) : null
  if (path !== undefined) goOn(draft, enrolment, path, context, inPlaceOf)
}

/** Lets enrolments go on that wait for this touchpoint. */
export function hearTouchpoint(draft: Draft, event: JourneyEvent, context: DecideContext): void {
  const listeners = context.definition.listeners.get(event.type)
  if (!listeners) return
  for (const enrolment of [...draft.enrolments.values()]) {
    if (!listeners.has(enrolment.campaignId)) continue
    hear(draft, enrolment, context, (run) =>
      run.node.kind.onTouchpoint?.(run.node.step, event, run),
    )
  }
}

/** Lets the enrolment of a message go on that waits for what a receipt has just told of it. */
export function hearReceipt(draft: Draft, intentId: string, context: DecideContext): void {
  const intent = draft.intents.get(intentId)
  const enrolment = intent && draft.enrolments.get(intent.enrolmentId)
  if (!enrolment) return
  // Wherever the run stands by now, also when it is over.
  if (intent.state === 'delivered') standDownFor(draft, enrolment, intent)
  if (
    enrolment.state === 'running' &&
    context.definition.receiptListeners.has(enrolment.campaignId)
  )
    choosePersona(draft, context)
  hear(draft, enrolment, context, (run) => run.node.kind.onReceipt?.(run.node.step, run))
}

/** Lets the enrolment of a task go on that waits for what has come of it. */
export function hearTask(draft: Draft, taskId: string, context: DecideContext): void {
  const task = draft.tasks.get(taskId)
  const enrolment = task && draft.enrolments.get(task.enrolmentId)
  if (!enrolment) return
  choosePersona(draft, context)
  hear(draft, enrolment, context, (run) => run.node.kind.onTask?.(run.node.step, task, run))
}

function hear(
  draft: Draft,
  enrolment: Enrolment,
  context: DecideContext,
  resultOf: (run: StepRun) => StepResult | null | undefined,
): void {
  if (enrolment.state !== 'running' || enrolment.step === null) return
  const run = runAt(draft, enrolment, enrolment.step, context)
  const result = resultOf(run)
  if (!result) return
  if ('goTo' in result) dropTimers(draft, enrolment)
  const next = follow(run, result)
  if (next !== undefined) goOn(draft, enrolment, next, context)
}

/** A run at this step of the version that it is in. */
export function runAt(
  draft: Draft,
  enrolment: Enrolment,
  path: string,
  context: DecideContext,
): StepRun {
  return stepOf(campaignOf(enrolment, context), draft, enrolment, path, context)
}

/** @throws RangeError when the campaign has no such step */
function stepOf(
  campaign: CompiledCampaign,
  draft: Draft,
  enrolment: Enrolment,
  path: string,
  context: DecideContext,
): StepRun {
  const node = campaign.nodes.get(path)
  if (!node)
    throw new RangeError(`campaign ${campaign.id} version ${campaign.version} has no step ${path}`)
  return { draft, context, campaign, enrolment, node }
}

/**
 * Ends one enrolment: its timers go, its pending messages are withdrawn. One that a worker has, or that
 * is held, is refused by the last check when it comes back (P3).
 */
export function end(
  draft: Draft,
  enrolment: Enrolment,
  state: 'completed' | 'exited',
  reason: ReasonCode,
  context: DecideContext,
): void {
  dropTimers(draft, enrolment)
  withdrawTasks(draft, enrolment, reason)
  if (state === 'exited') {
    for (const intent of [...draft.intents.values()]) {
      if (intent.enrolmentId === enrolment.enrolmentId && isPending(intent)) {
        withdrawMessage(draft, enrolment, intent, reason)
      }
    }
  }
  draft.enrolments.set(enrolment.enrolmentId, {
    ...enrolment,
    state,
    reason,
    step: mayGoOnAgain(reason) ? enrolment.step : null,
    endedAt: context.now,
  })
  noteOf(draft, enrolment, reason)
}

/** An appointment may take place after all, and a date may be back at a moment that had come. */
export function mayGoOnAgain(reason: string | null): boolean {
  return reason === 'entity_withdrawn' || reason === 'date_moved'
}

/** Waits no longer at the step at which it stands. */
export function goOnBehind(draft: Draft, enrolment: Enrolment, context: DecideContext): void {
  const node = campaignOf(enrolment, context).nodes.get(enrolment.step ?? '')
  if (!node) return
  dropTimers(draft, enrolment)
  goOn(draft, enrolment, node.next, context)
}

/** Takes steps until one waits, ends the campaign, or none is left. */
export function goOn(
  draft: Draft,
  enrolment: Enrolment,
  from: string | null,
  context: DecideContext,
  inPlaceOf: InPlaceOf | null = null,
): void {
  goOnIn(campaignOf(enrolment, context), draft, enrolment, from, context, inPlaceOf)
}

export function goOnIn(
  campaign: CompiledCampaign,
  draft: Draft,
  enrolment: Enrolment,
  from: string | null,
  context: DecideContext,
  inPlaceOf: InPlaceOf | null = null,
): void {
  let path = from
  while (path !== null) {
    const isOfArm = inPlaceOf !== null && path.startsWith(inPlaceOf.arm)
    const run = {
      ...stepOf(campaign, draft, asItIs(draft, enrolment), path, context),
      inPlaceOf: isOfArm ? inPlaceOf : null,
    }
    context.watch?.step?.(run)
    const next = follow(run, run.node.kind.decide(run.node.step, run))
    if (next === undefined) return
    path = next
  }
  end(draft, asItIs(draft, enrolment), 'completed', 'completed', context)
}

/** The step before may have noted something on it, such as the arm of a split. */
function asItIs(draft: Draft, enrolment: Enrolment): Enrolment {
  return draft.enrolments.get(enrolment.enrolmentId) ?? enrolment
}

/**
 * Where to go on (null is the end), or undefined when the enrolment waits or has ended. `beganAt`: since
 * when it has waited here, if it has.
 */
function follow(run: StepRun, result: StepResult, beganAt?: Instant): string | null | undefined {
  const { draft, enrolment, context } = run
  if ('goTo' in result) return result.goTo
  if ('waitUntil' in result) wait(run, result.waitUntil, beganAt)
  else end(draft, enrolment, 'completed', result.endWith, context)
  return undefined
}

/**
 * The version that a person entered is the one they stay on (P5). Of one that cannot be read whole, what can be
 * read of it holds for those who are through it.
 *
 * @throws why it cannot be read, for somebody who is under way in it
 */
export function campaignOf(enrolment: Enrolment, context: DecideContext): CompiledCampaign {
  const { campaignId, version, state } = enrolment
  const campaign = context.definition.campaigns.get(campaignKey(campaignId, version))
  if (!campaign) throw new RangeError(`no campaign ${campaignId} version ${version}`)
  if (campaign.unclear && state === 'running') throw campaign.unclear.why
  return campaign
}

/**
 * Says of a run that is over, in a version that cannot be read whole, that what becomes of it by now is not clear.
 * What was still to go out does not (P3).
 */
export function tellUnclear(
  draft: Draft,
  enrolment: Enrolment,
  context: DecideContext,
  detail: JsonObject,
): void {
  if (hasOpen(draft, enrolment)) end(draft, enrolment, 'exited', 'version_unreadable', context)
  else noteOf(draft, enrolment, 'version_unreadable', { detail })
}

/** An enrolment of which something may still go out must be told that it is over, though it has run through. */
export function hasOpen(draft: Draft, enrolment: Enrolment): boolean {
  return [...draft.intents.values()].some(
    (intent) => intent.enrolmentId === enrolment.enrolmentId && isOpen(intent),
  )
}

/** As long as nobody has it, a message can be taken back. */
export function hasPending(
  { intents }: { readonly intents: { values(): Iterable<Intent> } },
  enrolment: Enrolment,
): boolean {
  return [...intents.values()].some(
    (intent) => intent.enrolmentId === enrolment.enrolmentId && isPending(intent),
  )
}

/** One that waits at the step already, and is timed anew, has waited since it came to it. */
function wait(
  { draft, enrolment, node, context }: StepRun,
  dueAt: Instant,
  beganAt: Instant = timerAt(draft, enrolment, node.path)?.beganAt ?? context.now,
): void {
  dropTimers(draft, enrolment)
  const { enrolmentId } = enrolment
  const { path: step } = node
  const timerId = context.deriveId('timer', enrolmentId, step)
  draft.timers.set(timerId, { timerId, enrolmentId, step, beganAt, dueAt })
  draft.enrolments.set(enrolmentId, { ...enrolment, step })
  noteOf(draft, enrolment, 'waiting', { detail: { step, until: dueAt } })
}

function timerAt(
  { timers }: Draft,
  { enrolmentId }: Enrolment,
  step: string,
): RunTimer | undefined {
  for (const timer of timers.values())
    if (timer.enrolmentId === enrolmentId && timer.step === step) return timer
  return undefined
}

/**
 * Lets an enrolment go on at this step of the version to which it was moved. What it waits for there
 * counts from when it began to wait before; where nobody waits, the step is taken now. `waitedFor` is the
 * date of the person for which it waited, if it waited for one.
 */
export function moveTo(
  draft: Draft,
  enrolment: Enrolment,
  { path, beganAt, waitedFor }: { path: string; beganAt: Instant; waitedFor: string | null },
  context: DecideContext,
): void {
  const known = [...draft.timers.values()].find(
    ({ enrolmentId }) => enrolmentId === enrolment.enrolmentId,
  )
  dropTimers(draft, enrolment)
  const run = runAt(draft, enrolment, path, context)
  const { kind, step } = run.node
  const date = kind.dateOfPerson?.(step, run)
  // Of a date that was taken away the last one that was known holds. What was waited for otherwise says nothing of it.
  if (known && date?.moment === null && date.field === waitedFor) {
    follow(run, { waitUntil: known.dueAt }, beganAt)
    return
  }
  // Somebody who has not been asked yet is asked now.
  if (!kind.waits || kind.hasBegun?.(step, run) === false) {
    goOn(draft, enrolment, path, context)
    return
  }
  const result: StepResult = kind.waitsUntil
    ? { waitUntil: kind.waitsUntil(step, run) }
    : kind.decide(step, { ...run, context: { ...context, now: beganAt } })
  const next = follow(run, result, beganAt)
  if (next !== undefined) goOn(draft, enrolment, next, context)
}

/**
 * Lets an enrolment stand at this step, also one that had gone on from it or through: it is asked there
 * again. The time for it is counted anew.
 */
export function waitAt(
  draft: Draft,
  before: Enrolment,
  path: string,
  context: DecideContext,
): void {
  const enrolment: Enrolment = { ...before, state: 'running', reason: null, endedAt: null }
  const run = runAt(draft, enrolment, path, context)
  const until = run.node.kind.waitsUntil?.(run.node.step, run)
  if (until !== undefined) wait(run, until, context.now)
}

function dropTimers(draft: Draft, enrolment: Enrolment): void {
  for (const timer of [...draft.timers.values()]) {
    if (timer.enrolmentId === enrolment.enrolmentId) draft.timers.delete(timer.timerId)
  }
}
