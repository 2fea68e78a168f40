import { type Addressee, addresseesOf } from './addressees.ts'
import type { CompiledCampaign } from './compiled-campaign.ts'
import type { ChannelName } from './definition/words.ts'
import { type DecideContext, type Draft, noteOf } from './draft.ts'
import { campaignOf } from './enrolments.ts'
import { factsOf } from './facts.ts'
import { ledBackBy, versionOf } from './led-back.ts'
import { hangsOnEntity, resolveMoment } from './moment.ts'
import type { ReasonCode } from './reasons.ts'
import { type Enrolment, type Intent, isPending } from './state.ts'
import type { MessageStep } from './steps/message.ts'
import { partIn, partOf } from './steps/message-channels.ts'
import { isToSame, planAgain, planEach, withdrawMessage } from './steps/message-plan.ts'
import { isLaterOfCascade, turnOf } from './steps/message-status.ts'
import { messageTimes } from './steps/message-times.ts'
import { partsOf } from './steps/registry.ts'
import type { StepRun } from './steps/step-run.ts'

type Replanning = { draft: Draft; context: DecideContext; enrolment: Enrolment }

/**
 * Plans again what of these is still to be told, to those who are to get it by now. Who is not any more gets
 * nothing else; who is to get it since then gets it with the others.
 */
export function replanAll(
  intents: readonly Intent[],
  { draft, context, enrolment }: Replanning,
  { isAmended = false, askedAgain }: { isAmended?: boolean; askedAgain?: string | undefined } = {},
): void {
  const campaign = campaignOf(enrolment, context)
  // What was awaited before what comes in its place, in whatever order they are kept.
  const paths = [...campaign.nodes.keys()]
  const inOrder = intents.toSorted(
    (one, other) => paths.indexOf(one.step) - paths.indexOf(other.step),
  )
  for (const [path, own] of Map.groupBy(inOrder, ({ step }) => step)) {
    const node = campaign.nodes.get(path)
    const message = node && partsOf(node.step).message
    const isUnclear =
      !node || campaign.unclear?.isHidden || own.some(({ question }) => question !== null)
    if (campaign.unclear && isUnclear) leaveUnclear(draft, enrolment, own)
    if (!node || !message || (campaign.unclear && isUnclear)) continue
    const run = { draft, context, campaign, enrolment, node }
    replanEach(own, { message }, run, { isAmended, isAskedAgain: askedAgain === path })
    // It is told, but nobody stands at it to go on to what would have come next.
    const isLedOn = own.some((intent) => node.kind.beginsAnew?.(intent))
    if (campaign.unclear && isLedOn)
      noteOf(draft, enrolment, 'version_unreadable', { detail: { message: message.id } })
  }
}

/** What a step told that cannot be read, or asked of somebody whose answer nobody would wait for. */
function leaveUnclear(draft: Draft, enrolment: Enrolment, intents: readonly Intent[]): void {
  for (const intent of intents) {
    const { intentId, messageId: message } = intent
    if (isPending(intent)) withdrawMessage(draft, enrolment, intent, 'version_unreadable')
    else if (isToldAnew(intent))
      noteOf(draft, enrolment, 'version_unreadable', { intentId, detail: { message } })
  }
}

type How = { readonly isAmended: boolean; readonly isAskedAgain: boolean }

/** All of one step. */
function replanEach(intents: readonly Intent[], step: MessageStep, run: StepRun, how: How): void {
  const addressees = addresseesOf(step.message, run, messageTimes(step, run)?.dueAt)
  const told = new Map(addressees.map((each) => [each, new Set<ChannelName | undefined>()]))
  let isPlanned = false
  for (const intent of intents) {
    // Over all channels each has one of its own; two recipients may have become one, who has the other's.
    const part = partIn(step.message, intent)
    const addressee = addressees.find(
      (each) => isToSame(intent, each.recipient, run.context) && !told.get(each)?.has(part),
    )
    if (addressee) told.get(addressee)?.add(part)
    isPlanned = replan(step, run, intent, addressee, how) || isPlanned
  }
  if (!isPlanned && !intents.some((each) => isPending(each) || tellsAnew(each, step, run))) return
  for (const [addressee, parts] of told)
    if (parts.size === 0) isPlanned = planFor(addressee, step, run) || isPlanned
  if (!isPlanned) tellWhyNot(step, run, addressees)
}

/** Plans what the run has passed without planning it, to those who are to get it by now: it was told to nobody. */
export function planUnplanned(step: MessageStep, run: StepRun): void {
  if (!hangsAhead(step.message, run)) return
  const addressees = addresseesOf(step.message, run, messageTimes(step, run)?.dueAt)
  const planned = addressees.filter((addressee) => planFor(addressee, step, run))
  if (planned.length === 0) tellWhyNot(step, run, addressees)
}

/** Whether a message of its own is to tell the newer version: its own moment hangs on the entity and lies ahead. */
export function tellsAnew(
  intent: Intent,
  { message }: MessageStep,
  run: Omit<StepRun, 'node'>,
): boolean {
  return isToldAnew(intent) && hangsAhead(message, run)
}

/** Whether the moment at which it is told hangs on the entity and lies ahead, by what is known of that now. */
export function hangsAhead(
  { send }: MessageStep['message'],
  { draft, context, enrolment }: Omit<StepRun, 'node'>,
): boolean {
  if (!send || !hangsOnEntity(send)) return false
  const { isWorkingDay } = context.definition
  const moment = resolveMoment(send, { ...factsOf(draft, context, enrolment), isWorkingDay })
  return moment !== null && moment > context.now
}

function planFor(addressee: Addressee, step: MessageStep, run: StepRun): boolean {
  const times = messageTimes(step, run, addressee)
  if (times === null || times.expiresAt <= run.context.now) return false
  const insteadOf = awaitedBefore(run, addressee)
  planEach(step, run, { times, addressee }, 'message_planned', { insteadOf })
  return true
}

/** Nothing tells the newer version, and the older one is not told any more (P4). */
function tellWhyNot(step: MessageStep, run: StepRun, [addressee]: readonly Addressee[]): void {
  const { draft, enrolment } = run
  const { id, question } = step.message
  const times = messageTimes(step, run, addressee)
  // What is left went over a channel that this version of the campaign has not.
  if (addressee && times && times.expiresAt > run.context.now) return
  const ofTimes = times ? (times.outlastedBy ?? 'moment_passed') : 'moment_unknown'
  const ofNobody = question ? 'recipient_by_age' : 'no_recipient'
  noteOf(draft, enrolment, addressee ? ofTimes : ofNobody, { detail: { message: id } })
}

/** Whether it was planned again. */
function replan(
  step: MessageStep,
  run: StepRun,
  intent: Intent,
  addressee: Addressee | undefined,
  { isAmended, isAskedAgain }: How,
): boolean {
  const { draft, context, enrolment } = run
  const pending = isPending(intent)
  if (pending) withdrawMessage(draft, enrolment, intent, 'entity_superseded')
  // Nobody waits for an answer there, and every one would come too late.
  if (step.message.question && !isAskedAgain && !isStoodAt(run)) return false
  const times = addressee ? messageTimes(step, run, addressee) : null
  if (!addressee || times === null || times.expiresAt <= context.now) return false
  const plan = (insteadOf: string | null, { isWhole = true } = {}) =>
    planAgain(step, run, { times, addressee }, intent, { insteadOf, isAmended, isWhole })
  const awaited = awaitedBefore(run, addressee)
  // An answer to the older one does not count for this one, whether or not that one went out.
  if (isAskedAgain) return plan(awaited)
  const { send } = step.message
  const isAhead = send && hangsOnEntity(send) && times.moment > context.now
  if (isAhead && isToldAnew(intent)) return plan(awaited)
  const isWhole = intent.turn === undefined
  if (mayGoOut(intent)) return (pending || !isAmended) && plan(intent.intentId, { isWhole })
  const before = pending || !isWhole ? intent.insteadOf : null
  const insteadOf = isWhole ? (awaited ?? before) : before
  return (pending || isLeftOut(intent)) && plan(insteadOf, { isWhole })
}

function isStoodAt({ enrolment: { state, step }, node }: StepRun): boolean {
  return state === 'running' && step === node.path
}

/**
 * The message that was waited for in vain before this one, if that tells the newer version, too: this one comes in its
 * place, or whoever gets it would be told twice (P2).
 */
function awaitedBefore(
  { draft, context, campaign, enrolment, node }: StepRun,
  { recipient }: Addressee,
): string | null {
  const told = [...draft.intents.values()].filter(
    (intent) =>
      intent.enrolmentId === enrolment.enrolmentId &&
      isPending(intent) &&
      versionOf(intent) === enrolment.entity?.version &&
      isToSame(intent, recipient, context),
  )
  // Where that one tells nothing, the one in whose place it came.
  for (const { path, step } of [...campaign.nodes.values()].reverse()) {
    for (const { id, inItsPlace } of partsOf(step).messages ?? []) {
      if (!node.path.startsWith(`${path}.${inItsPlace}.`)) continue
      const awaited = told.find(({ messageId }) => messageId === id)
      if (awaited) return awaited.intentId
    }
  }
  return null
}

/**
 * Whether a newer version is told by a message of its own, when the moment of that lies ahead: whatever became of
 * this one, also when it reached nobody, and the last check looks at whatever kept it back. Not what was taken back
 * for good: by what ended the run, by staff, by a version of the campaign, or since another one had told it.
 */
function isToldAnew(intent: Intent): boolean {
  const { state, reason } = intent
  // Of a cascade one before it has arrived, and that has told it.
  if (reason === 'awaited_after_all') return turnOf(intent) > 0
  return state !== 'cancelled' || !takesBackForGood.has(reason ?? '')
}

const takesBackForGood: ReadonlySet<string> = new Set<ReasonCode>([
  'exit_touchpoint',
  'goal_reached',
  'person_deceased',
  'closed_by_staff',
  'moved_to_version',
])

function mayGoOut(intent: Intent): boolean {
  return (
    intent.state === 'sending' || intent.state === 'held' || (isPending(intent) && intent.duplicate)
  )
}

/**
 * A version in between took the place of the one before and told nobody: its moment had passed, or it
 * said that it does not take place, and the last check refused what came back. Of a run that goes on the
 * last check alone says that the entity was withdrawn, or that the date had moved.
 */
function isLeftOut({ state, reason }: Intent): boolean {
  return state === 'cancelled' && leavesOut.has(reason ?? '')
}

const leavesOut: ReadonlySet<string> = new Set<ReasonCode>([
  'entity_superseded',
  'entity_withdrawn',
  'date_moved',
])

/**
 * The newest message of each step to each recipient, of all channels over each; older ones were replaced by an earlier
 * re-timing. Not what stands on a way that the run was led back from, and to which it has not come again since.
 */
export function newestPerStep(
  draft: Draft,
  enrolment: Enrolment,
  campaign: CompiledCampaign,
): Intent[] {
  const own = [...draft.intents.values()].filter(
    ({ enrolmentId }) => enrolmentId === enrolment.enrolmentId,
  )
  const ledBack = ledBackBy(own, campaign)
  const newest = new Map<string, Intent>()
  for (const intent of own) {
    if (versionOf(intent) < (ledBack.get(intent.step) ?? 0)) continue
    const key = `${intent.step} ${intent.recipient?.personId ?? ''} ${partOf(intent) ?? ''}`
    const known = newest.get(key)
    if (!known || isNewer(intent, known)) newest.set(key, intent)
  }
  return [...newest.values()]
}

/** Of one version all but the last were withdrawn when more became known of it, or had gone out before. */
function isNewer(intent: Intent, than: Intent): boolean {
  const [version, known] = [versionOf(intent), versionOf(than)]
  if (version !== known) return version > known
  if (intent.plannedAt !== than.plannedAt) return intent.plannedAt > than.plannedAt
  return isLaterOfCascade(intent, than) ?? than.state === 'cancelled'
}
