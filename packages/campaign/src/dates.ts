import type { CompiledCampaign } from './compiled-campaign.ts'
import type { DecideContext, Draft } from './draft.ts'
import { campaignOf, end } from './enrolments.ts'
import { mayEnterAgain, refuse, startCampaign } from './entry.ts'
import { ownSource } from './event-check.ts'
import { timeZoneOf } from './facts.ts'
import { addDuration, type Instant, millisecondsBetween, subtractDuration } from './instant.ts'
import type { JsonValue } from './json.ts'
import { choosePersona } from './people.ts'
import { isHeldOut } from './reasons.ts'
import {
  type DateTimer,
  type Enrolment,
  type Entity,
  entityKey,
  entryOf,
  type JourneyEvent,
  type Person,
} from './state.ts'
import { triggerKindOf, triggerPartsOf } from './triggers/registry.ts'
import type { Coming } from './triggers/trigger-kind.ts'

/*
 * Campaigns that begin when a date comes. For each such date that is known of a person there is a timer
 * without a run: one for each campaign and entity, or campaign and person, so that nobody's dates are
 * ever searched. It is set, moved or taken away in the decision by which the date changes; when it
 * comes, the date is worked out once more, and somebody enters with what is known then.
 */

/** The type of the event that begins a run for its date; nobody publishes it. */
export const dateEventType = 'date'

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
  const { ofPerson, byId } = context.definition.dates
  if (byId.size === 0) return
  const { person } = draft
  for (const campaign of ofPerson) {
    if (fieldIn(before.fields, campaign) === fieldIn(person.fields, campaign)) continue
    awaitDate(draft, campaign, null, context, { isNews: true })
    for (const enrolment of [...draft.enrolments.values()]) {
      if (enrolment.campaignId === campaign.id && isTooEarly(draft, enrolment, context))
        takeBack(draft, enrolment, context)
    }
  }
  if (before.timeZone !== person.timeZone) awaitKnownDates(draft, context)
}

/**
 * Sets the timers of all dates that are known of a person and lie ahead, of some campaigns: they have
 * been published, or the person has become another one. A timer that is set already may have passed.
 */
export function awaitAllDates(
  draft: Draft,
  campaigns: Iterable<CompiledCampaign>,
  context: DecideContext,
): void {
  for (const campaign of campaigns) {
    const { entity: ofEntity } = triggerPartsOf(campaign.file.trigger)
    const entities = ofEntity
      ? [...draft.entities.values()].filter(({ type }) => type === ofEntity.type)
      : [null]
    for (const entity of entities) awaitDate(draft, campaign, entity, context)
  }
}

/** Two records have become one person: the dates of both are theirs, each once. */
export function joinDates(draft: Draft, context: DecideContext): void {
  const timers = dateTimersOf(draft)
  for (const { timerId, campaignId, entity, dueAt } of timers) {
    const own = timerIdOf(draft, campaignId, entity, context)
    draft.timers.delete(timerId)
    draft.timers.set(own, { timerId: own, enrolmentId: null, campaignId, entity, dueAt })
  }
  awaitKnownDates(draft, context)
  awaitAllDates(draft, context.definition.dates.byId.values(), context)
  for (const enrolment of [...draft.enrolments.values()]) {
    if (enrolment.entity === null && isTooEarly(draft, enrolment, context))
      takeBack(draft, enrolment, context)
  }
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
  const next = addDuration(moment > oldest ? moment : oldest, 'PT1S', 'UTC')
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

/** True when this run began for a date which, by what is known now, has not come yet. */
export function isTooEarly(draft: Draft, enrolment: Enrolment, context: DecideContext): boolean {
  if (enrolment.trigger.type !== dateEventType) return false
  return (
    (enrolment.state !== 'exited' || toldNothing(enrolment)) && !hasCome(draft, enrolment, context)
  )
}

/**
 * Ends a run whose date has moved into the future: what waits is withdrawn, and its entry does not count,
 * so that the campaign begins again when the new date comes.
 */
export function takeBack(draft: Draft, enrolment: Enrolment, context: DecideContext): void {
  const { enrolmentId, campaignId, entryKey, enteredAt } = enrolment
  if (wasTakenBack(enrolment)) return
  if (enrolment.state !== 'exited') end(draft, enrolment, 'exited', 'date_moved', context)
  const ended = draft.enrolments.get(enrolmentId) ?? enrolment
  draft.enrolments.set(enrolmentId, { ...ended, entryKey: `${entryKey} ${enrolmentId}` })
  const entry = entryOf(campaignId, entryKey)
  if (draft.entries.get(entry) === enteredAt) draft.entries.delete(entry)
}

/** Its entry does not count any more, and whoever takes it up again finds it there. */
export function wasTakenBack({ entryKey, enrolmentId }: Enrolment): boolean {
  return entryKey.endsWith(` ${enrolmentId}`)
}

/**
 * The entry key under which a run goes on that was taken back, since its date is at a moment again that had
 * come by then: what it told is not told twice (P2). Null where none goes on: somebody has entered in its
 * place, has reached its goal or has left it otherwise meanwhile.
 */
export function comesBackAs(
  draft: Draft,
  enrolment: Enrolment,
  context: DecideContext,
): string | null {
  const { reason, goalAt, campaignId, trigger } = enrolment
  if (trigger.type !== dateEventType || !wasTakenBack(enrolment) || goalAt !== null) return null
  if (reason !== 'date_moved' && reason !== 'entity_withdrawn') return null
  if (draft.person.deceasedAt !== null) return null
  const campaign = context.definition.dates.byId.get(campaignId) ?? campaignOf(enrolment, context)
  if (!triggerPartsOf(campaign.file.trigger).date) return null
  const coming = comingOfRun(draft, campaign, enrolment, context)
  if (coming === null || !isBackAt(draft, enrolment, coming)) return null
  const entryKey = enrolment.entryKey.slice(0, -enrolment.enrolmentId.length - 1)
  const entered = draft.entries.get(entryOf(campaignId, entryKey))
  const isFree = entered === undefined || mayEnterAgain(entered, campaign, context)
  return isFree ? entryKey : null
}

/** What else ended it counts for the new date, too: they have reached the goal, or want no more of it. */
function toldNothing({ reason }: Enrolment): boolean {
  return reason === 'entity_withdrawn' || isHeldOut(reason)
}

function hasCome(draft: Draft, enrolment: Enrolment, context: DecideContext): boolean {
  if (enrolment.trigger.type !== dateEventType) return true
  const campaign = campaignOf(enrolment, context)
  // A version to which somebody was moved may begin in another way.
  if (!triggerPartsOf(campaign.file.trigger).date) return true
  const coming = comingOfRun(draft, campaign, enrolment, context)
  return coming !== null && (isOfDay(enrolment, coming) || coming.moment <= context.now)
}

/**
 * When the date of a run comes, by what is known now. Of one that comes back it is the nearest to the one that it
 * began for: corrected to another day of the year, it is still that of this year.
 */
function comingOfRun(
  draft: Draft,
  campaign: CompiledCampaign,
  { entity, trigger }: Enrolment,
  context: DecideContext,
): Coming | null {
  return comingOf(draft, campaign, entity, subtractDuration(trigger.time, halfYear, 'UTC'), context)
}

const halfYear = 'P183D'

/** Whatever clocks the person went by then and goes by now. */
function isOfDay({ trigger }: Enrolment, { day }: Coming): boolean {
  return day !== null && day === trigger.day
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
 * passed by no more than an event may be old; else it lies ahead.
 */
function awaitDate(
  draft: Draft,
  campaign: CompiledCampaign,
  entity: { type: string; id: string } | null,
  context: DecideContext,
  { isNews = false } = {},
): void {
  const timerId = timerIdOf(draft, campaign.id, entity, context)
  const known = draft.timers.get(timerId)
  draft.timers.delete(timerId)
  if (draft.person.deceasedAt !== null) return
  const mayHavePassed = isNews || known !== undefined
  const from = mayHavePassed ? oldestMoment(campaign, context) : context.now
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
  return coming && coming.moment
}

/** A date that is there again, at a moment that had come before, goes on as it was (P2). */
function hasBegun(
  draft: Draft,
  campaign: CompiledCampaign,
  { entity, coming }: { entity: { type: string; id: string } | null; coming: Coming },
  context: DecideContext,
): boolean {
  for (const run of draft.enrolments.values()) {
    if (!isOfDate(run, campaign.id, entity)) continue
    if (wasTakenBack(run) ? isBackAt(draft, run, coming) : isFor(run, coming, context)) return true
  }
  return false
}

/**
 * Whether a run began for this coming of its date. Of one that comes back every year it did for the same day, at
 * whatever hour that comes since the person moved to another time zone; and, when the date was corrected, for
 * any that year that has come by now: nobody is told of it twice in a year.
 */
function isFor(run: Enrolment, coming: Coming, context: DecideContext): boolean {
  const { time, day } = run.trigger
  if (coming.day === null) return time === coming.moment
  if (isOfDay(run, coming)) return true
  const apartMs = Math.abs(millisecondsBetween(time, coming.moment))
  // What began before days were written down is known by its moment alone.
  if (day === undefined && apartMs < dayMs) return true
  return coming.moment <= context.now && apartMs < halfYearMs
}

const dayMs = 86_400_000
const halfYearMs = 183 * dayMs

function isOfDate(
  { campaignId, trigger, entity: own }: Enrolment,
  id: string,
  entity: { type: string; id: string } | null,
): boolean {
  return campaignId === id && trigger.type === dateEventType && keyOf(own) === keyOf(entity)
}

/**
 * Whether a run that was taken back is the one to go on when its date comes then: it had come by the time when
 * it ended, and nothing has begun in its place since.
 */
function isBackAt({ enrolments }: Draft, run: Enrolment, coming: Coming): boolean {
  const { moment } = coming
  if (run.endedAt === null || (moment > run.endedAt && !isOfDay(run, coming))) return false
  const { campaignId, entity, enrolmentId, enteredAt } = run
  for (const other of enrolments.values()) {
    if (other.enrolmentId === enrolmentId || !isOfDate(other, campaignId, entity)) continue
    const isOfMoment = !wasTakenBack(other) && (entity !== null || other.trigger.time === moment)
    const isNewer =
      other.enteredAt > enteredAt ||
      (other.enteredAt === enteredAt && other.enrolmentId > enrolmentId)
    if (isOfMoment || isNewer) return false
  }
  return true
}

function keyOf(entity: { type: string; id: string } | null): string | null {
  return entity && entityKey(entity)
}

function timerOf(
  timerId: string,
  { id }: CompiledCampaign,
  entity: { type: string; id: string } | null,
): Omit<DateTimer, 'dueAt'> {
  const own = entity && { type: entity.type, id: entity.id }
  return { timerId, enrolmentId: null, campaignId: id, entity: own }
}

/** The same for every campaign that waits without a run, so that those of two records are found as one. */
export function timerIdOf(
  { person: { personId } }: Draft,
  campaignId: string,
  entity: { type: string; id: string } | null,
  context: DecideContext,
): string {
  return context.deriveId('date timer', personId, campaignId, entity ? entityKey(entity) : '')
}

function dateTimersOf({ timers }: Pick<Draft, 'timers'>): DateTimer[] {
  return [...timers.values()].filter((timer) => timer.enrolmentId === null)
}

/** When the date of a campaign comes, by what is known now; null when there is none. */
function comingOf(
  draft: Draft,
  { file: { trigger } }: CompiledCampaign,
  of: { type: string; id: string } | null,
  from: Instant,
  context: DecideContext,
): Coming | null {
  const kind = triggerKindOf(trigger)
  const entity = of && draft.entities.get(entityKey(of))
  if (of && entity?.state !== 'active') return null
  const value = fieldOfTrigger(entity ? entity.data : draft.person.fields, trigger)
  const { isWorkingDay } = context.definition
  const timeZone = timeZoneOf(draft, context)
  return kind.comesAt?.(trigger, { value, from, timeZone, isWorkingDay }) ?? null
}

function fieldIn(
  data: Readonly<Record<string, JsonValue>>,
  { file }: CompiledCampaign,
): JsonValue | undefined {
  return fieldOfTrigger(data, file.trigger)
}

function fieldOfTrigger(
  data: Readonly<Record<string, JsonValue>>,
  trigger: CompiledCampaign['file']['trigger'],
): JsonValue | undefined {
  const field = triggerPartsOf(trigger).date?.field ?? ''
  const name = field.slice(field.indexOf('.') + 1)
  return Object.hasOwn(data, name) ? data[name] : undefined
}

function oldestMoment({ file }: CompiledCampaign, context: DecideContext): Instant {
  return subtractDuration(context.now, file.trigger.maxAge, context.definition.timeZone)
}

function isYearly({ file: { trigger } }: CompiledCampaign): boolean {
  return triggerPartsOf(trigger).date?.isYearly ?? false
}

function refusePassed(draft: Draft, campaign: CompiledCampaign, moment: Instant): void {
  const { maxAge } = campaign.file.trigger
  refuse(draft, campaign, { reason: 'moment_passed', detail: { moment, maxAge } })
}
