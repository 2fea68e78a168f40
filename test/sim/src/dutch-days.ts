const hour = 3_600_000
const day = 24 * hour

/**
 * The moment at which Dutch clocks show the same time `days` days later (or earlier, below 0), from
 * the rule of European summer time alone. In the night in which clocks change that may be two
 * moments, or none and then either of those beside the gap: both are given, the earlier one first.
 */
export function sameTimeOn(ms: number, days: number): { earliest: number; latest: number } {
  const shown = ms + aheadOfUtc(ms) + days * day
  const moments = [2 * hour, hour].map((ahead) => shown - ahead)
  const real = moments.filter((moment) => moment + aheadOfUtc(moment) === shown)
  const possible = real.length > 0 ? real : moments
  return { earliest: Math.min(...possible), latest: Math.max(...possible) }
}

/** How far Dutch clocks are ahead of UTC. */
function aheadOfUtc(ms: number): number {
  const year = new Date(ms).getUTCFullYear()
  const isSummer = ms >= lastSundayOf(year, 2) && ms < lastSundayOf(year, 9)
  return isSummer ? 2 * hour : hour
}

/** One o'clock UTC on the last Sunday of a month that has 31 days. */
function lastSundayOf(year: number, month: number): number {
  const last = new Date(Date.UTC(year, month, 31, 1))
  return last.getTime() - last.getUTCDay() * day
}

/** The time of day that Dutch clocks show, in milliseconds since midnight. */
export function clockOf(ms: number): number {
  return (ms + aheadOfUtc(ms)) % day
}

/** The day that Dutch calendars show, such as `2026-03-29`. */
export function dayOf(ms: number): string {
  return new Date(ms + aheadOfUtc(ms)).toISOString().slice(0, 10)
}

/** The first moment at which Dutch clocks show this hour, so many days after the day of `ms`. */
export function hourOn(ms: number, days: number, atHour: number): number {
  const midnight = Date.parse(`${dayOf(ms)}T00:00:00.000Z`) + days * day
  const shown = midnight + atHour * hour
  return Math.min(
    ...[2 * hour, hour].map((ahead) => shown - ahead).filter((at) => at + aheadOfUtc(at) === shown),
  )
}
