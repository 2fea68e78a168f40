import type { Clock } from '@wegwijs/runtime/clock'
import { TimeLimit } from '@wegwijs/runtime/time-limit'

/** By which a send finds out that it may not go on. */
export type Bounds = {
  /** Aborted when the caller's is, and with a TimeoutError when the time is over. */
  signal: AbortSignal
  /** Asks the clocks, and aborts `signal` by what they say: the last thing before a byte is written (P3). */
  isOver(): boolean
}

/**
 * Runs `send` with bounds of `ms` milliseconds, and of `signal`.
 * AbortSignal.any of the two costs five times as much, and its timer goes on, and fires, when the send has ended.
 */
export async function sendWithin<Result>(
  { ms, signal, clock }: { ms: number; signal: AbortSignal; clock: SendClock },
  send: (bounds: Bounds) => Promise<Result>,
): Promise<Result> {
  const bounded = new AbortController()
  const limit = new TimeLimit(clock, ms)
  const abort = () => bounded.abort(signal.reason)
  const expire = () => bounded.abort(new DOMException('the send took too long', 'TimeoutError'))
  const isOver = () => {
    if (limit.leftMs() <= 0) expire()
    return bounded.signal.aborted
  }
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  const timer = setTimeout(expire, ms).unref()
  try {
    return await send({ signal: bounded.signal, isOver })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

export type SendClock = Pick<Clock, 'monotonicMs' | 'epochMs'>
