import { addresseesOf } from './addressees.ts'
import { comesBackAs, wasTakenBack } from './date-runs.ts'
import { type DecideContext, type Draft, noteOf } from './draft.ts'
import { campaignOf, goOn, tellUnclear, waitAt } from './enrolments.ts'
import { hangsOnEntity } from './moment.ts'
import { hangsAhead, newestPerStep, planUnplanned, replanAll, tellsAnew } from './replanning.ts'
import {
  type Enrolment,
  type Entity,
  type EntityReference,
  entryOf,
  type Intent,
  isPending,
} from './state.ts'
import { type StepNode, stepsBehind } from './step-node.ts'
import type { MessageStep } from './steps/message.ts'
import { withdrawMessage } from './steps/message-plan.ts'
import { messageTimes } from './steps/message-times.ts'
import { partsOf } from './steps/registry.ts'
import type { StepRun } from './steps/step-run.ts'
import { withdrawTask } from './tasks.ts'
import { triggerPartsOf } from './triggers/registry.ts'
import { unplannedSteps, withoutUnplanned } from './unplanned.ts'

/**
 * Moves an enrolment to a newer version of its entity. A wait for a moment of the entity is waited for
 * again, and of each message the newest is looked at:
 *
 * - One that waits is withdrawn and planned again.
 * - One that went out, or may have, whose moment hangs on the entity is planned anew when the new moment
 *   lies ahead.
 * - Any other that may have gone out, since a worker has it or nobody knows, is planned again in place of
 *   that one: of an older version it is not sent any more when it comes back. Is it heard of that it went
 *   out, the last check withdraws what took its place.
 * - One that was refused since it was of an older version told nobody, and is planned again.
 */
export function retime(
  draft: Draft,
  before: Enrolment,
  entity: Entity,
  context: DecideContext,
): void {
  const entryKey = comesBackAs(draft, before, context)
  const isBack = entryKey !== null || takesPlaceAfterAll(before, entity, context)
  if (before.state === 'exited' && !isBack) return
  const campaign = campaignOf(before, context)
  const { unclear } = campaign
  // Nobody is led through a version that cannot be read.
  if (isBack && unclear) {
    tellUnclear(draft, before, context, { entityVersion: entity.version })
    return
  }
  const reference: EntityReference = { type: entity.type, id: entity.id, version: entity.version }
  const isAmended = isBack && before.entity?.version === entity.version
  const retimed: Enrolment = {
    ...(isBack ? begunAgain(draft, before, entryKey) : before),
    entity: reference,
  }
  draft.enrolments.set(retimed.enrolmentId, retimed)
  if (isBack) noteOf(draft, retimed, entryKey === null ? 'entity_after_all' : 'date_after_all')
  const newest = newestPerStep(draft, retimed, campaign)
  const isAfterAll = isBack && entryKey === null
  const asked = unclear ? null : askedAgain(draft, retimed, newest, { context, isAfterAll })
  const isBehind = new Set(asked ? pathsBehind(asked, retimed, context) : [])
  const enrolment = asked ? comesAgainTo(isBehind, retimed, context) : retimed
  draft.enrolments.set(enrolment.enrolmentId, enrolment)
  for (const intent of newest) if (isBehind.has(intent.step)) takeOut(draft, enrolment, intent)
  replanAll(
    newest.filter(({ step }) => !isBehind.has(step)),
    { draft, context, enrolment },
    { isAmended, askedAgain: asked?.path },
  )
  if (!unclear) planPassed(draft, enrolment, context)
  takeOutTasks(draft, enrolment, isBehind)
  const { step } = enrolment
  if (asked) waitAt(draft, enrolment, asked.path, context)
  else if (step === null || !isBack) waitAgain(draft, enrolment, context)
  else if (entryKey === null) goOn(draft, enrolment, step, context)
  else standAt(draft, enrolment, step, context)
}

/**
 * Lets runs go on that were taken back, and whose date, of the person, is at a moment again that had come.
 * What was withdrawn then is planned again, as long as it is worth sending; what went out is not.
 */
export function goOnForDates(draft: Draft, context: DecideContext): void {
  for (const before of [...draft.enrolments.values()]) {
    const entryKey = before.entity === null ? comesBackAs(draft, before, context) : null
    if (entryKey === null) continue
    const campaign = campaignOf(before, context)
    if (campaign.unclear) {
      tellUnclear(draft, before, context, {})
      continue
    }
    const enrolment = begunAgain(draft, before, entryKey)
    draft.enrolments.set(enrolment.enrolmentId, enrolment)
    noteOf(draft, enrolment, 'date_after_all')
    const newest = newestPerStep(draft, enrolment, campaign)
    replanAll(newest, { draft, context, enrolment }, { isAmended: true })
    if (enrolment.step !== null) standAt(draft, enrolment, enrolment.step, context)
  }
}

/** Who has been asked already is not asked twice. */
function standAt(draft: Draft, enrolment: Enrolment, path: string, context: DecideContext): void {
  const campaign = campaignOf(enrolment, context)
  const node = campaign.nodes.get(path)
  const hasBegun = node?.kind.hasBegun?.(node.step, { draft, context, campaign, enrolment, node })
  if (hasBegun) waitAt(draft, enrolment, path, context)
  else goOn(draft, enrolment, path, context)
}

/**
 * A run that ended only since its entity was withdrawn goes on when that takes place after all; unless what
 * says so begins a new run of the same campaign, which tells it.
 */
function takesPlaceAfterAll(
  enrolment: Enrolment,
  { saidIn, version }: Entity,
  context: DecideContext,
): boolean {
  const { state, reason, goalAt } = enrolment
  if (state !== 'exited' || reason !== 'entity_withdrawn' || goalAt !== null) return false
  if (wasTakenBack(enrolment)) return false
  const { entry, trigger } = campaignOf(enrolment, context).file
  if (entry === 'once' || entry === 'once-per-entity') return true
  return !triggerPartsOf(trigger).types.some((type) => saidIn.touchpoints[type] === version)
}

/** At the step at which it waited, or run through; of one that was taken back the entry counts again. */
function begunAgain(draft: Draft, before: Enrolment, entryKey: string | null): Enrolment {
  if (entryKey !== null) draft.entries.set(entryOf(before.campaignId, entryKey), before.enteredAt)
  const run = { reason: null, endedAt: null, entryKey: entryKey ?? before.entryKey }
  return before.step === null
    ? { ...before, ...run, state: 'completed', reason: 'completed', endedAt: before.endedAt }
    : { ...before, ...run, state: 'running' }
}

/**
 * The question that is asked of the newer version, too, so that the run stands at it again: the one at
 * which it stands, or the first that was answered, or not, of an older one and whose own moment hangs on
 * the entity and lies ahead. So does a message over one channel after the other begin anew, but not only
 * since the run stands at it: what went out of it is told, and the next channel tells of the newer version.
 * None when there is no time left to ask.
 */
function askedAgain(
  draft: Draft,
  enrolment: Enrolment,
  newest: readonly Intent[],
  { context, isAfterAll }: { context: DecideContext; isAfterAll: boolean },
): StepNode | null {
  const campaign = campaignOf(enrolment, context)
  const at = enrolment.state === 'running' ? campaign.nodes.get(enrolment.step ?? '') : undefined
  // Where it has been led back before, it comes to these again by itself.
  const ahead = at ? stepsBehind(at, campaign.nodes) : new Set<StepNode>()
  const asked = newest.flatMap((intent) => {
    const node = campaign.nodes.get(intent.step)
    const message = node && partsOf(node.step).message
    const begins = node?.kind.beginsAnew?.(intent)
    if (!node || !message || !begins || ahead.has(node)) return []
    const run = { draft, context, campaign, enrolment }
    const times = messageTimes({ message }, run)
    if (times === null || times.expiresAt <= context.now) return []
    const isStoodAt = enrolment.state === 'running' && enrolment.step === node.path
    const standsHere = isStoodAt && (begins === 'always' || isAfterAll)
    return standsHere || tellsAnew(intent, { message }, run) ? [node.path] : []
  })
  for (const node of unplannedSteps(draft, enrolment, campaign)) {
    const { message } = partsOf(node.step)
    if (!message || !node.kind.waitsUntil) continue
    if (canBeTold(message, { draft, context, campaign, enrolment })) asked.push(node.path)
  }
  for (const [path, node] of campaign.nodes) if (asked.includes(path)) return node
  return null
}

/** Its own moment lies ahead, and somebody is there to whom it can be told by then. */
function canBeTold(message: MessageStep['message'], run: Omit<StepRun, 'node'>): boolean {
  if (!hangsAhead(message, run)) return false
  const dueAt = messageTimes({ message }, run)?.dueAt
  return addresseesOf(message, run, dueAt).some((addressee) => {
    const times = messageTimes({ message }, run, addressee)
    return times !== null && times.expiresAt > run.context.now
  })
}

/** Of those that it has passed without planning them it comes to these again. */
function comesAgainTo(
  paths: ReadonlySet<string>,
  enrolment: Enrolment,
  context: DecideContext,
): Enrolment {
  const { nodes } = campaignOf(enrolment, context)
  const ids = [...paths].map((path) => {
    const node = nodes.get(path)
    return node && partsOf(node.step).message?.id
  })
  return withoutUnplanned(enrolment, (messageId) => ids.includes(messageId))
}

/** What was passed when it could not be planned, as of a booking without its time, is told by the newer version. */
function planPassed(
  draft: Draft,
  enrolment: Enrolment,
  context: DecideContext,
  isMeant: (message: MessageStep['message'], node: StepNode) => boolean = () => true,
): void {
  const campaign = campaignOf(enrolment, context)
  for (const node of unplannedSteps(draft, enrolment, campaign)) {
    const { message } = partsOf(node.step)
    const run = { draft, context, campaign, enrolment, node }
    if (message && isMeant(message, node)) planUnplanned({ message }, run)
  }
}

/** Where everything stands that is planned when the run comes there again. */
function pathsBehind(asked: StepNode, enrolment: Enrolment, context: DecideContext): string[] {
  const { nodes } = campaignOf(enrolment, context)
  return [...stepsBehind(asked, nodes)].map(({ path }) => path)
}

function takeOut(draft: Draft, enrolment: Enrolment, intent: Intent): void {
  if (isPending(intent)) withdrawMessage(draft, enrolment, intent, 'entity_superseded')
}

function takeOutTasks(draft: Draft, enrolment: Enrolment, paths: ReadonlySet<string>): void {
  for (const task of draft.tasks.values()) {
    const isOwn = task.enrolmentId === enrolment.enrolmentId
    if (isOwn && paths.has(task.step)) withdrawTask(draft, enrolment, task, 'entity_superseded')
  }
}

/**
 * The same for an enrolment of this very version, when a field has another value now: only what hangs on
 * such a field. What may have gone out comes back by itself with what is known then.
 */
export function amend(
  draft: Draft,
  enrolment: Enrolment,
  changed: ReadonlySet<string>,
  context: DecideContext,
): void {
  if (enrolment.state === 'exited') return
  const campaign = campaignOf(enrolment, context)
  const { nodes } = campaign
  const hanging = newestPerStep(draft, enrolment, campaign).filter((intent) => {
    const step = nodes.get(intent.step)?.step
    // One that cannot be read may hang on it.
    if (!step) return true
    const { message } = partsOf(step)
    return message && hangsOn(message, changed)
  })
  replanAll(hanging, { draft, context, enrolment }, { isAmended: true })
  // Nobody is led back for that to where an answer, or the next channel, would be waited for.
  const isMeant = (message: MessageStep['message'], { kind }: StepNode) =>
    !kind.waitsUntil && hangsOn(message, changed)
  if (!campaign.unclear) planPassed(draft, enrolment, context, isMeant)
  const node = nodes.get(enrolment.step ?? '')
  const pause = node && partsOf(node.step).pause
  if (pause && hangsOn({ send: pause }, changed)) waitAgain(draft, enrolment, context)
  else if (node?.kind.onMoved) waitAgain(draft, enrolment, context)
  else if (node?.kind.waitsUntil) waitAt(draft, enrolment, node.path, context)
}

function hangsOn(
  { send, until }: Pick<MessageStep['message'], 'send' | 'until'>,
  fields: ReadonlySet<string>,
): boolean {
  const moments = [until, send && 'until' in send ? send.until : undefined]
  return moments.some((moment) => moment?.startsWith('entity.') && fields.has(moment.slice(7)))
}

function waitAgain(draft: Draft, enrolment: Enrolment, context: DecideContext): void {
  if (enrolment.state !== 'running' || enrolment.step === null) return
  const campaign = campaignOf(enrolment, context)
  const node = campaign.nodes.get(enrolment.step)
  if (!node) return
  const { pause } = partsOf(node.step)
  if (pause && hangsOnEntity(pause)) goOn(draft, enrolment, node.path, context)
  if (!node.kind.onMoved) return
  node.kind.onMoved(node.step, { draft, context, campaign, enrolment, node })
  waitAt(draft, enrolment, node.path, context)
}
