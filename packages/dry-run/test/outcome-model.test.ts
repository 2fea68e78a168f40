import { expect, test } from 'vitest'
import { alwaysDelivered, outcomeOf } from '../src/outcome-model.ts'

const ids = Array.from({ length: 20_000 }, (_, index) => `intent-${index}`)
const outcomesOf = (rates: Parameters<typeof outcomeOf>[1], channel: 'email' | 'sms' = 'email') =>
  ids.map((intentId) => outcomeOf({ intentId, channel }, rates))

test('unless told otherwise everything is delivered', () => {
  expect(new Set(outcomesOf(alwaysDelivered))).toEqual(new Set(['delivered']))
})

test('the shares are those that were asked for, and the same lots are drawn every time', () => {
  const rates = { bounced: 0.2, none: 0.1, answered: 0.3, seed: 'spring' }
  const outcomes = outcomesOf(rates)
  const shareOf = (kind: string) => outcomes.filter((each) => each === kind).length / ids.length
  expect(shareOf('bounced')).toBeCloseTo(0.2, 1)
  expect(shareOf('none')).toBeCloseTo(0.1, 1)
  expect(shareOf('answered')).toBeCloseTo(0.3, 1)
  expect(outcomesOf(rates)).toEqual(outcomes)
})

test('with a seed another channel draws another lot, and so does another seed', () => {
  const rates = { bounced: 0.5, none: 0, seed: 'spring' }
  expect(outcomesOf(rates, 'sms')).not.toEqual(outcomesOf(rates, 'email'))
  expect(outcomesOf({ ...rates, seed: 'autumn' })).not.toEqual(outcomesOf(rates))
})
