import { awaitBecomingSince, beginByTime, catchUp, startBecoming } from './becoming.ts'
import type { CompiledCampaign } from './compiled-campaign.ts'
import { withEvent, withoutForgotten } from './counts.ts'
import { awaitAllDates, awaitDatesOfPerson, dropTimersOfBefore, startByDate } from './dates.ts'
import { type DecideContext, type Decision, type Draft, draftOf, stateOf } from './draft.ts'
import { hearReceipt, hearTask, hearTouchpoint, resume } from './enrolments.ts'
import { applyEntity } from './entities.ts'
import { startCampaigns, startOvertaken } from './entry.ts'
import { exitByTouchpoint, reachGoals } from './exits.ts'
import type { Instant } from './instant.ts'
import { endAll } from './merge.ts'
import { applyConsent, applyProfile, choosePersona, moveOnJourney } from './people.ts'
import type { ReasonCode } from './reasons.ts'
import { applyReceipt } from './receipts.ts'
import { goOnForDates } from './retiming.ts'
import type { JourneyEvent, PersonState, Timer } from './state.ts'
import { applyTaskDone } from './tasks.ts'
import { takeBackUnwanted } from './unwanted-tasks.ts'
import { changedDates, waitForNewDates } from './waits-for-dates.ts'

export type Decided = {
  state: PersonState
  /** What became of the event itself. */
  outcome: ReasonCode
  decisions: Decision[]
}

/**
 * Decides what one event means for one person: what we now know of them, which campaigns end,
 * which begin, which messages are planned or withdrawn. Performs nothing: the next state and the
 * decisions are all it gives, and the same arguments always give the same.
 */
export function decideEvent(
  state: PersonState,
  event: JourneyEvent,
  context: DecideContext,
): Decided {
  const draft = draftOf(state)
  const outcome = applyEvent(draft, event, context)
  return { state: stateOf(draft), outcome, decisions: draft.decisions }
}

/** Decides what follows now that a timer has come. A timer that is not (or no longer) the person's does nothing. */
export function decideTimer(state: PersonState, timer: Timer, context: DecideContext): Decided {
  const draft = draftOf(state)
  if (draft.timers.has(timer.timerId)) {
    if (timer.enrolmentId !== null) resume(draft, timer, context)
    else if (context.definition.becoming.byId.has(timer.campaignId))
      beginByTime(draft, timer, context)
    else startByDate(draft, timer, context)
  }
  return { state: stateOf(draft), outcome: 'applied', decisions: draft.decisions }
}

/**
 * Sets the timers of the dates that are known of a person and lay ahead at `since`, and of the days from which on a
 * condition holds, for campaigns that these start and that have been published then: what has come in between is
 * not missed. Of such campaigns all runs must be there.
 */
export function decideDates(
  state: PersonState,
  campaigns: Iterable<CompiledCampaign>,
  context: DecideContext,
  since: Instant = context.now,
): Omit<Decided, 'outcome'> {
  const draft = draftOf(state)
  const { becoming } = context.definition
  for (const campaign of campaigns) {
    dropTimersOfBefore(draft, campaign)
    if (becoming.byId.has(campaign.id)) awaitBecomingSince(draft, campaign, since, context)
    else awaitAllDates(draft, [campaign], context, since)
  }
  return { state: stateOf(draft), decisions: draft.decisions }
}

function applyEvent(draft: Draft, event: JourneyEvent, context: DecideContext): ReasonCode {
  switch (event.type) {
    case 'person.upserted.v1': {
      catchUp(draft, event, context)
      const before = draft.person
      const outcome = applyProfile(draft, event, context)
      choosePersona(draft, context)
      awaitDatesOfPerson(draft, before, context)
      waitForNewDates(draft, changedDates(before, draft.person, context), context)
      goOnForDates(draft, context)
      if (draft.person.fields.birthYear !== before.fields.birthYear)
        takeBackUnwanted(draft, context)
      // Names and addresses rest in the person's row only (P7).
      startCampaigns(draft, { ...event, data: {} }, context, before)
      startBecoming(draft, before, event, context)
      return outcome
    }
    case 'person.enrolled.v1':
      choosePersona(draft, context)
      startCampaigns(draft, event, context)
      return 'applied'
    case 'person.deceased.v1':
      draft.person = { ...draft.person, deceasedAt: draft.person.deceasedAt ?? event.time }
      endAll(draft, context)
      return 'applied'
    case 'consent.granted.v1':
      return applyConsent(draft, event, context)
    case 'consent.withdrawn.v1': {
      const outcome = applyConsent(draft, event, context)
      takeBackUnwanted(draft, context)
      return outcome
    }
    case 'task.done.v1':
      return applyToTask(draft, event, context)
    default:
      return event.type.startsWith('message.')
        ? applyToMessage(draft, event, context)
        : applyTouchpoint(draft, event, context)
  }
}

function applyToMessage(draft: Draft, event: JourneyEvent, context: DecideContext): ReasonCode {
  const outcome = applyReceipt(draft, event, context)
  hearReceipt(draft, String(event.data.intentId), context)
  return outcome
}

function applyToTask(draft: Draft, event: JourneyEvent, context: DecideContext): ReasonCode {
  const taskId = String(event.data.taskId)
  const wasOpen = draft.tasks.get(taskId)?.state === 'open'
  const outcome = applyTaskDone(draft, event)
  if (wasOpen && outcome === 'task_done') hearTask(draft, taskId, context)
  return outcome
}

function applyTouchpoint(draft: Draft, event: JourneyEvent, context: DecideContext): ReasonCode {
  catchUp(draft, event, context)
  const before = draft.person
  countEvent(draft, event, context)
  // Before anything is planned anew, and whatever version of an appointment it is of: it has happened.
  choosePersona(draft, context)
  const outcome = applyCounted(draft, event, context)
  startBecoming(draft, before, event, context)
  return outcome
}

function applyCounted(draft: Draft, event: JourneyEvent, context: DecideContext): ReasonCode {
  const news = applyEntity(draft, event, context)
  if (news === 'overtaken') applyOvertaken(draft, event, context)
  if (news !== 'newer') return 'entity_not_newer'
  moveOnJourney(draft, event, context)
  context.watch?.touchpoint?.(draft, event)
  reachGoals(draft, event, context)
  exitByTouchpoint(draft, event, context)
  hearTouchpoint(draft, event, context)
  startCampaigns(draft, event, context)
  return 'applied'
}

/** First of all: what is being decided has happened, whatever version of an appointment it is of. */
function countEvent(draft: Draft, event: JourneyEvent, { definition, now }: DecideContext): void {
  const { byTouchpoint, keys } = definition.counts
  const counting = byTouchpoint.get(event.type)
  if (!counting) return
  const { happened } = draft.person
  const counted = withEvent(happened, event, counting, { now, timeZone: definition.timeZone })
  if (counted !== happened)
    draft.person = { ...draft.person, happened: withoutForgotten(counted, keys) }
}

/**
 * An event of an older version has come in behind its own change: its publisher spreads one person
 * over several partitions. It ends nothing and takes nothing along, since what is known is newer;
 * but it did happen, and whoever books and moves in one breath is to be reminded all the same.
 */
function applyOvertaken(draft: Draft, event: JourneyEvent, context: DecideContext): void {
  if (context.definition.touchpoints.get(event.type)?.withdraws) return
  moveOnJourney(draft, event, context, { isOvertaken: true })
  startOvertaken(draft, event, context)
}
