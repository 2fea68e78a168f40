import type { Instant } from './instant.ts'
import type { JourneyEvent } from './state.ts'

/**
 * When something was said. What a clock says that is ahead is as of now, or it would hold against all that is
 * said until then by clocks that are right: a yes against the no that comes after it (P3).
 */
export function saidAt({ time }: Pick<JourneyEvent, 'time'>, now: Instant): Instant {
  return time < now ? time : now
}
