import { Temporal } from 'temporal-polyfill'
import type { Reach } from './definition/reach.ts'
import { type Instant, instantOf } from './instant.ts'

/** A period of a reach band: from `begins`, which is in it, until `ends`, which is in the next one. */
export type ReachPeriod = { readonly begins: Instant; readonly ends: Instant }

/** The length of a period: so many days on the organisation's calendar, or so many seconds. */
export type PeriodLength = { readonly days: number; readonly seconds: number }

export function periodLength({ per }: Pick<Reach, 'per'>): PeriodLength {
  const { weeks, days, hours, minutes } = Temporal.Duration.from(per)
  return { days: weeks * 7 + days, seconds: hours * 3_600 + minutes * 60 }
}

/** A Monday, so that weeks begin on Mondays. */
const firstDay = Temporal.PlainDate.from('1970-01-05')

/**
 * The period in which a moment lies. Twin of `reach_period` in PostgreSQL (migrations/0018-reach.ts); of
 * a midnight that clocks skip both mean the first moment of that day.
 */
export function reachPeriod(
  now: Instant,
  reach: Pick<Reach, 'per'>,
  timeZone: string,
): ReachPeriod {
  const { days, seconds } = periodLength(reach)
  const instant = Temporal.Instant.from(now)
  if (days === 0) {
    const begins = Math.floor(instant.epochMilliseconds / (seconds * 1_000)) * seconds * 1_000
    return {
      begins: instantOf({ epochMilliseconds: begins }),
      ends: instantOf({ epochMilliseconds: begins + seconds * 1_000 }),
    }
  }
  const today = instant.toZonedDateTimeISO(timeZone).toPlainDate()
  const passed = firstDay.until(today, { largestUnit: 'days' }).days
  const first = firstDay.add({ days: Math.floor(passed / days) * days })
  const midnight = (date: Temporal.PlainDate) => instantOf(date.toZonedDateTime({ timeZone }))
  return { begins: midnight(first), ends: midnight(first.add({ days })) }
}
