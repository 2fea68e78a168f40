import { expect, test } from 'vitest'
import { alwaysDelivered, outcomeOf, taskWordOf } from '../src/outcome-model.ts'

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

test('tasks are done as often as was asked for, by their shares, while somebody waits for them', () => {
  const [dueAt, until] = ['2026-03-02T09:00:00.000Z', '2026-03-04T09:00:00.000Z']
  const outcomes = ['well', 'worried'].map((outcome) => ({ outcome, says: { nl: '', en: '' } }))
  const rates = { bounced: 0, none: 0, done: 0.4, outcomes: { well: 3, worried: 1 } }
  const wordsBy = (more: object) =>
    ids.map((taskId) => taskWordOf({ taskId, outcomes, dueAt, until }, { ...rates, ...more }))
  const words = wordsBy({}).filter((word) => word !== null)
  expect(words.length / ids.length).toBeCloseTo(0.4, 1)
  const well = words.filter(({ outcome }) => outcome === 'well')
  expect(well.length / words.length).toBeCloseTo(0.75, 1)
  for (const { at } of words) expect(at >= dueAt && at < until).toBe(true)
  const early = words.filter(({ at }) => at < '2026-03-03T09:00:00.000Z')
  expect(early.length / words.length).toBeCloseTo(0.5, 1)
  expect(wordsBy({ seed: 'spring' })).not.toEqual(wordsBy({}))
  expect(new Set(wordsBy({ done: undefined }))).toEqual(new Set([null]))
  expect(new Set(wordsBy({ outcomes: { called: 1 } }))).toEqual(new Set([null]))
})
