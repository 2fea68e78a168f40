import {
  type CountedMessage,
  longestWindowMs,
  placeFreeAt,
  windowMs,
} from '@wegwijs/campaign/contact-budget'
import type { Budget } from '@wegwijs/campaign/definition/policies'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const budget = (over: Partial<Budget> = {}): Budget => ({
  id: 'a-week',
  most: 2,
  per: 'P7D',
  classes: ['service', 'marketing'],
  ...over,
})
const sent = (
  intentId: string,
  at: string,
  own: CountedMessage['class'] = 'marketing',
): CountedMessage => ({ intentId, class: own, at: `2026-03-${at}:00.000Z` })
const asked = { intentId: 'next', class: 'marketing', persona: null } as const
const now = '2026-03-08T12:00:00.000Z'

describe('a message', () => {
  test('has room as long as fewer than the most have been sent within the window', () => {
    expect(placeFreeAt([budget()], asked, [], now)).toBeNull()
    expect(placeFreeAt([budget()], asked, [sent('a', '02T09:00')], now)).toBeNull()
    expect(
      placeFreeAt([budget()], asked, [sent('a', '01T12:00'), sent('b', '05T09:00')], now),
    ).toBe(null)
  })

  test('waits for the oldest that counts to leave the window, to the millisecond', () => {
    const counted = [sent('b', '05T09:00'), sent('a', '01T12:01')]
    expect(placeFreeAt([budget()], asked, counted, now)).toBe('2026-03-08T12:01:00.000Z')
    expect(placeFreeAt([budget()], asked, counted, '2026-03-08T12:01:00.000Z')).toBeNull()
  })

  test('waits for as many to leave as there are too many, as after a budget was made smaller', () => {
    const counted = [sent('a', '02T09:00'), sent('b', '03T09:00'), sent('c', '04T09:00')]
    expect(placeFreeAt([budget({ most: 1 })], asked, counted, now)).toBe('2026-03-11T09:00:00.000Z')
  })

  test('is counted once, from when it was tried last, and not against itself', () => {
    const twice = [sent('a', '02T09:00'), sent('a', '06T09:00')]
    expect(placeFreeAt([budget()], asked, twice, now)).toBeNull()
    expect(placeFreeAt([budget({ most: 1 })], asked, twice, now)).toBe('2026-03-13T09:00:00.000Z')
    expect(placeFreeAt([budget({ most: 1 })], { ...asked, intentId: 'a' }, twice, now)).toBeNull()
  })

  test('has to have room in every budget of its class and persona', () => {
    const counted = [sent('a', '02T09:00', 'service'), sent('b', '08T09:00')]
    const daily = budget({ id: 'a-day', most: 1, per: 'PT24H', classes: ['marketing'] })
    const both = [budget({ most: 3 }), daily]
    expect(placeFreeAt(both, asked, counted, now)).toBe('2026-03-09T09:00:00.000Z')
    expect(placeFreeAt(both, { ...asked, class: 'service' }, counted, now)).toBeNull()
    const parents = [{ ...daily, personas: ['busy-parent'] }]
    expect(placeFreeAt(parents, asked, counted, now)).toBeNull()
    expect(placeFreeAt(parents, { ...asked, persona: 'busy-parent' }, counted, now)).not.toBeNull()
  })

  test('of care is never counted, and never waits', () => {
    const counted = [sent('a', '08T09:00', 'care'), sent('b', '08T09:00', 'care')]
    expect(placeFreeAt([budget({ most: 1 })], asked, counted, now)).toBeNull()
    const full = [sent('c', '08T09:00')]
    expect(placeFreeAt([budget({ most: 1 })], { ...asked, class: 'care' }, full, now)).toBeNull()
  })
})

test('a window is of one length, whatever clocks do', () => {
  expect(['PT90M', 'P1D', 'P1W', 'P1DT12H'].map((per) => windowMs({ per }) / 3_600_000)).toEqual([
    1.5, 24, 168, 36,
  ])
  expect(longestWindowMs([budget(), budget({ per: 'P30D' })])).toBe(30 * 86_400_000)
  expect(longestWindowMs([])).toBe(0)
})

const classes = ['service', 'marketing', 'research'] as const
const budgets = fc.array(
  fc.record({
    id: fc.constant('any'),
    most: fc.integer({ min: 1, max: 4 }),
    per: fc.constantFrom('PT6H', 'P1D', 'P7D', 'P1DT1H'),
    classes: fc.subarray([...classes], { minLength: 1 }),
  }),
  { minLength: 1, maxLength: 3 },
)

test('whoever gets messages in any order never has more than a budget in any window, and all they can have', () => {
  const messages = fc.array(
    fc.record({ hour: fc.integer({ min: 0, max: 400 }), class: fc.constantFrom(...classes) }),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(budgets, messages, (budgets, messages) => {
      const waiting = messages.map(({ hour, class: own }, index) => ({
        message: { intentId: String(index), class: own, persona: null },
        dueAt: new Date(Date.UTC(2026, 2, 1, hour)).toISOString(),
      }))
      const counted: CountedMessage[] = []
      for (;;) {
        waiting.sort((a, b) => (a.dueAt < b.dueAt ? -1 : 1))
        const next = waiting[0]
        if (!next) break
        const freeAt = placeFreeAt(budgets, next.message, counted, next.dueAt)
        // It always comes to its turn.
        if (freeAt !== null) expect(freeAt > next.dueAt).toBe(true)
        if (freeAt !== null) next.dueAt = freeAt
        else counted.push({ ...next.message, at: next.dueAt }) && waiting.shift()
      }
      expect(counted).toHaveLength(messages.length)
      for (const each of budgets) expect(mostWithin(each, counted)).toBeLessThanOrEqual(each.most)
    }),
  )
})

/** How many messages of the budget's classes lie within one window, at most. */
function mostWithin({ per, classes: own }: Budget, counted: readonly CountedMessage[]): number {
  const times = counted
    .filter((each) => own.includes(each.class as (typeof classes)[number]))
    .map(({ at }) => Date.parse(at))
  return Math.max(
    0,
    ...times.map(
      (from) => times.filter((at) => at >= from && at < from + windowMs({ per })).length,
    ),
  )
}
