import { setTimeout as wait } from 'node:timers/promises'

/**
 * Machine time: leases, time-outs, log stamps. Business time (due, expiry, quiet hours) is another
 * thing and comes from PostgreSQL, so that a rehearsal can step it. This file alone reads the
 * machine's clocks.
 */
export type Clock = {
  /** Milliseconds since an unnamed beginning; never goes back, so differences are durations. */
  monotonicMs(): number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when that is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Wall-clock time as ISO 8601 in UTC with milliseconds. */
  instant(): string
  /** The same in milliseconds since 1970, for those who count. */
  epochMs(): number
}

export const systemClock: Clock = Object.freeze({
  monotonicMs: () => performance.now(),
  sleep: async (ms: number, signal?: AbortSignal) => {
    signal?.throwIfAborted()
    try {
      await wait(ms, undefined, signal === undefined ? {} : { signal })
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  },
  instant: () => new Date().toISOString(),
  epochMs: () => Date.now(),
})

export type ManualClock = Clock & {
  /**
   * Moves time on, waking sleepers in the order in which they are due. All that can be done at a
   * moment is done before the next one.
   */
  advance(ms: number): Promise<void>
  /** How many callers are asleep now. */
  sleeping(): number
  /** Resolves once at least `count` callers are asleep: tests await this instead of a duration. */
  untilSleeping(count?: number): Promise<void>
}

type Sleeper = { dueMs: number; wake: () => void }

/** A clock that stands still until it is told to go on. `startsAt` is its first instant. */
export function manualClock(startsAt = '2026-01-01T00:00:00.000Z'): ManualClock {
  const startMs = Date.parse(startsAt)
  let nowMs = 0
  let sleepers: Sleeper[] = []
  let watchers: { count: number; met: () => void }[] = []

  const announce = () => {
    for (const watcher of watchers) if (sleepers.length >= watcher.count) watcher.met()
    watchers = watchers.filter((watcher) => sleepers.length < watcher.count)
  }

  const sleep = (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const cancel = () => {
        sleepers = sleepers.filter((other) => other !== sleeper)
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', cancel)
        resolve()
      }
      const sleeper = { dueMs: nowMs + Math.max(0, ms), wake }
      signal?.addEventListener('abort', cancel, { once: true })
      sleepers = [...sleepers, sleeper].sort((a, b) => a.dueMs - b.dueMs)
      announce()
    })

  const advance = async (ms: number) => {
    const untilMs = nowMs + ms
    await turn()
    for (;;) {
      const next = sleepers[0]
      if (next === undefined || next.dueMs > untilMs) break
      sleepers = sleepers.slice(1)
      nowMs = next.dueMs
      next.wake()
      await turn()
    }
    nowMs = untilMs
    await turn()
  }

  const untilSleeping = (count = 1) =>
    new Promise<void>((resolve) => {
      watchers = [...watchers, { count, met: resolve }]
      announce()
    })

  return {
    monotonicMs: () => nowMs,
    sleep,
    instant: () => new Date(startMs + nowMs).toISOString(),
    epochMs: () => startMs + nowMs,
    advance,
    sleeping: () => sleepers.length,
    untilSleeping,
  }
}

/** One turn of the event loop: everything that a woken sleeper can do at once has been done. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
