import { stopOf } from '@wegwijs/store/stops'
import { inboxRetentionDays } from '@wegwijs/wire/event-time'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'

/** Business time, and whether it stands still until a conductor steps it. */
export type ClockNow = { now: string; stands: boolean }

const DAY_MS = 86_400_000

/**
 * The event, at the time at which it counts as said. In a rehearsal the clocks of others say nothing of business
 * time, and may be years behind it; otherwise they may be a little ahead, and nothing happened after now.
 *
 * A stop of a time that is too long ago to be applied is as of now: that is nobody's first attempt to tell us
 * but a time that nobody has set, and a consent that was given since then would lift it (P3).
 */
export function asSaid(
  event: TouchpointEvent,
  at: string,
  { now, stands }: ClockNow,
): TouchpointEvent {
  const [atMs, nowMs] = [Date.parse(at), Date.parse(now)]
  const isForgotten = nowMs - atMs > inboxRetentionDays * DAY_MS && stopOf(event) !== null
  const isNow = stands || atMs > nowMs || isForgotten
  return { ...event, time: isNow ? now : new Date(atMs).toISOString() }
}
