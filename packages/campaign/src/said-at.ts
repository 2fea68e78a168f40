import { earlierOf, type Instant } from './instant.ts'
import type { JourneyEvent } from './state.ts'

/**
 * When something was said. What a clock says that is ahead is as of now, or it would hold against all that is
 * said until then by clocks that are right: a yes against the no that comes after it (P3).
 */
export function saidAt({ time }: Pick<JourneyEvent, 'time'>, now: Instant): Instant {
  return earlierOf(time, now)
}

/**
 * When something was said that gives: a consent, a relation, an address. By then it was in Kafka already, or read
 * late it would lift the no that was said meanwhile (P3). What takes back is not asked for that: were the
 * clock of a broker behind, a no would be older than the yes before it.
 */
export function givenAt(event: Pick<JourneyEvent, 'time' | 'appendedAt'>, now: Instant): Instant {
  return earlierOf(saidAt(event, now), event.appendedAt ?? now)
}
