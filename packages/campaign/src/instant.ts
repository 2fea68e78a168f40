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
  return millisecondsOf(to) - millisecondsOf(from)
}

/** `instant` moved by an ISO 8601 duration (`P2D`, `-PT30M`), counted on the calendar of `timeZone`. */
export const addDuration = remembering(
  (instant: Instant, duration: string, timeZone: string): Instant =>
    move(instant, readSpan(duration), timeZone),
)

/** `instant` moved back by a duration: {@link addDuration} the other way. */
export const subtractDuration = remembering(
  (instant: Instant, duration: string, timeZone: string): Instant =>
    move(instant, readNegated(duration), timeZone),
)

/** The calendar year of `instant` in `timeZone`. */
export function yearOf(instant: Instant, timeZone: string): number {
  const known = years.get(timeZone)
  if (known && isIn(known, instant)) return known.year
  const { year } = Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone)
  const begin = (of: number) =>
    toText(new Temporal.PlainDate(of, 1, 1).toZonedDateTime(timeZone).epochMilliseconds)
  years.set(timeZone, { year, from: begin(year), until: begin(year + 1) })
  return year
}

const years = new Map<string, Stretch & { year: number }>()

type Span = {
  duration: Temporal.Duration
  /** How long it is where a day is 24 hours; null for what only a calendar can tell. */
  evenMs: number | null
  hasDays: boolean
}

const readSpan = remembering((text: string): Span => spanOf(Temporal.Duration.from(text)))
const readNegated = remembering(
  (text: string): Span => spanOf(Temporal.Duration.from(text).negated()),
)

function spanOf(duration: Temporal.Duration): Span {
  const { years, months, weeks, days } = duration
  const hasDays = weeks !== 0 || days !== 0
  if (years !== 0 || months !== 0) return { duration, evenMs: null, hasDays }
  const rest = duration.with({ weeks: 0, days: 0 }).total('milliseconds')
  return { duration, evenMs: (weeks * 7 + days) * 86_400_000 + rest, hasDays }
}

/**
 * Where the clocks of the zone run evenly from the one moment to the other, a day is 24 hours, and no
 * calendar needs to be asked: it would be a third of what deciding costs. Months and years always ask.
 */
function move(instant: Instant, { duration, evenMs, hasDays }: Span, timeZone: string): Instant {
  if (evenMs !== null) {
    const moved = toText(millisecondsOf(instant) + evenMs)
    if (!hasDays || isEven(instant, moved, timeZone)) return moved
  }
  return Temporal.Instant.from(instant)
    .toZonedDateTimeISO(timeZone)
    .add(duration)
    .toInstant()
    .toString({ fractionalSecondDigits: 3 })
}

// The language's own date reads and writes exactly what an Instant is, ten times as fast.

function millisecondsOf(instant: Instant): number {
  // biome-ignore lint/style/noRestrictedGlobals: reads a text, not the clock
  return Date.parse(instant)
}

function toText(epochMilliseconds: number): Instant {
  // biome-ignore lint/style/noRestrictedGlobals: writes a number, not the clock
  return new Date(epochMilliseconds).toISOString()
}

/** From the moment at which the clocks of a zone were last changed until the next such moment. */
type Stretch = { from: Instant; until: Instant }
const stretches = new Map<string, Stretch>()

function isEven(one: Instant, other: Instant, timeZone: string): boolean {
  const known = stretches.get(timeZone)
  const stretch = known && isIn(known, one) ? known : stretchOf(one, timeZone)
  if (stretch !== known) stretches.set(timeZone, stretch)
  return isIn(stretch, other)
}

function isIn({ from, until }: Stretch, instant: Instant): boolean {
  return from <= instant && instant < until
}

function stretchOf(instant: Instant, timeZone: string): Stretch {
  const at = Temporal.Instant.from(instant)
  // A moment later, or a change at this very moment would not count as having been.
  const last = at.add({ nanoseconds: 1 }).toZonedDateTimeISO(timeZone)
  const from = last.getTimeZoneTransition('previous')
  const until = at.toZonedDateTimeISO(timeZone).getTimeZoneTransition('next')
  return {
    from: from ? toText(from.epochMilliseconds) : '',
    until: until ? toText(until.epochMilliseconds) : '~',
  }
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
