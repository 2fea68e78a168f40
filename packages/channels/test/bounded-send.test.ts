import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { sendWithin } from '../src/bounded-send.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A send that never ends by itself: it tells why it was aborted. */
function untilAborted(bounded: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (bounded.aborted) resolve(bounded.reason)
    bounded.addEventListener('abort', () => resolve(bounded.reason), { once: true })
  })
}

it('leaves nothing behind when the send has ended', async () => {
  const { signal } = new AbortController()
  expect(await sendWithin(1_000, signal, async () => 'sent')).toBe('sent')
  await expect(sendWithin(1_000, signal, () => Promise.reject(new Error('no')))).rejects.toThrow(
    'no',
  )
  expect(getEventListeners(signal, 'abort')).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})

it('aborts the send when the caller does, for the same reason', async () => {
  const caller = new AbortController()
  const ended = sendWithin(1_000, caller.signal, untilAborted)
  const reason = new Error('shutting down')
  caller.abort(reason)
  expect(await ended).toBe(reason)
  expect(await sendWithin(1_000, caller.signal, untilAborted)).toBe(reason)
})

it('aborts a send that takes too long, as a time-out', async () => {
  const ended = sendWithin(1_000, new AbortController().signal, untilAborted)
  vi.advanceTimersByTime(999)
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(1)
  expect(await ended).toMatchObject({ name: 'TimeoutError' })
})
