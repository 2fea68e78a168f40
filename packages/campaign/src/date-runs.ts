import { comingOf, dateEventType, waitsFor } from './coming-dates.ts'
import type { CompiledCampaign } from './compiled-campaign.ts'
import type { DecideContext, Draft } from './draft.ts'
import { campaignOf, end } from './enrolments.ts'
import { mayEnterAgain } from './entry.ts'
import { millisecondsBetween, subtractDuration } from './instant.ts'
import { isHeldOut } from './reasons.ts'
import { type Enrolment, entityKey, entryOf } from './state.ts'
import { triggerPartsOf } from './triggers/registry.ts'
import type { Coming } from './triggers/trigger-kind.ts'

/*
 * Runs that began when a date came (dates.ts), when that date is another one since: which are too early now,
 * which go on as they were, and for which dates one has begun already.
 */

/** True when this run began for a date which, by what is known now, has not come yet. */
export function isTooEarly(draft: Draft, enrolment: Enrolment, context: DecideContext): boolean {
  if (enrolment.trigger.type !== dateEventType) return false
  return (
    (enrolment.state !== 'exited' || toldNothing(enrolment)) && !hasCome(draft, enrolment, context)
  )
}

/** True when it began for a date of which its version does not say any more which that is. */
export function mayBeTooEarly(enrolment: Enrolment, context: DecideContext): boolean {
  const { state, trigger } = enrolment
  if (state === 'exited' || trigger.type !== dateEventType) return false
  return campaignOf(enrolment, context).unclear?.trigger ?? false
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
  const live = context.definition.dates.byId.get(campaignId)
  const isOfLive = live !== undefined && waitsFor(live, enrolment.entity)
  const campaign = isOfLive ? live : campaignOf(enrolment, context)
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
  // A version to which somebody was moved may begin in another way, or by the date of something else.
  if (!triggerPartsOf(campaign.file.trigger).date || !waitsFor(campaign, enrolment.entity))
    return true
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

/** A date that is there again, at a moment that had come before, goes on as it was (P2). */
export function hasBegun(
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
