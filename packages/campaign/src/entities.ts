import type { DecideContext, Draft } from './draft.ts'
import { campaignOf, end, goOn, hasPending } from './enrolments.ts'
import { hangsOnEntity } from './moment.ts'
import {
  type Enrolment,
  type Entity,
  type EntityReference,
  entityKey,
  type Intent,
  isPending,
  type JourneyEvent,
} from './state.ts'
import { type MessageStep, messageTimes, planMessage, withdrawMessage } from './steps/message.ts'

/**
 * What an event says of an entity, beside what is known: `newer` or nothing of an entity, the same
 * version (`known`), or an older one (`overtaken`).
 */
export type EntityNews = 'newer' | 'known' | 'overtaken'

/**
 * Applies what an event says of an entity (an appointment, a stay). Only a version above the known
 * one counts; it takes along every wait and message that hangs on the entity (P3). An older or equal
 * one changes nothing; only what the version right before the known one alone says is added to it,
 * as it would have been if the two had come in their order.
 */
export function applyEntity(draft: Draft, event: JourneyEvent, context: DecideContext): EntityNews {
  if (!event.entity) return 'newer'
  const touchpoint = context.definition.touchpoints.get(event.type)
  if (!touchpoint?.entity) return 'newer'
  const key = entityKey(event.entity)
  const known = draft.entities.get(key)
  if (known && event.entity.version === known.version) return 'known'
  if (known && event.entity.version < known.version) {
    if (event.entity.version === known.version - 1) addUnsaid(draft, known, event)
    return 'overtaken'
  }
  const next: Entity = {
    ...event.entity,
    state: touchpoint.withdraws ? 'withdrawn' : 'active',
    data: { ...known?.data, ...event.data },
    changedAt: event.time,
  }
  draft.entities.set(key, next)
  if (known) takeAlong(draft, next, context)
  return 'newer'
}

function addUnsaid(draft: Draft, known: Entity, { data }: JourneyEvent): void {
  draft.entities.set(entityKey(known), { ...known, data: { ...data, ...known.data } })
}

/** Takes what hangs on older versions of the entity along to this one. */
export function takeAlong(draft: Draft, entity: Entity, context: DecideContext): void {
  for (const enrolment of [...draft.enrolments.values()]) {
    if (!enrolment.entity || entityKey(enrolment.entity) !== entityKey(entity)) continue
    if (enrolment.entity.version >= entity.version) continue
    if (entity.state === 'withdrawn') withdraw(draft, enrolment, context)
    else retime(draft, enrolment, entity, context)
  }
}

/**
 * What has run through and told all it had to, or has it with a worker, has not ended for nothing: it
 * is told when the appointment takes place after all, at another moment. What the worker has is
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
  if (before.state === 'exited') return
  const reference: EntityReference = { type: entity.type, id: entity.id, version: entity.version }
  const enrolment: Enrolment = { ...before, entity: reference }
  draft.enrolments.set(enrolment.enrolmentId, enrolment)
  for (const intent of newestPerStep(draft, enrolment)) replan(draft, enrolment, intent, context)
  waitAgain(draft, enrolment, context)
}

function replan(draft: Draft, enrolment: Enrolment, intent: Intent, context: DecideContext): void {
  const campaign = campaignOf(enrolment, context)
  const node = campaign.nodes.get(intent.step)
  if (!node || !('message' in node.step)) return
  const pending = isPending(intent)
  if (pending) withdrawMessage(draft, enrolment, intent, 'entity_superseded')
  const step: MessageStep = node.step
  const run = { draft, context, campaign, enrolment, node }
  const times = messageTimes(step, run)
  if (times === null || times.expiresAt <= context.now) return
  const { send } = step.message
  const isAhead = send && hangsOnEntity(send) && times.dueAt > context.now
  if (isAhead && (pending || wentOut(intent) || mayGoOut(intent) || isLeftOut(intent)))
    planMessage(step, run, times, 'message_replanned')
  else if (mayGoOut(intent)) planMessage(step, run, times, 'message_replanned', intent.intentId)
  else if (pending || isLeftOut(intent))
    planMessage(step, run, times, 'message_replanned', pending ? intent.insteadOf : null)
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
 * last check alone says that the entity was withdrawn.
 */
function isLeftOut({ state, reason }: Intent): boolean {
  return state === 'cancelled' && (reason === 'entity_superseded' || reason === 'entity_withdrawn')
}

function waitAgain(draft: Draft, enrolment: Enrolment, context: DecideContext): void {
  if (enrolment.state !== 'running' || enrolment.step === null) return
  const node = campaignOf(enrolment, context).nodes.get(enrolment.step)
  if (node && 'wait' in node.step && hangsOnEntity(node.step.wait))
    goOn(draft, enrolment, node.path, context)
}

/** The newest message of each step; older ones were replaced by an earlier re-timing. */
function newestPerStep(draft: Draft, enrolment: Enrolment): Intent[] {
  const newest = new Map<string, Intent>()
  for (const intent of draft.intents.values()) {
    if (intent.enrolmentId !== enrolment.enrolmentId) continue
    const known = newest.get(intent.step)
    if (!known || (intent.entity?.version ?? 0) > (known.entity?.version ?? 0))
      newest.set(intent.step, intent)
  }
  return [...newest.values()]
}
