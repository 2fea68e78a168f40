import type { Clock } from '@wegwijs/runtime/clock'

/** So long after the answer a call may come that was under way when it was given. */
const ON_ITS_WAY_MS = 1_000

/** What was said to callers about coming back, and how they kept to it. */
export type RateLimit = {
  /** Nobody should call for so many seconds. */
  told(seconds: number): void
  called(): void
  calledTooEarly(): number
}

export function createRateLimit(clock: Pick<Clock, 'monotonicMs'>): RateLimit {
  let toldMs = Number.NEGATIVE_INFINITY
  let untilMs = Number.NEGATIVE_INFINITY
  let count = 0
  return {
    told(seconds) {
      const nowMs = clock.monotonicMs()
      if (nowMs >= untilMs) toldMs = nowMs
      untilMs = Math.max(untilMs, nowMs + seconds * 1_000)
    },
    called() {
      const nowMs = clock.monotonicMs()
      if (nowMs > toldMs + ON_ITS_WAY_MS && nowMs < untilMs) count += 1
    },
    calledTooEarly: () => count,
  }
}
