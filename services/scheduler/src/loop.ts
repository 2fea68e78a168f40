import type { Clock } from '@wegwijs/runtime/clock'
import { isFailure } from '@wegwijs/runtime/failure'
import type { Readiness } from '@wegwijs/runtime/health'
import type { Scope } from '@wegwijs/runtime/lifecycle'
import type { Logger } from '@wegwijs/runtime/log'

export type LoopOptions = {
  /** In the log, and under this name in the readiness: false while the work cannot be done. */
  name: string
  /** The longest that nobody looks, in milliseconds, when nobody calls either. */
  everyMs: number
  /** The shortest time between two passes while there is no full one to do: larger, and so fewer. */
  restMs?: number
  /** The time between two passes while there is more to do: who is in no hurry leaves room to others. */
  breatherMs?: number
  /** Does some of the work; true when there is more of it now. It ends by itself, in bounded time. */
  pass: () => Promise<boolean>
}

export type LoopContext = {
  scope: Scope
  log: Logger
  clock: Clock
  readiness: Pick<Readiness, 'set'>
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2_000
const TELL_EVERY_MS = 4_000
/** Told why it was woken, a signal makes no error of its own: calls come hundreds of times a second. */
const called = new Error('called')

/**
 * Does one kind of work until the scope closes, one pass at a time: at once when woken, again when
 * woken during a pass, else every so often. A pass that fails is tried again with growing pauses
 * and a line in the log every few seconds; other loops go on meanwhile. A failure that trying again
 * cannot help closes the scope. Closing waits for the pass that runs. Returns the call that wakes.
 */
export function startLoop(options: LoopOptions, context: LoopContext): () => void {
  const { name, everyMs, restMs = 0, breatherMs = 0, pass } = options
  const { scope, clock } = context
  const { signal } = scope
  const failing = narrateFailures(name, context)
  let woken = new AbortController()

  /** Returns whether there is more to do now. */
  const passOnce = async (): Promise<boolean> => {
    try {
      const more = await pass()
      failing.over()
      return more
    } catch (error) {
      if (isFailure(error) && !error.retryable) throw error
      // Deaf to calls: what is away is not there sooner for being asked more often.
      await clock.sleep(failing.pauseAfter(error), signal).catch(() => undefined)
      return true
    }
  }

  const run = async () => {
    while (!signal.aborted) {
      // Before the pass: who calls during it may be about what it has already passed by.
      woken = new AbortController()
      if (await passOnce()) {
        if (breatherMs > 0) await clock.sleep(breatherMs, signal).catch(() => undefined)
        continue
      }
      if (restMs > 0) await clock.sleep(restMs, signal).catch(() => undefined)
      if (woken.signal.aborted) continue
      await clock.sleep(everyMs, AbortSignal.any([signal, woken.signal])).catch(() => undefined)
    }
  }
  const ended = run().catch((error: unknown) => scope.stop(error))
  scope.onClose(name, () => ended)
  return () => woken.abort(called)
}

/** Tells the log and the readiness that the work cannot be done, and for how long to let it be. */
function narrateFailures(name: string, { log, clock, readiness }: LoopContext) {
  let pauseMs = 0
  let toldMs: number | undefined
  return {
    over: () => {
      readiness.set(name, true)
      if (toldMs !== undefined) log.info('goes on', { component: name })
      pauseMs = 0
      toldMs = undefined
    },
    pauseAfter: (error: unknown): number => {
      readiness.set(name, false)
      const nowMs = clock.monotonicMs()
      if (toldMs === undefined || nowMs - toldMs >= TELL_EVERY_MS) {
        log.warn('waits', { component: name, error })
        toldMs = nowMs
      }
      pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, pauseMs * 2))
      return pauseMs
    },
  }
}
