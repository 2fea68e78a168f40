import type { Clock } from '@wegwijs/runtime/clock'
import type { Readiness } from '@wegwijs/runtime/health'
import type { Logger } from '@wegwijs/runtime/log'
import { isTransient } from '@wegwijs/store/transaction'

export type Patience = {
  clock: Clock
  log: Logger
  readiness: Pick<Readiness, 'set'>
  /** Ends the trying: its reason is thrown. */
  signal: AbortSignal
}

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000
const TELL_EVERY_MS = 4_000

/**
 * Does `attempt` until PostgreSQL answers, one attempt at a time and each to its end: an attempt
 * that was left behind could still take effect when the next one has begun.
 *
 * @throws what `attempt` threw, when that does not pass by itself
 */
export async function keepTrying<Result>(
  attempt: () => Promise<Result>,
  { clock, log, readiness, signal }: Patience,
): Promise<Result> {
  let toldMs: number | undefined
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted()
    try {
      const result = await attempt()
      if (toldMs !== undefined) {
        readiness.set('PostgreSQL', true)
        log.info('answers', { dependency: 'PostgreSQL' })
      }
      return result
    } catch (error) {
      if (!isTransient(error)) throw error
      readiness.set('PostgreSQL', false)
      const nowMs = clock.monotonicMs()
      if (toldMs === undefined || nowMs - toldMs >= TELL_EVERY_MS) {
        log.warn('waits for', { dependency: 'PostgreSQL', error })
        toldMs = nowMs
      }
      await clock.sleep(pauseMs, signal)
    }
  }
}
