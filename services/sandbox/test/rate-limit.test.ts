import { manualClock } from '@wegwijs/runtime/clock'
import { expect, test } from 'vitest'
import { createRateLimit } from '../src/rate-limit.ts'

test('calls are too early from a second after a Retry-After was told until it is over', async () => {
  const clock = manualClock()
  const limit = createRateLimit(clock)
  limit.called()
  limit.told(5)
  await clock.advance(1_000)
  limit.called()
  expect(limit.calledTooEarly()).toBe(0)
  await clock.advance(1)
  limit.called()
  limit.told(5)
  limit.called()
  expect(limit.calledTooEarly()).toBe(2)
  await clock.advance(4_999)
  limit.called()
  expect(limit.calledTooEarly()).toBe(3)
  await clock.advance(1)
  limit.called()
  limit.told(5)
  limit.called()
  expect(limit.calledTooEarly()).toBe(3)
})
