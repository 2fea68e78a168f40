import { Temporal } from 'temporal-polyfill'
import { z } from 'zod'
import type { Facts } from './condition.ts'
import {
  durationSchema,
  identifierSchema,
  localTimeSchema,
  positiveDurationSchema,
} from './definition/words.ts'
import { addDuration, type Instant, instantOf } from './instant.ts'
import {
  atTime,
  endOf,
  type LocalTime,
  localTimeOf,
  movedBy,
  opensOn,
  whenShown,
} from './local-time.ts'
import type { WorkingDays } from './working-days.ts'

export const weekdays = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const

/**
 * When something is to happen, as a campaign says it:
 * `{ for: P2D, at: "10:00", on: working-day }` counts from now,
 * `{ at: "10:00" }` is the next time that clocks show ten,
 * `{ until: entity.startsAt, offset: -P1D, at: "18:00" }` counts from a moment in the person's data.
 *
 * `at` is local time on that day; when it has already passed on a day counted from now, the next
 * day counts, while `until` keeps the day, also when that lies in the past. `between` moves into a
 * part of the day, `on` to a day: any, a working one, or one of some weekdays. Both move forward over
 * weekends, public holidays and closed days; for `until` without an offset or with a negative one, days move
 * backward, so that "the working day before" stays before, as the one after stays after.
 */
export const onSchema = z
  .union([z.enum(['any-day', 'working-day']), z.array(z.enum(weekdays)).min(1)])
  .default('any-day')
  .describe(
    '`working-day` moves over weekends, public holidays and closed days, a list of weekdays to the nearest of them: forward from now and by an `offset` after `until`, else backward.',
  )

const atSchema = localTimeSchema
  .optional()
  .describe(
    'Local time of the person, such as `"18:00"`. When it has passed on a day counted from now, the next day counts; `until` keeps the day.',
  )

const betweenSchema = z
  .tuple([localTimeSchema, localTimeSchema])
  .refine(([from, to]) => from < to, 'expected two times of one day, the earlier one first')

const afterSchema = z
  .strictObject({
    for: positiveDurationSchema
      .optional()
      .describe('How long from now, such as `P2D` or `PT3H`; without it, from now on.'),
    at: atSchema,
    between: betweenSchema
      .optional()
      .describe(
        'A part of the day, such as `["09:00", "17:00"]`: before it waits for it to begin.',
      ),
    on: onSchema,
  })
  .refine(
    (moment) =>
      moment.for !== undefined ||
      moment.at !== undefined ||
      moment.between !== undefined ||
      moment.on !== 'any-day',
    'expected for, until, at, between or on',
  )
  .refine(
    ({ at, between }) => at === undefined || between === undefined,
    'expected at or between, not both',
  )
  .describe('Counted from now.')

const expected = 'expected a moment such as "entity.startsAt"'

const untilSchema = z
  .strictObject({
    until: z
      .string()
      .regex(/^(entity|event)\.[a-z][A-Za-z0-9]*$/, {
        error: ({ input }) =>
          /^person\./.test(String(input))
            ? 'only a wait counts from a date of the person: put a wait for it before this step'
            : expected,
      })
      .describe('A moment in the data, such as `entity.startsAt`; moves along when that changes.'),
    offset: durationSchema
      .optional()
      .describe('How long before (`-P1D`) or after (`PT2H`) that moment.'),
    at: atSchema,
    on: onSchema,
  })
  .describe("Counted from a moment in the person's data.")

export const momentSchema = z.union([afterSchema, untilSchema]).meta({
  id: 'moment',
  title: 'A moment',
  description:
    'When something is to happen: some time from now, the next time of day or weekday, or before or after a moment in the data.',
})

export type Moment = z.infer<typeof momentSchema>

const waitId = {
  id: identifierSchema
    .optional()
    .describe('How a later version names it that moves people; once in a campaign.'),
}

/**
 * A moment that somebody waits for, with a name of its own if it wants one. A wait alone counts from a date
 * of the person, too: it is nothing but where somebody stands, so another date takes back nothing that was
 * planned or sent.
 */
export const waitMomentSchema = z
  .union([
    afterSchema.safeExtend(waitId),
    untilSchema
      .extend({
        until: z
          .string()
          .regex(/^(entity|event|person)\.[a-z][A-Za-z0-9]*$/, expected)
          .describe(
            'A moment in the data, such as `entity.startsAt`, or a moment or calendar day of the person, such as `person.expectedOn`; moves along when that changes.',
          ),
        ...waitId,
      })
      .describe("Counted from a moment in the person's data."),
  ])
  .meta({
    id: 'wait-moment',
    title: 'A moment to wait for',
    description: 'When somebody goes on: a moment, with a name of its own if it needs one.',
  })

/** The field that it counts from, if it counts from one. */
export function fieldOf(moment: Moment): string[] {
  return 'until' in moment ? [moment.until] : []
}

/** True when the moment hangs on the data of an entity, so that a new version of it re-times. */
export function hangsOnEntity(moment: Moment): boolean {
  return 'until' in moment && moment.until.startsWith('entity.')
}

/** The field of the person that it counts from: a new value of that moves it. */
export function dateOfPersonIn(moment: Moment): string | null {
  return 'until' in moment && moment.until.startsWith('person.') ? moment.until : null
}

export type MomentFacts = Facts & { readonly isWorkingDay: WorkingDays }

/** The instant a moment stands for, or null when the data it hangs on is not there. */
export function resolveMoment(moment: Moment, facts: MomentFacts): Instant | null {
  return 'until' in moment ? resolveUntil(moment, facts) : resolveAfter(moment, facts)
}

function resolveAfter(moment: z.infer<typeof afterSchema>, facts: MomentFacts): Instant {
  const { for: duration, at: time, between, on } = moment
  const isPlain = time === undefined && between === undefined && on === 'any-day'
  if (duration && isPlain) return addDuration(facts.now, duration, facts.timeZone)
  const now = localTimeOf(Temporal.Instant.from(facts.now).toZonedDateTimeISO(facts.timeZone))
  const earliest = duration ? movedBy(now, Temporal.Duration.from(duration)) : now
  const at = time ? nextAt(earliest, time) : earliest
  const due = between ? nextBetween(at, between) : at
  return instantOf(moveToDay(due, { days: 1, on, opens: between?.[0] }, facts.isWorkingDay))
}

function resolveUntil(moment: z.infer<typeof untilSchema>, facts: MomentFacts): Instant | null {
  const { until, offset: span, at, on } = moment
  const around = { span, at, on, days: awayFrom(span) }
  const anchored = anchoredTo(facts.read(until), around, facts)
  return anchored && instantOf(anchored.momentOf(0))
}

/**
 * True when it never comes before the moment that it counts from, on whatever clocks and calendar: a time of day
 * may lie earlier on the same day, and without a positive offset another day is looked for backward.
 */
export function comesNotBefore({ offset, at, on }: z.infer<typeof untilSchema>): boolean {
  const { sign, years, months, weeks, days } = Temporal.Duration.from(offset ?? 'PT0S')
  if (sign === 0) return at === undefined && on === 'any-day'
  return sign > 0 && (at === undefined || years + months + weeks + days > 0)
}

/** The direction in which a day is looked for: what is told after a moment is not told before it. */
function awayFrom(offset: string | undefined): 1 | -1 {
  return offset !== undefined && Temporal.Duration.from(offset).sign > 0 ? 1 : -1
}

/** How far from a date: `span` before (negative) or after it, at which time, and on which days. */
type Around = { span: string | undefined; at: string | undefined; on: Moment['on']; days: 1 | -1 }

/** When it comes so many years after the date itself, and on which calendar day that is, of a moment in UTC. */
export type Anchored = {
  year: number
  dayOf(years: number): Temporal.PlainDate
  momentOf(years: number): Temporal.ZonedDateTime
}

/**
 * A calendar day counts in days, months and years and gets its time of day at the end; a moment is
 * moved as clocks show it, so that an hour before is an hour before in any night. The 29th of February
 * is the 28th in other years. Null for what is no date, such as what was stored while the field was of
 * another type.
 */
export function anchoredTo(
  value: unknown,
  { span = 'PT0S', at, on, days }: Around,
  { timeZone, isWorkingDay }: { timeZone: string; isWorkingDay: WorkingDays },
): Anchored | null {
  if (typeof value !== 'string') return null
  const moved = Temporal.Duration.from(span)
  const end = endOf(moved, timeZone)
  const onDay = (due: LocalTime) => moveToDay(due, { days, on, opens: undefined }, isWorkingDay)
  if (/^\d{4}-\d{2}-\d{2}$/.test(value)) {
    const plain = read(() => Temporal.PlainDate.from(value))
    if (plain === null) return null
    const momentOf = (years: number) => {
      if (end) return end.at
      const day = plain.add({ years }).add(moved)
      return onDay(whenShown(day.toPlainDateTime(at ?? '00:00'), timeZone))
    }
    return { year: plain.year, dayOf: (years) => plain.add({ years }), momentOf }
  }
  const zoned = read(() => Temporal.Instant.from(value).toZonedDateTimeISO(timeZone))
  if (zoned === null) return null
  const momentOf = (years: number) => {
    if (end) return end.at
    const due = movedBy(movedBy(localTimeOf(zoned), Temporal.Duration.from({ years })), moved)
    return onDay(at === undefined ? due : whenShown(due.shown.withPlainTime(at), timeZone))
  }
  const dayOf = (years: number) => zoned.withTimeZone('UTC').toPlainDate().add({ years })
  return { year: zoned.year, dayOf, momentOf }
}

function read<Value>(reading: () => Value): Value | null {
  try {
    return reading()
  } catch {
    return null
  }
}

/** Of a time that clocks show twice it is the first. */
function nextAt(earliest: LocalTime, time: string): LocalTime {
  for (let day = earliest.shown.toPlainDate(); ; day = day.add({ days: 1 })) {
    const due = whenShown(day.toPlainDateTime(time), earliest.at.timeZoneId)
    if (Temporal.ZonedDateTime.compare(due.at, earliest.at) >= 0) return due
  }
}

function nextBetween(earliest: LocalTime, [from, to]: readonly [string, string]): LocalTime {
  const time = earliest.at.toPlainTime()
  const isBefore = Temporal.PlainTime.compare(time, from) < 0
  if (!isBefore && Temporal.PlainTime.compare(time, to) < 0) return earliest
  const day = earliest.at.toPlainDate().add({ days: isBefore ? 0 : 1 })
  return opensOn(day, from, earliest.at.timeZoneId)
}

/** On another day it is at its own time of day, or when a part of the day `opens` (HH:MM). */
type DayToFind = { days: 1 | -1; on: Moment['on']; opens: string | undefined }

function moveToDay(
  from: LocalTime,
  { days, on, opens }: DayToFind,
  isWorkingDay: WorkingDays,
): Temporal.ZonedDateTime {
  const { shown, at } = from
  if (on === 'any-day') return at
  const names = on === 'working-day' ? null : new Set<string>(on)
  const fits = (day: Temporal.PlainDate) =>
    names ? names.has(weekdays[day.dayOfWeek - 1] ?? '') : isWorkingDay(day)
  let due = at
  for (let day = shown.toPlainDate(); !fits(due.toPlainDate()); ) {
    day = day.add({ days })
    due = opens
      ? atTime(day, opens, at.timeZoneId)
      : whenShown(day.toPlainDateTime(shown.toPlainTime()), at.timeZoneId).at
  }
  return due
}
