import type { Clock } from '@wegwijs/runtime/clock'

/**
 * What was said to callers about coming back, and how they kept to it. A call counts as too early
 * when its own connection has been told to wait: whoever writes to it has read that answer. Of calls
 * on other connections nobody can say whether they were on their way when it was given.
 */
export type RateLimit = {
  /** Nobody should call for so many seconds. */
  told(connection: object, seconds: number): void
  called(connection: object): void
  calledTooEarly(): number
}

export function createRateLimit(clock: Pick<Clock, 'monotonicMs'>): RateLimit {
  const knows = new WeakSet<object>()
  let untilMs = Number.NEGATIVE_INFINITY
  let count = 0
  return {
    told(connection, seconds) {
      knows.add(connection)
      untilMs = Math.max(untilMs, clock.monotonicMs() + seconds * 1_000)
    },
    called(connection) {
      if (clock.monotonicMs() >= untilMs) knows.delete(connection)
      else if (knows.has(connection)) count += 1
    },
    calledTooEarly: () => count,
  }
}
