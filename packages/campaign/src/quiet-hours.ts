import { Temporal } from 'temporal-polyfill'
import type { QuietHours } from './definition/policies.ts'
import { type Instant, instantOf } from './instant.ts'
import { atTime } from './local-time.ts'

/** Whether it is quiet at this local time (HH:MM). */
export function isQuiet(time: string, { from, until }: QuietHours): boolean {
  return from < until ? time >= from && time < until : time < until || time >= from
}

/**
 * When the quiet hours end in which this moment lies, or null when it lies in none. Both are local times
 * of the person, so a night in which clocks are changed is shorter or longer than another (P3). Twin of
 * `quiet_until` in PostgreSQL, which the last check asks.
 */
export function quietUntil(instant: Instant, hours: QuietHours, timeZone: string): Instant | null {
  const { from, until } = hours
  const local = Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone)
  const time = local.toPlainTime().toString({ smallestUnit: 'minute' })
  if (!isQuiet(time, hours)) return null
  const isEvening = from > until && time >= from
  const day = local.toPlainDate().add({ days: isEvening ? 1 : 0 })
  return instantOf(atTime(day, until, timeZone))
}
