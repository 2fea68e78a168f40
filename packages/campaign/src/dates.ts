import {
  comingOf,
  dateEventType,
  fieldIn,
  isYearly,
  oldestMoment,
  timerIdOf,
  waitsFor,
} from './coming-dates.ts'
import type { CompiledCampaign } from './compiled-campaign.ts'
import { hasBegun, isTooEarly, mayBeTooEarly, takeBack } from './date-runs.ts'
import type { DecideContext, Draft } from './draft.ts'
import { campaignOf, tellUnclear } from './enrolments.ts'
import { refuse, startCampaign } from './entry.ts'
import { ownSource } from './event-check.ts'
import { addDuration, type Instant, laterOf, subtractDuration } from './instant.ts'
import { choosePersona } from './people.ts'
import { type DateTimer, type Entity, entityKey, type JourneyEvent, type Person } from './state.ts'
import { triggerPartsOf } from './triggers/registry.ts'
import type { Coming } from './triggers/trigger-kind.ts'

/*
 * Campaigns that begin when a date comes. For each such date that is known of a person there is a timer
 * without a run: one for each campaign and entity, or campaign and person, so that nobody's dates are
 * ever searched. It is set, moved or taken away in the decision by which the date changes; when it
 * comes, the date is worked out once more, and somebody enters with what is known then.
 */

/** Sets the timers of an entity anew whose date, or state, is another one than `before`. */
export function awaitDatesOfEntity(
  draft: Draft,
  entity: Entity,
  before: Entity | undefined,
  context: DecideContext,
): void {
  for (const campaign of context.definition.dates.byEntity.get(entity.type) ?? []) {
    const isSame =
      before?.state === entity.state &&
      fieldIn(before.data, campaign) === fieldIn(entity.data, campaign)
    if (!isSame) awaitDate(draft, campaign, entity, context, { isNews: true })
  }
}

/**
 * The same for a person with another profile. Who entered for a date that has moved into the future, or
 * that is gone, leaves. Where clocks show another time, all dates come at another moment.
 */
export function awaitDatesOfPerson(draft: Draft, before: Person, context: DecideContext): void {
  const { ofPerson, byId, everOfPerson } = context.definition.dates
  if (byId.size + everOfPerson.length === 0) return
  const { person } = draft
  const isSame = (campaign: CompiledCampaign) =>
    fieldIn(before.fields, campaign) === fieldIn(person.fields, campaign)
  for (const campaign of ofPerson) {
    if (isSame(campaign)) continue
    awaitDate(draft, campaign, null, context, { isNews: true })
    for (const enrolment of [...draft.enrolments.values()])
      if (enrolment.campaignId === campaign.id && mayBeTooEarly(enrolment, context))
        tellUnclear(draft, enrolment, context, {})
  }
  // In whatever version, also of a campaign that has ended.
  for (const enrolment of [...draft.enrolments.values()]) {
    if (enrolment.trigger.type !== dateEventType || enrolment.entity !== null) continue
    const campaign = campaignOf(enrolment, context)
    if (campaign.unclear?.trigger || isSame(campaign)) continue
    if (isTooEarly(draft, enrolment, context)) takeBack(draft, enrolment, context)
  }
  if (before.timeZone !== person.timeZone) awaitKnownDates(draft, context)
}

/**
 * Sets the timers of all dates that are known of a person and lay ahead at `since`, of some campaigns: they have
 * been published then, or the person has become another one. A timer that is set already may have passed.
 */
export function awaitAllDates(
  draft: Draft,
  campaigns: Iterable<CompiledCampaign>,
  context: DecideContext,
  since: Instant = context.now,
): void {
  for (const campaign of campaigns) {
    const { entity: ofEntity } = triggerPartsOf(campaign.file.trigger)
    const entities = ofEntity
      ? [...draft.entities.values()].filter(({ type }) => type === ofEntity.type)
      : [null]
    for (const entity of entities) awaitDate(draft, campaign, entity, context, { since })
  }
}

/** Two records have become one person: the dates of both are theirs, each once. */
export function joinDates(draft: Draft, context: DecideContext): void {
  const timers = dateTimersOf(draft)
  for (const { timerId } of timers) draft.timers.delete(timerId)
  for (const { campaignId, entity, dueAt } of timers) {
    const timerId = timerIdOf(draft, campaignId, entity, context)
    const known = draft.timers.get(timerId)
    // One that has come, and was not decided yet, is not lost for one that lies ahead.
    if (known && known.dueAt <= dueAt) continue
    draft.timers.set(timerId, { timerId, enrolmentId: null, campaignId, entity, dueAt })
  }
  awaitKnownDates(draft, context)
  awaitAllDates(draft, context.definition.dates.byId.values(), context)
  for (const enrolment of [...draft.enrolments.values()]) {
    if (enrolment.entity === null && isTooEarly(draft, enrolment, context))
      takeBack(draft, enrolment, context)
  }
}

/** Those of a version before, which began by the date of something else, or of somebody themselves. */
export function dropTimersOfBefore(draft: Draft, campaign: CompiledCampaign): void {
  for (const { timerId, campaignId, entity } of dateTimersOf(draft))
    if (campaignId === campaign.id && !waitsFor(campaign, entity)) draft.timers.delete(timerId)
}

/** Nothing begins any more for somebody who has died (P3). */
export function dropDates(draft: Draft): void {
  for (const { timerId } of dateTimersOf(draft)) draft.timers.delete(timerId)
}

/** The moment has come for which a timer was set: the campaign begins, if it is for this person. */
export function startByDate(draft: Draft, timer: DateTimer, context: DecideContext): void {
  draft.timers.delete(timer.timerId)
  const campaign = context.definition.dates.byId.get(timer.campaignId)
  if (!campaign || draft.person.deceasedAt !== null) return
  // Of a date that comes back it is the one that the timer was set for, in whatever time zone.
  const since = subtractDuration(timer.dueAt, 'P2D', 'UTC')
  const coming = comingOf(draft, campaign, timer.entity, since, context)
  if (coming === null) return
  const { moment } = coming
  if (moment > context.now) {
    draft.timers.set(timer.timerId, { ...timer, dueAt: moment })
    return
  }
  const oldest = oldestMoment(campaign, context)
  if (moment < oldest) refusePassed(draft, campaign, moment)
  else begin(draft, campaign, { timer, coming }, context)
  if (!isYearly(campaign)) return
  const next = addDuration(laterOf(moment, oldest), 'PT1S', 'UTC')
  const following = comingOf(draft, campaign, timer.entity, next, context)
  if (following) draft.timers.set(timer.timerId, { ...timer, dueAt: following.moment })
}

function begin(
  draft: Draft,
  campaign: CompiledCampaign,
  { timer, coming: { moment, day } }: { timer: DateTimer; coming: Coming },
  context: DecideContext,
): void {
  choosePersona(draft, context)
  const { personId, persona, profileAt } = draft.person
  const { personas } = campaign.file.audience
  if (personas && !personas.includes(persona ?? '')) {
    const detail = { persona, personas }
    refuse(draft, campaign, { reason: 'persona_not_in_audience', detail })
    return
  }
  const entity = timer.entity ? (draft.entities.get(entityKey(timer.entity)) ?? null) : null
  const said = entity ? `${entityKey(entity)}@${entity.version}` : `${profileAt}`
  const event: JourneyEvent = {
    source: ownSource,
    id: context.deriveId('date', personId, campaign.id, said, moment),
    subject: personId,
    type: dateEventType,
    time: moment,
    data: {},
    entity: entity && { type: entity.type, id: entity.id, version: entity.version },
    traceparent: null,
    ...(day !== null && { day }),
  }
  startCampaign(draft, event, campaign, context)
}

/** Those for which a timer is set: when they come may be another moment now. */
function awaitKnownDates(draft: Draft, context: DecideContext): void {
  for (const { timerId, campaignId, entity } of dateTimersOf(draft)) {
    const campaign = context.definition.dates.byId.get(campaignId)
    if (campaign) awaitDate(draft, campaign, entity, context)
    else if (!context.definition.becoming.byId.has(campaignId)) draft.timers.delete(timerId)
  }
}

/**
 * Sets the timer of one date, moves it or takes it away. With `isNews`, or a timer, its moment may have
 * passed by no more than an event may be old; else it lay ahead at `since`.
 */
function awaitDate(
  draft: Draft,
  campaign: CompiledCampaign,
  entity: { type: string; id: string } | null,
  context: DecideContext,
  { isNews = false, since = context.now }: { isNews?: boolean; since?: Instant } = {},
): void {
  const timerId = timerIdOf(draft, campaign.id, entity, context)
  const known = draft.timers.get(timerId)
  draft.timers.delete(timerId)
  if (draft.person.deceasedAt !== null) return
  const mayHavePassed = isNews || known !== undefined
  const from = mayHavePassed ? oldestMoment(campaign, context) : since
  const dueAt = nextToBegin(draft, campaign, entity, from, context)
  if (dueAt === null) return
  if (dueAt >= from) {
    if (known?.dueAt === dueAt) draft.timers.set(timerId, known)
    else draft.timers.set(timerId, { ...timerOf(timerId, campaign, entity), dueAt })
  } else if (mayHavePassed) refusePassed(draft, campaign, dueAt)
}

/** The moment for which it has not begun yet; of a date that comes back, the one after that it has. */
function nextToBegin(
  draft: Draft,
  campaign: CompiledCampaign,
  entity: { type: string; id: string } | null,
  from: Instant,
  context: DecideContext,
): Instant | null {
  let coming = comingOf(draft, campaign, entity, from, context)
  while (coming && hasBegun(draft, campaign, { entity, coming }, context)) {
    if (!isYearly(campaign)) return null
    const after = addDuration(coming.moment, 'PT1S', 'UTC')
    coming = comingOf(draft, campaign, entity, after, context)
  }
  return coming?.moment ?? null
}

function timerOf(
  timerId: string,
  { id }: CompiledCampaign,
  entity: { type: string; id: string } | null,
): Omit<DateTimer, 'dueAt'> {
  const own = entity && { type: entity.type, id: entity.id }
  return { timerId, enrolmentId: null, campaignId: id, entity: own }
}

function dateTimersOf({ timers }: Pick<Draft, 'timers'>): DateTimer[] {
  return [...timers.values()].filter((timer) => timer.enrolmentId === null)
}

function refusePassed(draft: Draft, campaign: CompiledCampaign, moment: Instant): void {
  const { maxAge } = campaign.file.trigger
  refuse(draft, campaign, { reason: 'moment_passed', detail: { moment, maxAge } })
}
