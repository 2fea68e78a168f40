import { type Addressee, addresseesOf } from './addressees.ts'
import type { CompiledCampaign, StepNode } from './compile.ts'
import { awaitDatesOfEntity, comesBackAs, isTooEarly, takeBack, wasTakenBack } from './dates.ts'
import type { ChannelName } from './definition/words.ts'
import { type DecideContext, type Draft, noteOf } from './draft.ts'
import { campaignOf, end, goOn, hasPending, waitAt } from './enrolments.ts'
import { hangsOnEntity } from './moment.ts'
import type { ReasonCode } from './reasons.ts'
import {
  type Enrolment,
  type Entity,
  type EntityReference,
  entityKey,
  entryOf,
  type Intent,
  isPending,
  type JourneyEvent,
} from './state.ts'
import type { MessageStep } from './steps/message.ts'
import { allChannelsOf, cascadeOf, partOf } from './steps/message-channels.ts'
import {
  isToSame,
  planEach,
  planMessage,
  type RestOfCascade,
  withdrawMessage,
} from './steps/message-plan.ts'
import { isLaterOfCascade, turnOf } from './steps/message-status.ts'
import { messageTimes } from './steps/message-times.ts'
import { partsOf } from './steps/registry.ts'
import type { StepRun } from './steps/step-run.ts'
import { withdrawTask } from './tasks.ts'
import { triggerPartsOf } from './triggers/registry.ts'

/**
 * What an event says of an entity, beside what is known: `newer` or nothing of an entity, the same
 * version (`known`), or an older one (`overtaken`).
 */
export type EntityNews = 'newer' | 'known' | 'overtaken'

/**
 * Applies what an event says of an entity (an appointment, a stay). A version above the known one takes
 * along every wait and message that hangs on the entity (P3). Of an older one only what no newer version
 * says is added, as it would be known if they had come in their order, and what hangs on that is timed
 * anew; an equal one changes nothing.
 */
export function applyEntity(draft: Draft, event: JourneyEvent, context: DecideContext): EntityNews {
  if (!event.entity) return 'newer'
  const touchpoint = context.definition.touchpoints.get(event.type)
  if (!touchpoint?.entity) return 'newer'
  const known = draft.entities.get(entityKey(event.entity))
  if (known?.version === event.entity.version) return 'known'
  const said: Entity = {
    ...event.entity,
    state: touchpoint.withdraws ? 'withdrawn' : 'active',
    data: event.data,
    changedAt: event.time,
    saidIn: { fields: {}, touchpoints: { [event.type]: event.entity.version } },
  }
  if (!known) {
    draft.entities.set(entityKey(said), said)
    awaitDatesOfEntity(draft, said, undefined, context)
    return 'newer'
  }
  const { entity, changed } = uniteEntities(said, known)
  draft.entities.set(entityKey(entity), entity)
  awaitDatesOfEntity(draft, entity, known, context)
  takeAlong(draft, entity, changed, context)
  return entity.version > known.version ? 'newer' : 'overtaken'
}

/** An entity of which more is known, and the fields in which the newest version of it differs now. */
export type UnitedEntity = { entity: Entity; changed: ReadonlySet<string> }

/**
 * Makes one of what two tell of the same entity, in whatever order: each field as its newest version says,
 * and of one version as the first of the two does.
 */
export function uniteEntities(one: Entity, other: Entity): UnitedEntity {
  const [newest, older] = one.version >= other.version ? [one, other] : [other, one]
  const data = { ...newest.data }
  const fields = { ...newest.saidIn.fields }
  for (const [field, value] of Object.entries(older.data)) {
    const version = versionOfField(older, field)
    if (version <= versionOfField(newest, field)) continue
    Object.assign(data, { [field]: value })
    if (version < newest.version) fields[field] = version
    else delete fields[field]
  }
  const touchpoints = { ...older.saidIn.touchpoints }
  for (const [type, version] of Object.entries(newest.saidIn.touchpoints))
    touchpoints[type] = Math.max(version, touchpoints[type] ?? version)
  const entity = { ...newest, data, saidIn: { fields, touchpoints } }
  const sameAge = older.version === newest.version ? [newest, older] : [newest]
  return { entity, changed: new Set(sameAge.flatMap((each) => fieldsThatDiffer(entity, each))) }
}

/** Below all versions for a field that it does not have. */
function versionOfField({ data, version, saidIn }: Entity, field: string): number {
  if (!Object.hasOwn(data, field)) return -1
  return saidIn.fields[field] ?? version
}

function fieldsThatDiffer(one: Entity, other: Entity): string[] {
  return Object.keys(one.data).filter(
    (field) => JSON.stringify(one.data[field]) !== JSON.stringify(other.data[field]),
  )
}

/**
 * Takes what hangs on older versions of the entity along to this one, and times anew what hangs on this
 * one and on a field that has `changed`.
 */
export function takeAlong(
  draft: Draft,
  entity: Entity,
  changed: ReadonlySet<string>,
  context: DecideContext,
): void {
  // Nobody is told anew of an appointment of somebody who has died (P3).
  if (draft.person.deceasedAt !== null) return
  for (const enrolment of [...draft.enrolments.values()]) {
    if (!enrolment.entity || entityKey(enrolment.entity) !== entityKey(entity)) continue
    const isOlder = enrolment.entity.version < entity.version
    if (entity.state === 'withdrawn') {
      if (isOlder) withdraw(draft, enrolment, context)
    } else if (isTooEarly(draft, enrolment, context)) takeBack(draft, enrolment, context)
    else if (isOlder || wasTakenBack(enrolment)) retime(draft, enrolment, entity, context)
    else if (changed.size > 0) amend(draft, enrolment, changed, context)
  }
}

/**
 * What has run through and told all it had to, or has it with a worker, has not ended for nothing: it
 * is told when the appointment takes place after all, at another moment. What ends is remembered where it
 * was, for the same reason. What the worker has is
 * refused by the last check when it comes back: it is of an older version.
 */
function withdraw(draft: Draft, enrolment: Enrolment, context: DecideContext): void {
  if (enrolment.state !== 'running' && !hasPending(draft, enrolment)) return
  end(draft, enrolment, 'exited', 'entity_withdrawn', context)
}

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
function retime(draft: Draft, before: Enrolment, entity: Entity, context: DecideContext): void {
  const entryKey = comesBackAs(draft, before, context)
  const isBack = entryKey !== null || takesPlaceAfterAll(before, entity, context)
  if (before.state === 'exited' && !isBack) return
  const reference: EntityReference = { type: entity.type, id: entity.id, version: entity.version }
  const isAmended = isBack && before.entity?.version === entity.version
  const enrolment: Enrolment = {
    ...(isBack ? begunAgain(draft, before, entryKey) : before),
    entity: reference,
  }
  draft.enrolments.set(enrolment.enrolmentId, enrolment)
  if (isBack) noteOf(draft, enrolment, entryKey === null ? 'entity_after_all' : 'date_after_all')
  const newest = newestPerStep(draft, enrolment)
  const asked = askedAgain(draft, enrolment, newest, {
    context,
    isAfterAll: isBack && entryKey === null,
  })
  const isBehind = asked ? pathsBehind(asked, campaignOf(enrolment, context)) : new Set<string>()
  for (const intent of newest) if (isBehind.has(intent.step)) takeOut(draft, enrolment, intent)
  replanAll(
    newest.filter(({ step }) => !isBehind.has(step)),
    { draft, context, enrolment },
    { isAmended, askedAgain: asked?.path },
  )
  for (const task of draft.tasks.values()) {
    const isOwn = task.enrolmentId === enrolment.enrolmentId
    if (isOwn && isBehind.has(task.step)) withdrawTask(draft, enrolment, task, 'entity_superseded')
  }
  if (asked) waitAt(draft, enrolment, asked.path, context)
  else if (entryKey !== null && enrolment.step !== null)
    standAt(draft, enrolment, enrolment.step, context)
  else if (isBack && enrolment.step !== null) goOn(draft, enrolment, enrolment.step, context)
  else waitAgain(draft, enrolment, context)
}

/**
 * Lets runs go on that were taken back, and whose date, of the person, is at a moment again that had come.
 * What was withdrawn then is planned again, as long as it is worth sending; what went out is not.
 */
export function goOnForDates(draft: Draft, context: DecideContext): void {
  for (const before of [...draft.enrolments.values()]) {
    const entryKey = before.entity === null ? comesBackAs(draft, before, context) : null
    if (entryKey === null) continue
    const enrolment = begunAgain(draft, before, entryKey)
    draft.enrolments.set(enrolment.enrolmentId, enrolment)
    noteOf(draft, enrolment, 'date_after_all')
    replanAll(newestPerStep(draft, enrolment), { draft, context, enrolment }, { isAmended: true })
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
  const asked = newest.flatMap((intent) => {
    const node = campaign.nodes.get(intent.step)
    const message = node && partsOf(node.step).message
    if (!node || !message || (intent.question === null && !cascadeOf(message))) return []
    const times = messageTimes({ message }, { draft, context, campaign, enrolment })
    if (times === null || times.expiresAt <= context.now) return []
    const isStoodAt = enrolment.state === 'running' && enrolment.step === node.path
    const standsHere = isStoodAt && (intent.question !== null || isAfterAll)
    const isAhead = message.send && hangsOnEntity(message.send) && times.moment > context.now
    const wasAsked = isPending(intent) || isTold(intent) || isLeftOut(intent)
    return standsHere || (isAhead && wasAsked) ? [node.path] : []
  })
  for (const [path, node] of campaign.nodes) if (asked.includes(path)) return node
  return null
}

/** Everything that may follow a step: it is planned when the run comes there again. */
function pathsBehind(from: StepNode, { nodes }: CompiledCampaign): Set<string> {
  const behind = new Set<string>()
  const paths = [from.next, ...from.arms.map(({ first }) => first)]
  while (paths.length > 0) {
    const node = nodes.get(paths.pop() ?? '')
    if (!node || behind.has(node.path)) continue
    behind.add(node.path)
    paths.push(node.next, ...node.arms.map(({ first }) => first))
  }
  behind.delete(from.path)
  return behind
}

function takeOut(draft: Draft, enrolment: Enrolment, intent: Intent): void {
  if (isPending(intent)) withdrawMessage(draft, enrolment, intent, 'entity_superseded')
}

/**
 * The same for an enrolment of this very version, when a field has another value now: only what hangs on
 * such a field. What may have gone out comes back by itself with what is known then.
 */
function amend(
  draft: Draft,
  enrolment: Enrolment,
  changed: ReadonlySet<string>,
  context: DecideContext,
): void {
  if (enrolment.state === 'exited') return
  const { nodes } = campaignOf(enrolment, context)
  const hanging = newestPerStep(draft, enrolment).filter((intent) => {
    const step = nodes.get(intent.step)?.step
    const message = step && partsOf(step).message
    return message && hangsOn(message, changed)
  })
  replanAll(hanging, { draft, context, enrolment }, { isAmended: true })
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

type Replanning = { draft: Draft; context: DecideContext; enrolment: Enrolment }

/**
 * Plans again what of these is still to be told, to those who are to get it by now. Who is not any more gets
 * nothing else; who is to get it since then gets it with the others.
 */
function replanAll(
  intents: readonly Intent[],
  { draft, context, enrolment }: Replanning,
  { isAmended = false, askedAgain }: { isAmended?: boolean; askedAgain?: string | undefined } = {},
): void {
  const campaign = campaignOf(enrolment, context)
  for (const [path, own] of Map.groupBy(intents, ({ step }) => step)) {
    const node = campaign.nodes.get(path)
    const message = node && partsOf(node.step).message
    if (!node || !message) continue
    const run = { draft, context, campaign, enrolment, node }
    const step: MessageStep = { message }
    const isAskedAgain = askedAgain === path
    const addressees = addresseesOf(step.message, run, messageTimes(step, run)?.dueAt)
    const told = new Map(addressees.map((each) => [each, new Set<ChannelName | undefined>()]))
    let isPlanned = false
    for (const intent of own) {
      // Over all channels each has one of its own; two recipients may have become one, who has the other's.
      const part = allChannelsOf(message) ? partOf(intent) : undefined
      const addressee = addressees.find(
        (each) => isToSame(intent, each.recipient, context) && !told.get(each)?.has(part),
      )
      if (addressee) told.get(addressee)?.add(part)
      isPlanned = replan(step, run, intent, addressee, { isAmended, isAskedAgain }) || isPlanned
    }
    if (!isPlanned) continue
    for (const [addressee, parts] of told) if (parts.size === 0) planFor(addressee, step, run)
  }
}

function planFor(addressee: Addressee, step: MessageStep, run: StepRun): void {
  const times = messageTimes(step, run, addressee)
  if (times !== null && times.expiresAt > run.context.now)
    planEach(step, run, { times, addressee }, 'message_planned')
}

/** Whether it was planned again. */
function replan(
  step: MessageStep,
  run: StepRun,
  intent: Intent,
  addressee: Addressee | undefined,
  { isAmended, isAskedAgain }: { isAmended: boolean; isAskedAgain: boolean },
): boolean {
  const { draft, context, enrolment } = run
  const pending = isPending(intent)
  if (pending) withdrawMessage(draft, enrolment, intent, 'entity_superseded')
  const times = addressee ? messageTimes(step, run, addressee) : null
  if (!addressee || times === null || times.expiresAt <= context.now) return false
  const plan = (insteadOf: string | null, rest?: RestOfCascade) => {
    const to = { times, addressee }
    const options = { insteadOf, isAmended }
    const [parts, part] = [allChannelsOf(step.message), partOf(intent)]
    if (parts && part && !parts.includes(part)) return false
    if (parts && part) planMessage(step, run, to, 'message_replanned', { ...options, part })
    else if (rest) planMessage(step, run, to, 'message_replanned', { ...options, rest })
    else planEach(step, run, to, 'message_replanned', options)
    return true
  }
  // An answer to the older one does not count for this one, whether or not that one went out.
  if (isAskedAgain) return plan(null)
  const { send } = step.message
  const isAhead = send && hangsOnEntity(send) && times.moment > context.now
  if (isAhead && (pending || isTold(intent) || isLeftOut(intent))) return plan(null)
  const { turn, channels } = intent
  const rest = turn === undefined ? undefined : { turn, channels }
  if (mayGoOut(intent)) return (pending || !isAmended) && plan(intent.intentId, rest)
  return (pending || isLeftOut(intent)) && plan(pending || rest ? intent.insteadOf : null, rest)
}

/** Or may be. Of a cascade also when the last one was taken back, since one before it has arrived. */
function isTold(intent: Intent): boolean {
  const isToldBefore = turnOf(intent) > 0 && intent.reason === 'awaited_after_all'
  return wentOut(intent) || mayGoOut(intent) || isToldBefore
}

/** A run that goes on has a message withdrawn, too, when another one had told the same. */
function wentOut({ state, reason }: Intent): boolean {
  const wasTold = reason === 'merged_duplicate' || reason === 'older_version_told'
  return state === 'cancelled' ? wasTold : state === 'sent' || state === 'delivered'
}

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

/** The newest message of each step to each recipient, of all channels over each; older ones were replaced by an earlier re-timing. */
function newestPerStep(draft: Draft, enrolment: Enrolment): Intent[] {
  const newest = new Map<string, Intent>()
  for (const intent of draft.intents.values()) {
    if (intent.enrolmentId !== enrolment.enrolmentId) continue
    const key = `${intent.step} ${intent.recipient?.personId ?? ''} ${partOf(intent) ?? ''}`
    const known = newest.get(key)
    if (!known || isNewer(intent, known)) newest.set(key, intent)
  }
  return [...newest.values()]
}

/** Of one version all but the last were withdrawn when more became known of it, or had gone out before. */
function isNewer(intent: Intent, than: Intent): boolean {
  const [version, known] = [intent.entity?.version ?? 0, than.entity?.version ?? 0]
  if (version !== known) return version > known
  if (intent.plannedAt !== than.plannedAt) return intent.plannedAt > than.plannedAt
  return isLaterOfCascade(intent, than) ?? than.state === 'cancelled'
}
