import { Temporal } from 'temporal-polyfill'
import type { QuietHours } from './definition/policies.ts'
import { atTime, type Instant } from './instant.ts'

/**
 * When the quiet hours end in which this moment lies, or null when it lies in none. Both are local times
 * of the person, so a night in which clocks are changed is shorter or longer than another (P3). Twin of
 * `quiet_until` in PostgreSQL, which the last check asks.
 */
export function quietUntil(
  instant: Instant,
  { from, until }: QuietHours,
  timeZone: string,
): Instant | null {
  const local = Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone)
  const time = local.toPlainTime().toString({ smallestUnit: 'minute' })
  const today = from < until ? time >= from && time < until : time < until
  const tomorrow = from > until && time >= from
  if (!today && !tomorrow) return null
  const day = local.add({ days: tomorrow ? 1 : 0 })
  return atTime(day, until).toInstant().toString({ fractionalSecondDigits: 3 })
}
