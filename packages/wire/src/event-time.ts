import type { Rejection, TouchpointEvent } from './touchpoint-event.ts'

/**
 * How long identities of events are remembered, in days: longer than Kafka keeps a touchpoint, so
 * that a topic replayed whole meets an inbox that still knows it. What is older is refused.
 */
export const inboxRetentionDays = 90

const LEAD_MS = 5 * 60_000
const DAY_MS = 86_400_000

/**
 * Whether the event's time is one that can be taken in at `now` (business time, an ISO instant).
 * More than 5 minutes ahead: a clock is wrong somewhere. Older than the inbox keeps: nobody could
 * tell any more whether it counted before (P2).
 */
export function checkTime(
  event: Pick<TouchpointEvent, 'time'>,
  now: string,
  inboxRetentionDays: number,
): Rejection | undefined {
  const aheadMs = Date.parse(event.time) - Date.parse(now)
  if (aheadMs > LEAD_MS) {
    return {
      errorClass: 'time_in_future',
      reason: 'the time is more than 5 minutes ahead',
      path: 'time',
    }
  }
  if (-aheadMs > inboxRetentionDays * DAY_MS) {
    return {
      errorClass: 'older_than_inbox',
      reason: `the time is more than ${inboxRetentionDays} days ago, longer than seen events are remembered`,
      path: 'time',
    }
  }
  return undefined
}
