import { fail } from '@wegwijs/runtime/failure'
import { Temporal } from 'temporal-polyfill'

/** The moments at which business time may stand: every `stepMs`, or every one when that is 0. */
export type Grid = {
  /** The first moment of the grid that is not before `instant`. */
  roundUp(instant: string): string
}

/** @throws WEGWIJS_USAGE when `step` is not a duration of hours, minutes and seconds, or days. */
export function createGrid(step: string): Grid {
  const stepMs = stepMilliseconds(step)
  return {
    roundUp: (instant) => {
      const ms = Date.parse(instant)
      return stepMs === 0 ? instant : new Date(Math.ceil(ms / stepMs) * stepMs).toISOString()
    },
  }
}

/** @throws WEGWIJS_USAGE as {@link createGrid} does */
export function stepMilliseconds(step: string): number {
  try {
    const ms = Temporal.Duration.from(step).total('milliseconds')
    if (ms >= 0 && Number.isSafeInteger(ms)) return ms
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw fail('WEGWIJS_USAGE', { problem: `"${step}" is not a step; PT15M, P1D or PT0S is` })
}

/**
 * Until when time goes on after the last event, ISO instants: two years are enough for a year after an
 * operation and what follows it, and what comes back every year would let it go on for ever.
 */
export function endOfTime(lastEventAt: string): string {
  return Temporal.Instant.from(lastEventAt)
    .toZonedDateTimeISO('UTC')
    .add({ years: 2 })
    .toInstant()
    .toString({ fractionalSecondDigits: 3 })
}
