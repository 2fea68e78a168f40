import { type DecideContext, type Draft, noteOf } from './draft.ts'
import { campaignOf, end, hasOpen, mayGoOnAgain, tellUnclear } from './enrolments.ts'
import { factsOf } from './facts.ts'
import { addDuration } from './instant.ts'
import { type Enrolment, isOfAnotherEntity, type JourneyEvent } from './state.ts'

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
    const isClear = meant.some(({ holds, isUnclear }) => !isUnclear && holds(facts))
    if (isClear) {
      end(draft, enrolment, 'exited', 'exit_touchpoint', context)
    } else if (meant.some(({ isUnclear }) => isUnclear)) {
      tellUnclear(draft, enrolment, context, { touchpoint: event.type })
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
    if (campaignOf(enrolment, context).unclear?.goal) {
      tellUnclear(draft, enrolment, context, { touchpoint: event.type })
      continue
    }
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
