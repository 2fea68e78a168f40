import type { SendClock } from '../src/bounded-send.ts'

export type StandingClock = SendClock & {
  /** Lets so much time pass at once, as for a process that was frozen: no timer has run when it goes on. */
  goOn(by: { monotonicMs?: number; epochMs?: number }): void
}

export function standingClock(): StandingClock {
  const passed = { monotonicMs: 0, epochMs: Date.parse('2026-03-01T12:00:00.000Z') }
  return {
    monotonicMs: () => passed.monotonicMs,
    epochMs: () => passed.epochMs,
    goOn: ({ monotonicMs = 0, epochMs = 0 }) => {
      passed.monotonicMs += monotonicMs
      passed.epochMs += epochMs
    },
  }
}
