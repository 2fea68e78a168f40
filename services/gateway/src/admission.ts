import type { Clock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import type { Limits } from './limits.ts'

/**
 * How much is let in. A limit per request would not do: one request may carry 500 events, so both
 * the room and the rate are counted in what they cost.
 */
export type Admission = {
  /**
   * Takes room for a request until the answer is called.
   *
   * @throws WEGWIJS_OVERLOADED
   */
  enter(bytes: number): () => void
  /**
   * Takes `events` from what a key may still send. Returns after how many seconds there is enough
   * again, 0 when there is enough now (and then it is taken).
   */
  charge(keyId: string, events: number): number
  inFlight(): number
}

/** A token bucket: full at `eventsAtOnce`, filled by `eventsPerSecond`. */
type Bucket = { tokens: number; atMs: number }

export function createAdmission(clock: Clock, limits: Limits): Admission {
  const buckets = new Map<string, Bucket>()
  let requests = 0
  let bytesInFlight = 0

  return {
    enter: (bytes) => {
      // A lone large one gets in, or it never would.
      const full =
        requests >= limits.requestsInFlight ||
        (requests > 0 && bytesInFlight + bytes > limits.bytesInFlight)
      if (full) throw fail('WEGWIJS_OVERLOADED')
      requests += 1
      bytesInFlight += bytes
      let inside = true
      return () => {
        if (!inside) return
        inside = false
        requests -= 1
        bytesInFlight -= bytes
      }
    },
    charge: (keyId, events) => {
      const nowMs = clock.monotonicMs()
      const last = buckets.get(keyId) ?? { tokens: limits.eventsAtOnce, atMs: nowMs }
      const filled = last.tokens + ((nowMs - last.atMs) / 1_000) * limits.eventsPerSecond
      const tokens = Math.min(limits.eventsAtOnce, filled)
      const lacking = Math.min(events, limits.eventsAtOnce) - tokens
      buckets.set(keyId, { tokens: lacking > 0 ? tokens : tokens - events, atMs: nowMs })
      return lacking > 0 ? Math.ceil(lacking / limits.eventsPerSecond) : 0
    },
    inFlight: () => requests,
  }
}
