import { Temporal } from 'temporal-polyfill'

/**
 * A moment in UTC as ISO 8601 text with milliseconds and `Z` (`2026-03-14T08:30:00.000Z`).
 * All of one length, so that the order of the texts is the order of the moments.
 */
export type Instant = string

/** The same moment in the one spelling that {@link Instant} allows. Throws RangeError on anything else. */
export function toInstant(text: string): Instant {
  return Temporal.Instant.from(text).toString({ fractionalSecondDigits: 3 })
}

/** Milliseconds from `from` to `to`; negative when `to` is the earlier one. */
export function millisecondsBetween(from: Instant, to: Instant): number {
  return Temporal.Instant.from(to).epochMilliseconds - Temporal.Instant.from(from).epochMilliseconds
}

/** `instant` moved by an ISO 8601 duration (`P2D`, `-PT30M`), counted on the calendar of `timeZone`. */
export function addDuration(instant: Instant, duration: string, timeZone: string): Instant {
  return Temporal.Instant.from(instant)
    .toZonedDateTimeISO(timeZone)
    .add(Temporal.Duration.from(duration))
    .toInstant()
    .toString({ fractionalSecondDigits: 3 })
}

/** The calendar year of `instant` in `timeZone`. */
export function yearOf(instant: Instant, timeZone: string): number {
  return Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).year
}
