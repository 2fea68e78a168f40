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
export const addDuration = remembering(
  (instant: Instant, duration: string, timeZone: string): Instant =>
    move(instant, Temporal.Duration.from(duration), timeZone),
)

/** `instant` moved back by a duration: {@link addDuration} the other way. */
export const subtractDuration = remembering(
  (instant: Instant, duration: string, timeZone: string): Instant =>
    move(instant, Temporal.Duration.from(duration).negated(), timeZone),
)

/** The calendar year of `instant` in `timeZone`. */
export const yearOf = remembering(
  (instant: Instant, timeZone: string): number =>
    Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).year,
)

function move(instant: Instant, duration: Temporal.Duration, timeZone: string): Instant {
  return Temporal.Instant.from(instant)
    .toZonedDateTimeISO(timeZone)
    .add(duration)
    .toInstant()
    .toString({ fractionalSecondDigits: 3 })
}

const mostRemembered = 1_000

/**
 * The same function, which remembers its last answers: a batch asks the same of its one `now` for
 * every event, and the calendar would be a third of what deciding costs.
 */
function remembering<Parts extends readonly string[], Answer>(
  compute: (...parts: Parts) => Answer,
): (...parts: Parts) => Answer {
  const answers = new Map<string, Answer>()
  return (...parts) => {
    const key = parts.join(' ')
    const known = answers.get(key)
    if (known !== undefined) return known
    const answer = compute(...parts)
    if (answers.size >= mostRemembered) answers.clear()
    answers.set(key, answer)
    return answer
  }
}
