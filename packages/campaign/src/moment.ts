import Holidays from 'date-holidays'
import { Temporal } from 'temporal-polyfill'
import { z } from 'zod'
import { durationSchema, localTimeSchema, positiveDurationSchema } from './definition/words.ts'
import type { Instant } from './instant.ts'

/**
 * When something is to happen, as a campaign says it:
 * `{ for: P2D, at: "10:00", on: working-day }` counts from now,
 * `{ until: entity.startsAt, offset: -P1D, at: "18:00" }` from a moment in the person's data.
 *
 * `at` is local time on that day; when it has already passed on a day reached by `for`, the next
 * day counts, while `until` keeps the day, also when that lies in the past. `on: working-day`
 * moves forward over weekends, public holidays and closed days (backward for `until`, so that
 * "the working day before" stays before).
 */
const atAndOn = {
  at: localTimeSchema
    .optional()
    .describe(
      'Local time of the person, such as `"18:00"`. When it has passed on a day reached by `for`, the next day counts; `until` keeps the day.',
    ),
  on: z
    .enum(['any-day', 'working-day'])
    .default('any-day')
    .describe(
      '`working-day` moves over weekends, public holidays and closed days: forward after `for`, backward after `until`.',
    ),
}
const afterSchema = z
  .strictObject({
    for: positiveDurationSchema.describe('How long from now, such as `P2D` or `PT3H`.'),
    ...atAndOn,
  })
  .describe('Some time from now.')
const untilSchema = z
  .strictObject({
    until: z
      .string()
      .regex(/^(entity|event)\.[a-z][A-Za-z0-9]*$/, 'expected a moment such as "entity.startsAt"')
      .describe('A moment in the data, such as `entity.startsAt`; moves along when that changes.'),
    offset: durationSchema
      .optional()
      .describe('How long before (`-P1D`) or after (`PT2H`) that moment.'),
    ...atAndOn,
  })
  .describe("Counted from a moment in the person's data.")

export const momentSchema = z.union([afterSchema, untilSchema]).meta({
  id: 'moment',
  title: 'A moment',
  description:
    'When something is to happen: some time from now, or before or after a moment in the data.',
})
export type Moment = z.infer<typeof momentSchema>

/** True when the moment hangs on the data of an entity, so that a new version of it re-times. */
export function hangsOnEntity(moment: Moment): boolean {
  return 'until' in moment && moment.until.startsWith('entity.')
}

/** Days on which the organisation works. */
export type WorkingDays = (day: Temporal.PlainDate) => boolean

/** Monday to Friday without the public holidays of `country` (ISO 3166-1) and `closedDays` (YYYY-MM-DD). */
export function createWorkingDays(country: string, closedDays: readonly string[]): WorkingDays {
  const calendar = new Holidays(country)
  const closed = new Set(closedDays)
  const publicHolidays = new Map<number, Set<string>>()
  const holidaysOf = (year: number): Set<string> => {
    const known = publicHolidays.get(year)
    if (known) return known
    const days = new Set(
      calendar
        .getHolidays(year)
        .filter((holiday) => holiday.type === 'public')
        .map((holiday) => holiday.date.slice(0, 10)),
    )
    publicHolidays.set(year, days)
    return days
  }
  return (day) =>
    day.dayOfWeek <= 5 && !closed.has(day.toString()) && !holidaysOf(day.year).has(day.toString())
}

export type MomentFacts = {
  now: Instant
  timeZone: string
  isWorkingDay: WorkingDays
  /** Value of `entity.…` or `event.…`. */
  read(field: string): unknown
}

/** The instant a moment stands for, or null when the data it hangs on is not there. */
export function resolveMoment(moment: Moment, facts: MomentFacts): Instant | null {
  return 'for' in moment ? resolveAfter(moment, facts) : resolveUntil(moment, facts)
}

function resolveAfter(moment: z.infer<typeof afterSchema>, facts: MomentFacts): Instant {
  const earliest = Temporal.Instant.from(facts.now)
    .toZonedDateTimeISO(facts.timeZone)
    .add(Temporal.Duration.from(moment.for))
  let due = moment.at ? earliest.withPlainTime(moment.at) : earliest
  if (Temporal.ZonedDateTime.compare(due, earliest) < 0) due = due.add({ days: 1 })
  if (moment.on === 'working-day') due = moveToWorkingDay(due, 1, facts.isWorkingDay)
  return toText(due)
}

function resolveUntil(moment: z.infer<typeof untilSchema>, facts: MomentFacts): Instant | null {
  const anchor = facts.read(moment.until)
  if (typeof anchor !== 'string') return null
  let due = Temporal.Instant.from(anchor).toZonedDateTimeISO(facts.timeZone)
  if (moment.offset) due = due.add(Temporal.Duration.from(moment.offset))
  if (moment.at) due = due.withPlainTime(moment.at)
  if (moment.on === 'working-day') due = moveToWorkingDay(due, -1, facts.isWorkingDay)
  return toText(due)
}

function moveToWorkingDay(
  from: Temporal.ZonedDateTime,
  days: 1 | -1,
  isWorkingDay: WorkingDays,
): Temporal.ZonedDateTime {
  let due = from
  while (!isWorkingDay(due.toPlainDate())) due = due.add({ days })
  return due
}

function toText(due: Temporal.ZonedDateTime): Instant {
  return due.toInstant().toString({ fractionalSecondDigits: 3 })
}
