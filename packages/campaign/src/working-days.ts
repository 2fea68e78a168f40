import Holidays from 'date-holidays'
import { Temporal } from 'temporal-polyfill'

/** Days on which the organisation works. */
export type WorkingDays = (day: Temporal.PlainDate) => boolean

/** Whether the public holidays of a country (ISO 3166-1) are known: of any other one every weekday is worked. */
export function hasHolidays(country: string): boolean {
  return Object.hasOwn(new Holidays().getCountries(), country)
}

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

/** The day (YYYY-MM-DD) from which on nobody worked until this one; itself where somebody worked the day before. */
export function closedSince(day: string, isWorkingDay: WorkingDays): string {
  let first = Temporal.PlainDate.from(day)
  for (;;) {
    const before = first.subtract({ days: 1 })
    if (isWorkingDay(before)) return first.toString()
    first = before
  }
}
