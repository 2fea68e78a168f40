import { fractionOf } from './chance.ts'
import type { CompiledCampaign } from './compile.ts'
import { type Facts, traceCondition } from './condition.ts'
import { type DecideContext, type Draft, noteOf } from './draft.ts'
import { factsFrom, factsOf } from './facts.ts'
import { addDuration, type Instant, subtractDuration } from './instant.ts'
import type { JsonObject } from './json.ts'
import type { ReasonCode } from './reasons.ts'
import {
  campaignKey,
  type Enrolment,
  type Entity,
  entityKey,
  entryOf,
  type Intent,
  isOfAnotherEntity,
  isOpen,
  isPending,
  type JourneyEvent,
  type Person,
  type RunTimer,
} from './state.ts'
import { withdrawMessage } from './steps/message.ts'
import type { InPlaceOf, StepResult, StepRun } from './steps/step-run.ts'
import { withdrawTasks } from './tasks.ts'

/**
 * Lets every live campaign that an event could start decide about it (P4: each that it is meant for
 * leaves its reason). `before` is the person as they were until then.
 */
export function startCampaigns(
  draft: Draft,
  event: JourneyEvent,
  context: DecideContext,
  before: Person = draft.person,
): void {
  context.watch?.starts?.(draft, event, before)
  const asked = askedOf(draft, event, context, before)
  for (const campaign of candidatesOf(draft, event, context)) {
    const refusal = refusalOf(draft, asked, campaign, context)
    if (refusal === false) continue
    if (refusal) refuse(draft, campaign, refusal)
    else enrol(draft, event, campaign, context)
  }
}

/** Lets one campaign decide whether it begins for somebody, of which the date has come. */
export function startCampaign(
  draft: Draft,
  event: JourneyEvent,
  campaign: CompiledCampaign,
  context: DecideContext,
): void {
  context.watch?.starts?.(draft, event, draft.person, campaign)
  const refusal = refusalOf(draft, askedOf(draft, event, context), campaign, context)
  if (refusal) refuse(draft, campaign, refusal)
  else if (refusal === null) enrol(draft, event, campaign, context)
}

/**
 * Starts what an event starts though a newer version of its entity came before it. Whatever enters
 * hangs on the newest version, and is told of that one alone. A version that is told anew under
 * another id looks the same: so only campaigns start that nobody enters twice. One that a touchpoint
 * has ended since does not start; of an exit with a condition nobody knows any more whether it held.
 */
export function startOvertaken(draft: Draft, event: JourneyEvent, context: DecideContext): void {
  const known = event.entity && draft.entities.get(entityKey(event.entity))
  if (!known) return
  const { type, id, version } = known
  const newest: JourneyEvent = { ...event, entity: { type, id, version } }
  context.watch?.starts?.(draft, newest, draft.person)
  const asked = askedOf(draft, newest, context)
  for (const campaign of candidatesOf(draft, event, context)) {
    const refusal =
      refusalOfOvertaken(draft, event, known, campaign, context) ??
      refusalOf(draft, asked, campaign, context)
    if (refusal === false) continue
    if (refusal) refuse(draft, campaign, refusal)
    else enrol(draft, newest, campaign, context)
  }
}

function refusalOfOvertaken(
  draft: Draft,
  event: JourneyEvent,
  newest: Entity,
  { file: { entry, exit, goal } }: CompiledCampaign,
  context: DecideContext,
): EntryRefusal | null {
  if (entry === 'every-time' || typeof entry === 'object')
    return { reason: 'entity_not_newer', detail: null }
  if (newest.state === 'withdrawn') return { reason: 'entity_withdrawn', detail: null }
  const isOver = [...exit, ...(goal ? [goal] : [])].some(
    ({ touchpoint, where }) =>
      !where && hasHappenedSince(draft, event, newest, touchpoint, context),
  )
  return isOver ? { reason: 'exit_touchpoint', detail: null } : null
}

/**
 * Whether a touchpoint has happened after this event, as far as it is known: one of the entity by its
 * version, any other by the phase into which it leads, when the person entered that later and is in it
 * still. What left no such trace has not happened, and another one that leads into the same phase counts
 * for it.
 */
function hasHappenedSince(
  { person }: Draft,
  event: JourneyEvent,
  newest: Entity,
  type: string,
  { definition }: DecideContext,
): boolean {
  const touchpoint = definition.touchpoints.get(type)
  if (touchpoint?.entity)
    return (newest.saidIn.touchpoints[type] ?? 0) > (event.entity?.version ?? 0)
  const place = person.journeys[touchpoint?.journey ?? '']
  return place !== undefined && place.phase === touchpoint?.phase && place.since > event.time
}

function candidatesOf(
  { person }: Draft,
  event: JourneyEvent,
  { definition }: DecideContext,
): readonly CompiledCampaign[] {
  return definition.starters.get(event.type)?.get(person.persona ?? '') ?? []
}

type EntryRefusal = { reason: ReasonCode; detail: JsonObject | null }

/** Notes why a campaign does not begin for somebody. */
export function refuse(draft: Draft, campaign: CompiledCampaign, refusal: EntryRefusal): void {
  draft.decisions.push({
    campaignId: campaign.id,
    version: campaign.version,
    enrolmentId: null,
    intentId: null,
    ...refusal,
  })
}

/** An event that campaigns are asked about: who the person was until then, and what conditions see. */
type Asked = { event: JourneyEvent; before: Person; facts: Facts }

export function askedOf(
  draft: Draft,
  event: JourneyEvent,
  context: DecideContext,
  before: Person = draft.person,
): Asked {
  const entityData = event.entity && (draft.entities.get(entityKey(event.entity))?.data ?? null)
  const facts = factsFrom(draft, context, { trigger: event, entityData, enrolment: null })
  return { event, before, facts }
}

/** Why the event does not start the campaign; `false` when it was never meant for it, null when it does. */
export function refusalOf(
  draft: Draft,
  { event, before, facts }: Asked,
  campaign: CompiledCampaign,
  context: DecideContext,
): EntryRefusal | false | null {
  const { file } = campaign
  const { kind, where, holds } = campaign.trigger
  const trigger = kind.decide(file.trigger, {
    event,
    campaignId: campaign.id,
    before,
    person: draft.person,
    facts,
    whereHolds: holds,
  })
  if (trigger === false) return false
  if (draft.person.deceasedAt !== null) return { reason: 'person_deceased', detail: null }
  const { timeZone } = context.definition
  // What happens now is not old, whatever the calendar says.
  const isPast = event.time < context.now
  if (isPast && event.time < subtractDuration(context.now, file.trigger.maxAge, timeZone)) {
    return { reason: 'event_too_old', detail: { time: event.time, maxAge: file.trigger.maxAge } }
  }
  const entered = draft.entries.get(entryOf(campaign.id, entryKeyOf(draft, event, campaign)))
  if (entered !== undefined && !mayEnterAgain(entered, campaign, context)) {
    return { reason: 'already_entered', detail: { entry: file.entry } }
  }
  if (file.atOnce !== undefined && runningIn(draft, campaign) >= file.atOnce) {
    return { reason: 'at_once', detail: { atOnce: file.atOnce } }
  }
  if (trigger) {
    const leaves = trigger.leaves && where ? traceCondition(where, facts).leaves : null
    return { reason: trigger.reason, detail: leaves && { leaves } }
  }
  if (campaign.audienceHolds && file.audience.where && !campaign.audienceHolds(facts)) {
    return {
      reason: 'condition_false',
      detail: { leaves: traceCondition(file.audience.where, facts).leaves },
    }
  }
  return null
}

export function mayEnterAgain(
  entered: Instant,
  { file: { entry } }: CompiledCampaign,
  { now, definition }: DecideContext,
): boolean {
  if (typeof entry === 'string') return false
  return addDuration(entered, entry.again, definition.timeZone) <= now
}

function runningIn(draft: Draft, campaign: CompiledCampaign): number {
  return [...draft.enrolments.values()].filter(
    ({ campaignId, state }) => campaignId === campaign.id && state === 'running',
  ).length
}

/** What may not repeat under the campaign's entry rule. */
function entryKeyOf(draft: Draft, event: JourneyEvent, campaign: CompiledCampaign): string {
  const { entry } = campaign.file
  switch (typeof entry === 'string' ? entry : 'once') {
    case 'once':
      return ''
    case 'once-per-journey':
      return journeyEntryKey(campaign.file.journey, draft.person.journeys)
    case 'once-per-entity':
      return event.entity ? entityKey(event.entity) : ''
    case 'every-time':
      return `${event.subject} ${event.source} ${event.id}`
  }
}

/** The newest episode of the journey; 0 for who was never on it. */
export function journeyEntryKey(journey: string, places: Person['journeys']): string {
  return `${journey}#${places[journey]?.episode ?? 0}`
}

function enrol(
  draft: Draft,
  event: JourneyEvent,
  campaign: CompiledCampaign,
  context: DecideContext,
): void {
  const entryKey = entryKeyOf(draft, event, campaign)
  const enrolment: Enrolment = {
    enrolmentId: context.deriveId('enrolment', campaign.id, event.subject, event.source, event.id),
    campaignId: campaign.id,
    version: campaign.version,
    entryKey,
    state: 'running',
    reason: null,
    step: null,
    enteredAt: context.now,
    endedAt: null,
    goalAt: null,
    entity: event.entity,
    trigger: {
      source: event.source,
      id: event.id,
      type: event.type,
      time: event.time,
      data: event.data,
    },
    traceparent: event.traceparent,
  }
  draft.entries.set(entryOf(campaign.id, entryKey), context.now)
  draft.enrolments.set(enrolment.enrolmentId, enrolment)
  if (isHeldOut(draft, campaign, context)) {
    end(draft, enrolment, 'exited', 'held_out', context)
    return
  }
  noteOf(draft, enrolment, 'enrolled')
  goOnIn(campaign, draft, enrolment, campaign.first, context)
}

/**
 * By who the person is, so that it is the same people every time: of one campaign, and of all campaigns
 * of some classes together. They enter and get nothing, to be counted beside the others.
 */
export function isHeldOut(
  { person: { personId } }: Draft,
  { id, file }: CompiledCampaign,
  { definition: { holdOut } }: DecideContext,
): boolean {
  if (file.class === 'care') return false
  if (file.holdOut !== undefined && fractionOf(`hold-out/${id}/${personId}`) * 100 < file.holdOut)
    return true
  return (
    holdOut !== undefined &&
    holdOut.classes.includes(file.class) &&
    fractionOf(`hold-out/${personId}`) * 100 < holdOut.percent
  )
}

/** Goes on with the enrolment whose timer has come. A timer whose enrolment has ended does nothing. */
export function resume(draft: Draft, timer: RunTimer, context: DecideContext): void {
  draft.timers.delete(timer.timerId)
  const enrolment = draft.enrolments.get(timer.enrolmentId)
  if (enrolment?.state !== 'running' || enrolment.step !== timer.step) return
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
  if (intent.state === 'delivered') tellDelivered(draft, enrolment, intent, context)
  hear(draft, enrolment, context, (run) => run.node.kind.onReceipt?.(run.node.step, run))
}

/** Wherever the run stands by now, also when it is over. */
function tellDelivered(
  draft: Draft,
  enrolment: Enrolment,
  delivered: Intent,
  context: DecideContext,
): void {
  const { campaigns } = context.definition
  // Of a run that has ended nobody may know the version any more; then nothing of it can be taken back.
  const campaign = campaigns.get(campaignKey(enrolment.campaignId, enrolment.version))
  const node = campaign?.nodes.get(delivered.step)
  if (!campaign || !node?.kind.onDelivered) return
  node.kind.onDelivered(node.step, { draft, context, campaign, enrolment, node }, delivered)
}

/** Lets the enrolment of a task go on that waits for what has come of it. */
export function hearTask(draft: Draft, taskId: string, context: DecideContext): void {
  const task = draft.tasks.get(taskId)
  const enrolment = task && draft.enrolments.get(task.enrolmentId)
  if (!enrolment) return
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

function runAt(draft: Draft, enrolment: Enrolment, path: string, context: DecideContext): StepRun {
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
 * Ends the running enrolments that this touchpoint ends, with all that waits (P3). What happens to
 * one appointment ends nothing that hangs on another one.
 */
export function exitByTouchpoint(draft: Draft, event: JourneyEvent, context: DecideContext): void {
  const ended = context.definition.enders.get(event.type)
  if (!ended) return
  // What may go on again does not any more, unless it is this very event that withdraws its appointment.
  const withdraws = context.definition.touchpoints.get(event.type)?.withdraws
  const mayGoOn = (enrolment: Enrolment) =>
    enrolment.state === 'running' ||
    hasOpen(draft, enrolment) ||
    (mayGoOnAgain(enrolment.reason) && !withdraws)
  for (const enrolment of [...draft.enrolments.values()]) {
    if (!ended.has(enrolment.campaignId)) continue
    if (!mayGoOn(enrolment)) continue
    const exits = campaignOf(enrolment, context).exits.get(event.type) ?? []
    const meant = isOfAnotherEntity(enrolment, event)
      ? exits.filter(({ entity }) => entity === 'any')
      : exits
    if (meant.length === 0) continue
    const facts = factsOf(draft, context, enrolment, event)
    if (meant.some(({ holds }) => holds(facts))) {
      end(draft, enrolment, 'exited', 'exit_touchpoint', context)
    }
  }
}

/**
 * Counts a touchpoint that campaigns are for, once for each run that it comes in time for, also for
 * those that have ended or were held out. Who still goes through one leaves it, as by an exit (P3).
 */
export function reachGoals(draft: Draft, event: JourneyEvent, context: DecideContext): void {
  const hoping = context.definition.goals.get(event.type)
  if (!hoping) return
  for (const enrolment of [...draft.enrolments.values()]) {
    if (!hoping.has(enrolment.campaignId) || !isGoalOf(draft, enrolment, event, context)) continue
    const reached: Enrolment = { ...enrolment, goalAt: event.time }
    draft.enrolments.set(reached.enrolmentId, reached)
    if (reached.state === 'running' || hasOpen(draft, reached))
      end(draft, reached, 'exited', 'goal_reached', context)
    else noteOf(draft, reached, 'goal_reached', { detail: { after: reached.reason } })
  }
}

export function isGoalOf(
  draft: Draft,
  enrolment: Enrolment,
  event: JourneyEvent,
  context: DecideContext,
): boolean {
  const { file, goalHolds } = campaignOf(enrolment, context)
  if (file.goal?.touchpoint !== event.type || enrolment.goalAt !== null) return false
  if (file.goal.entity !== 'any' && isOfAnotherEntity(enrolment, event)) return false
  const facts = factsOf(draft, context, enrolment, event)
  // Who enters and reaches it in one breath has times in one order and decisions in the other.
  const from = enrolment.trigger.time
  const until = addDuration(enrolment.enteredAt, file.goal.within, facts.timeZone)
  return event.time >= from && event.time <= until && (goalHolds?.(facts) ?? true)
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
function mayGoOnAgain(reason: string | null): boolean {
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

function goOnIn(
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
      ...stepOf(campaign, draft, enrolment, path, context),
      inPlaceOf: isOfArm ? inPlaceOf : null,
    }
    context.watch?.step?.(run)
    const next = follow(run, run.node.kind.decide(run.node.step, run))
    if (next === undefined) return
    path = next
  }
  end(draft, enrolment, 'completed', 'completed', context)
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

/** The version that a person entered is the one they stay on (P5). */
export function campaignOf(enrolment: Enrolment, context: DecideContext): CompiledCampaign {
  const campaign = context.definition.campaigns.get(
    campaignKey(enrolment.campaignId, enrolment.version),
  )
  if (!campaign)
    throw new RangeError(`no campaign ${enrolment.campaignId} version ${enrolment.version}`)
  return campaign
}

/** An enrolment of which something may still go out must be told that it is over, though it has run through. */
export function hasOpen(draft: Draft, enrolment: Enrolment): boolean {
  return [...draft.intents.values()].some(
    (intent) => intent.enrolmentId === enrolment.enrolmentId && isOpen(intent),
  )
}

/** As long as nobody has it, a message can be taken back. */
export function hasPending(draft: Draft, enrolment: Enrolment): boolean {
  return [...draft.intents.values()].some(
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
 * counts from when it began to wait before; where nobody waits, the step is taken now.
 */
export function moveTo(
  draft: Draft,
  enrolment: Enrolment,
  { path, beganAt }: { path: string; beganAt: Instant },
  context: DecideContext,
): void {
  dropTimers(draft, enrolment)
  const run = runAt(draft, enrolment, path, context)
  const { kind, step } = run.node
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
