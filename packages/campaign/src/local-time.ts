import { Temporal } from 'temporal-polyfill'
import { firstInstant, isBeyondAll, lastInstant } from './instant.ts'

/**
 * A moment as the clocks of somebody show it. Days move what is shown, and the zone is asked of the day that
 * this gives: a time that clocks skip comes as much later as they skip, that night alone, and is itself again
 * on the next day. Moved from where it came to, it would be late for ever after.
 */
export type LocalTime = {
  /** What the clocks are to show; in the night of a change they may skip it. */
  readonly shown: Temporal.PlainDateTime
  readonly at: Temporal.ZonedDateTime
}

/** What clocks show at this moment. */
export function localTimeOf(at: Temporal.ZonedDateTime): LocalTime {
  return { shown: at.toPlainDateTime(), at }
}

/** When clocks show this; of what they show twice the first. */
export function whenShown(shown: Temporal.PlainDateTime, timeZone: string): LocalTime {
  return { shown, at: shown.toZonedDateTime(timeZone) }
}

/** That time of the day (HH:MM), as {@link atTime} has it. */
export function opensOn(day: Temporal.PlainDate, time: string, timeZone: string): LocalTime {
  return { shown: day.toPlainDateTime(time), at: atTime(day, time, timeZone) }
}

/**
 * That time of the day (HH:MM). Of a time that clocks show twice it is the second, as in PostgreSQL; one that they
 * skip is as much later as they skip.
 */
export function atTime(
  day: Temporal.PlainDate,
  time: string,
  timeZone: string,
): Temporal.ZonedDateTime {
  return day.toPlainDateTime(time).toZonedDateTime(timeZone, { disambiguation: 'later' })
}

/** The end of the years that there are to which so long a span leads from any day of ours; null of any other span. */
export function endOf(span: Temporal.Duration, timeZone: string): LocalTime | null {
  if (!isBeyondAll(span)) return null
  const end = span.sign > 0 ? lastInstant : firstInstant
  return localTimeOf(end.toZonedDateTimeISO(timeZone))
}

/** Moved by years, months, weeks and days as clocks show it, and then by hours, minutes and seconds as they pass. */
export function movedBy(moment: LocalTime, span: Temporal.Duration): LocalTime {
  const end = endOf(span, moment.at.timeZoneId)
  if (end) return end
  const { years, months, weeks, days } = span
  const dates = Temporal.Duration.from({ years, months, weeks, days })
  const onDay = dates.blank ? moment : whenShown(moment.shown.add(dates), moment.at.timeZoneId)
  const passing = span.with({ years: 0, months: 0, weeks: 0, days: 0 })
  return passing.blank ? onDay : localTimeOf(onDay.at.add(passing))
}
