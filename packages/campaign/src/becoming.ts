import { timerIdOf, waitsFor } from './coming-dates.ts'
import type { CompiledCampaign } from './compiled-campaign.ts'
import { daysThatLeave } from './counts.ts'
import type { DecideContext, Draft } from './draft.ts'
import { refuse, startCampaign } from './entry.ts'
import { ownSource } from './event-check.ts'
import { factsFrom } from './facts.ts'
import { dayNumberOf, type Instant, startOfDay } from './instant.ts'
import { choosePersona } from './people.ts'
import type { DateTimer, JourneyEvent, Person } from './state.ts'

/*
 * Campaigns that begin when a condition begins to hold (triggers/becomes.ts). What it asks changes by
 * events, and by days that leave a window: the next of these at which it begins to hold if nothing
 * happens is known in advance, and a timer without a run is set for it. Whatever changes what is counted
 * sets it anew.
 */

/** The type of the event that begins a run because a day has passed; nobody publishes it. */
const becomesEventType = 'becomes'

/** Lets what had come before this event, and what time has brought since, begin first. */
export function catchUp(draft: Draft, event: JourneyEvent, context: DecideContext): void {
  for (const campaign of campaignsOf(event, context)) {
    const timer = draft.timers.get(timerIdOf(draft, campaign.id, null, context))
    if (timer && timer.enrolmentId === null && timer.dueAt <= context.now)
      beginByTime(draft, timer, context)
  }
}

/** Begins what begins to hold by this event; `before` is the person as they were until then. */
export function startBecoming(
  draft: Draft,
  before: Person,
  event: JourneyEvent,
  context: DecideContext,
): void {
  for (const campaign of campaignsOf(event, context)) {
    awaitBecoming(draft, campaign, context)
    const held = holdsAt({ ...draft, person: before }, campaign, context.now, context)
    if (held || !holdsAt(draft, campaign, context.now, context)) continue
    start(draft, campaign, { ...event, data: {}, entity: null }, context)
  }
}

/** The day has come from which on it may hold: the campaign begins, if it is for this person. */
export function beginByTime(draft: Draft, timer: DateTimer, context: DecideContext): void {
  draft.timers.delete(timer.timerId)
  const campaign = context.definition.becoming.byId.get(timer.campaignId)
  if (!campaign || draft.person.deceasedAt !== null || !waitsFor(campaign, timer.entity)) return
  const { timeZone } = context.definition
  const dayBefore = startOfDay(dayNumberOf(timer.dueAt, timeZone) - 1, timeZone)
  const begins =
    !holdsAt(draft, campaign, dayBefore, context) && holdsAt(draft, campaign, context.now, context)
  if (begins) {
    choosePersona(draft, context)
    const { personId } = draft.person
    const event: JourneyEvent = {
      source: ownSource,
      id: context.deriveId('becomes', personId, campaign.id, timer.dueAt),
      subject: personId,
      type: becomesEventType,
      time: timer.dueAt,
      data: {},
      entity: null,
      traceparent: null,
    }
    start(draft, campaign, event, context)
  }
  awaitBecoming(draft, campaign, context)
}

/**
 * The same for somebody of whom the campaign may not have known since it was published, so that a midnight
 * which has passed meanwhile comes now. Whoever has entered since has had theirs.
 */
export function awaitBecomingSince(
  draft: Draft,
  campaign: CompiledCampaign,
  since: Instant,
  context: DecideContext,
): void {
  if (hasCome(draft, campaign, context)) return
  const hasEntered = [...draft.enrolments.values()].some(
    ({ campaignId, enteredAt }) => campaignId === campaign.id && enteredAt >= since,
  )
  awaitBecoming(draft, campaign, context, hasEntered ? context.now : since)
}

/**
 * Sets the timer of one campaign for the next day after `since` from which on its condition holds, or takes
 * it away.
 */
function awaitBecoming(
  draft: Draft,
  campaign: CompiledCampaign,
  context: DecideContext,
  since: Instant = context.now,
): void {
  const timerId = timerIdOf(draft, campaign.id, null, context)
  const dueAt = draft.person.deceasedAt === null ? nextOf(draft, campaign, since, context) : null
  if (dueAt === null) draft.timers.delete(timerId)
  else if (draft.timers.get(timerId)?.dueAt !== dueAt)
    draft.timers.set(timerId, {
      timerId,
      enrolmentId: null,
      campaignId: campaign.id,
      entity: null,
      dueAt,
    })
}

/** Two records have become one person: what is counted of both is theirs, also by a day that has come already. */
export function joinBecoming(draft: Draft, context: DecideContext): void {
  for (const campaign of context.definition.becoming.byId.values())
    if (!hasCome(draft, campaign, context)) awaitBecoming(draft, campaign, context)
}

/** The day for which its timer is set has come, and is decided about by what is in force and known then. */
function hasCome(draft: Draft, campaign: CompiledCampaign, context: DecideContext): boolean {
  const known = draft.timers.get(timerIdOf(draft, campaign.id, null, context))
  return known !== undefined && known.dueAt <= context.now
}

function campaignsOf({ type }: JourneyEvent, { definition }: DecideContext) {
  return definition.becoming.byType.get(type) ?? []
}

function start(
  draft: Draft,
  campaign: CompiledCampaign,
  event: JourneyEvent,
  context: DecideContext,
): void {
  const { persona } = draft.person
  const { personas } = campaign.file.audience
  if (!personas || personas.includes(persona ?? '')) startCampaign(draft, event, campaign, context)
  else refuse(draft, campaign, { reason: 'persona_not_in_audience', detail: { persona, personas } })
}

function holdsAt(
  draft: Draft,
  campaign: CompiledCampaign,
  now: Instant,
  context: DecideContext,
): boolean {
  const nothing = { trigger: null, entityData: null, enrolment: null }
  return campaign.trigger.holds?.(factsFrom(draft, { ...context, now }, nothing)) ?? false
}

/**
 * From when on it holds if nothing else happens, having not held the day before, on a day after that of
 * `since`; null when it never will.
 */
function nextOf(
  draft: Draft,
  campaign: CompiledCampaign,
  since: Instant,
  context: DecideContext,
): Instant | null {
  const { timeZone } = context.definition
  const today = dayNumberOf(since, timeZone)
  const holdsOn = (day: number) => holdsAt(draft, campaign, startOfDay(day, timeZone), context)
  const days = campaign.trigger.asked
    .flatMap((happened) => daysThatLeave(draft.person.happened, happened, timeZone))
    .filter((day) => day > today)
    .sort((a, b) => a - b)
  const next = days.find((day) => holdsOn(day) && !holdsOn(day - 1))
  return next === undefined ? null : startOfDay(next, timeZone)
}
