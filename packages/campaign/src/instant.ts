import { Temporal } from 'temporal-polyfill'

/**
 * A moment in UTC as ISO 8601 text with milliseconds and `Z` (`2026-03-14T08:30:00.000Z`).
 * All of one length, so that the order of the texts is the order of the moments.
 */
export type Instant = string

/** The first and the last moment of which that holds: what lies beyond one counts as it. PostgreSQL reads both. */
const FIRST_MS = -62_135_596_800_000 // 0001-01-01T00:00:00.000Z
const LAST_MS = 253_402_300_799_999 // 9999-12-31T23:59:59.999Z

export const firstInstant = Temporal.Instant.fromEpochMilliseconds(FIRST_MS)
export const lastInstant = Temporal.Instant.fromEpochMilliseconds(LAST_MS)

/** A moment of the calendar as an {@link Instant}; one before the year 1 is the first moment of that, one beyond 9999 the last. */
export function instantOf({ epochMilliseconds }: { readonly epochMilliseconds: number }): Instant {
  return toText(epochMilliseconds)
}

/** The same moment in the one spelling that {@link Instant} allows. Throws RangeError on anything else. */
export function toInstant(text: string): Instant {
  return instantOf(Temporal.Instant.from(text))
}

export function earlierOf(one: Instant, other: Instant): Instant {
  return one < other ? one : other
}

export function laterOf(one: Instant, other: Instant): Instant {
  return one > other ? one : other
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
  if (known && known.from <= instant && instant < known.until) return known.year
  const { year } = Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone)
  const begin = (of: number) =>
    instantOf(new Temporal.PlainDate(of, 1, 1).toZonedDateTime(timeZone))
  years.set(timeZone, { year, from: begin(year), until: begin(year + 1) })
  return year
}

/** The calendar day of `instant` in `timeZone`, as a number: 0 is 1970-01-01, and each day one more. */
export function dayNumberOf(instant: Instant, timeZone: string): number {
  const ms = millisecondsOf(instant)
  return Math.floor((ms + stretchAt(ms, timeZone).offsetMs) / dayMs)
}

/** The moment at which such a day begins in `timeZone`. */
export function startOfDay(day: number, timeZone: string): Instant {
  return instantOf(new Temporal.PlainDate(1970, 1, 1).add({ days: day }).toZonedDateTime(timeZone))
}

const years = new Map<string, { year: number; from: Instant; until: Instant }>()

type Span = {
  duration: Temporal.Duration
  /** Its days, where each has 24 hours, and the rest; null for what only a calendar can tell. */
  even: { daysMs: number; restMs: number } | null
  /** The end of the years that there are to which it leads from any day of ours, where it is so long; else null. */
  endMs: number | null
}

const readSpan = remembering((text: string): Span => spanOf(Temporal.Duration.from(text)))
const readNegated = remembering(
  (text: string): Span => spanOf(Temporal.Duration.from(text).negated()),
)

function spanOf(duration: Temporal.Duration): Span {
  const { years, months, weeks, days, sign } = duration
  const endMs = isBeyondAll(duration) ? (sign > 0 ? LAST_MS : FIRST_MS) : null
  if (years !== 0 || months !== 0) return { duration, even: null, endMs }
  const restMs = duration.with({ weeks: 0, days: 0 }).total('milliseconds')
  return { duration, even: { daysMs: (weeks * 7 + days) * dayMs, restMs }, endMs }
}

/** True for what is longer than all the years that there are: the calendar may not reach as far as it leads. */
export function isBeyondAll({ years, months, weeks, days, hours }: Temporal.Duration): boolean {
  return Math.abs(years + months / 12 + weeks / 52 + days / 365 + hours / 8_760) > 9_999
}

const dayMs = 86_400_000

/**
 * No calendar needs to be asked where the clocks of the zone run evenly, nor of a move over changes of
 * them to a moment that is far from any: it would be a third of what deciding costs. Months and years
 * always ask.
 */
function move(instant: Instant, { duration, even, endMs }: Span, timeZone: string): Instant {
  if (endMs !== null) return toText(endMs)
  const fromMs = millisecondsOf(instant)
  const onDayMs = even && moveDays(fromMs, even.daysMs, timeZone)
  if (even && onDayMs !== null) return toText(onDayMs + even.restMs)
  return instantOf(Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).add(duration))
}

/** The same time of day so many days on; null near a change of the clocks, where there may be none or two. */
function moveDays(fromMs: number, daysMs: number, timeZone: string): number | null {
  if (daysMs === 0) return fromMs
  const own = stretchAt(fromMs, timeZone)
  const other = stretchAt(fromMs + daysMs, timeZone)
  const movedMs = fromMs + daysMs + own.offsetMs - other.offsetMs
  // Just after clocks were put back they show a time that they showed before, and that one is meant.
  if (movedMs < other.fromMs + dayMs) return null
  return own === other || movedMs < other.untilMs - dayMs ? movedMs : null
}

// The language's own date reads and writes exactly what an Instant is, ten times as fast.

function millisecondsOf(instant: Instant): number {
  // biome-ignore lint/style/noRestrictedGlobals: reads a text, not the clock
  return Date.parse(instant)
}

function toText(epochMilliseconds: number): Instant {
  // biome-ignore lint/style/noRestrictedGlobals: writes a number, not the clock
  return new Date(Math.max(FIRST_MS, Math.min(epochMilliseconds, LAST_MS))).toISOString()
}

/** From one change of the clocks of a zone until the next, and how far they are ahead of UTC meanwhile. */
type Stretch = { fromMs: number; untilMs: number; offsetMs: number }
const stretches = new Map<string, Stretch[]>()

function stretchAt(ms: number, timeZone: string): Stretch {
  const known = stretches.get(timeZone) ?? []
  const found = known.find(({ fromMs, untilMs }) => fromMs <= ms && ms < untilMs)
  if (found) return found
  const stretch = readStretch(ms, timeZone)
  stretches.set(timeZone, [stretch, ...known].slice(0, mostStretches))
  return stretch
}

/** As many changes as lie between a message and all that hangs on it. */
const mostStretches = 8

function readStretch(ms: number, timeZone: string): Stretch {
  const at = Temporal.Instant.fromEpochMilliseconds(ms)
  const here = at.toZonedDateTimeISO(timeZone)
  // A moment later, or a change at this very moment would not count as having been.
  const last = at.add({ nanoseconds: 1 }).toZonedDateTimeISO(timeZone)
  return {
    fromMs: last.getTimeZoneTransition('previous')?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    untilMs: here.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    offsetMs: here.offsetNanoseconds / 1e6,
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
