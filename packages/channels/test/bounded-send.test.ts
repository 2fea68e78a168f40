import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Bounds, sendWithin } from '../src/bounded-send.ts'
import { standingClock } from './standing-clock.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const within = (signal: AbortSignal, clock = standingClock()) => ({ ms: 1_000, signal, clock })

/** A send that never ends by itself: it tells why it was aborted. */
function untilAborted({ signal }: Bounds): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason)
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })
}

it('leaves nothing behind when the send has ended', async () => {
  const { signal } = new AbortController()
  expect(await sendWithin(within(signal), async () => 'sent')).toBe('sent')
  await expect(sendWithin(within(signal), () => Promise.reject(new Error('no')))).rejects.toThrow(
    'no',
  )
  expect(getEventListeners(signal, 'abort')).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})

it('aborts the send when the caller does, for the same reason', async () => {
  const caller = new AbortController()
  const ended = sendWithin(within(caller.signal), untilAborted)
  const reason = new Error('shutting down')
  caller.abort(reason)
  expect(await ended).toBe(reason)
  expect(await sendWithin(within(caller.signal), untilAborted)).toBe(reason)
})

it('aborts a send that takes too long, as a time-out', async () => {
  const ended = sendWithin(within(new AbortController().signal), untilAborted)
  vi.advanceTimersByTime(999)
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(1)
  expect(await ended).toMatchObject({ name: 'TimeoutError' })
})

it.each(['monotonicMs', 'epochMs'] as const)(
  'is over by the clock before the timer has run: %s (P3)',
  async (which) => {
    const clock = standingClock()
    const asked = await sendWithin(within(new AbortController().signal, clock), async (bounds) => {
      clock.goOn({ [which]: 999 })
      const before = bounds.isOver()
      clock.goOn({ [which]: 1 })
      return [before, bounds.isOver(), bounds.signal.reason.name]
    })
    expect(asked).toEqual([false, true, 'TimeoutError'])
  },
)
