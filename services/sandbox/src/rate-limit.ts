import type { Clock } from '@wegwijs/runtime/clock'

/**
 * What was said to callers about coming back, and how they kept to it. A call counts as too early
 * when its own connection has been told to wait and for how long it was told: whoever writes to it
 * has read that answer. Of calls on other connections nobody can say whether they were on their way
 * when it was given.
 */
export type RateLimit = {
  /** Nobody should call for so many seconds. */
  told(connection: object, seconds: number): void
  called(connection: object): void
  calledTooEarly(): number
}

export function createRateLimit(clock: Pick<Clock, 'monotonicMs'>): RateLimit {
  const toldUntilMs = new WeakMap<object, number>()
  let count = 0
  return {
    told(connection, seconds) {
      const untilMs = clock.monotonicMs() + seconds * 1_000
      toldUntilMs.set(connection, Math.max(untilMs, toldUntilMs.get(connection) ?? untilMs))
    },
    called(connection) {
      if (clock.monotonicMs() < (toldUntilMs.get(connection) ?? 0)) count += 1
    },
    calledTooEarly: () => count,
  }
}
