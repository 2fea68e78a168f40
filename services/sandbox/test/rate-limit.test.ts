import { manualClock } from '@wegwijs/runtime/clock'
import { expect, test } from 'vitest'
import { createRateLimit } from '../src/rate-limit.ts'

test('calls are too early on a connection that was told to wait, until the time is over', async () => {
  const clock = manualClock()
  const limit = createRateLimit(clock)
  const [told, other] = [{}, {}]
  limit.called(told)
  limit.told(told, 5)
  limit.called(other)
  expect(limit.calledTooEarly()).toBe(0)
  limit.called(told)
  expect(limit.calledTooEarly()).toBe(1)
  await clock.advance(4_999)
  limit.called(told)
  expect(limit.calledTooEarly()).toBe(2)
  await clock.advance(1)
  limit.called(told)
  limit.told(other, 5)
  limit.called(told)
  expect(limit.calledTooEarly()).toBe(2)
})

test('what one connection was told, and has waited for, says nothing of what another is told later', async () => {
  const clock = manualClock()
  const limit = createRateLimit(clock)
  const [first, second] = [{}, {}]
  limit.told(first, 5)
  await clock.advance(5_000)
  limit.told(second, 5)
  limit.called(first)
  expect(limit.calledTooEarly()).toBe(0)
})
