import {
  type Condition,
  compileCondition,
  type Leaf,
  traceCondition,
} from '@wegwijs/campaign/condition'
import { operators } from '@wegwijs/campaign/operators'
import { describe, expect, test } from 'vitest'

type Value = string | number | boolean

/** Half past eight in the evening in Los Angeles: the person's day is another one than UTC's. */
const now = '2026-03-03T04:30:00.000Z'
const zone = 'America/Los_Angeles'

/** Whether it holds of a field `event.a` with this value, by the closure and by its tracing twin. */
function holds(condition: Condition, a?: Value, timeZone = zone): boolean {
  const read = (field: string) => (field === 'event.a' ? a : undefined)
  const facts = { read, now, timeZone, timesOf: () => 0 }
  const told = compileCondition(condition)(facts)
  expect(traceCondition(condition, facts).holds).toBe(told)
  return told
}

const leaf = (op: Leaf['op'], value: Leaf['value']): Condition => ({ field: 'event.a', op, value })

const morning = '2026-03-02T09:00:00.000Z'
const later = '2026-03-02T09:00:00.001Z'

describe.each<[Leaf['op'], Leaf['value'], holds: Value[], not: Value[]]>([
  ['eq', 'x', ['x'], ['y', 'X', 'xx', '']],
  ['eq', 5, [5], [4, '5']],
  ['eq', false, [false], [true]],
  ['neq', 'x', ['y', ''], ['x']],
  ['in', ['x', 'y'], ['x', 'y'], ['z', 'xy']],
  ['notIn', ['x', 'y'], ['z'], ['x', 'y']],
  ['lt', 5, [4.9], [5, 6, '4']],
  ['lte', 5, [4, 5], [5.1]],
  ['gt', 5, [5.1], [5, 4]],
  ['gte', 5, [5, 6], [4.9]],
  ['lt', later, [morning], [later]],
  ['gte', '2026-03-02', ['2026-03-02', '2027-01-01'], ['2026-03-01']],
  ['between', [3, 5], [3, 4, 5], [2.9, 5.1]],
  ['between', ['2026-03-01', '2026-03-31'], ['2026-03-01', '2026-03-31'], ['2026-04-01']],
  ['contains', 'ard', ['cardiology', 'ard'], ['ar', 'ARD']],
  ['startsWith', 'card', ['cardiology', 'card'], ['a card']],
  ['exists', true, [false, 0, ''], []],
  ['exists', false, [], [false, 0, '']],
])('%s %j', (op, value, those, others) => {
  test.each(those)('holds for %j', (a) => expect(holds(leaf(op, value), a)).toBe(true))
  if (others.length > 0)
    test.each(others)('does not hold for %j', (a) => expect(holds(leaf(op, value), a)).toBe(false))
})

describe('within', () => {
  test.each<[string, string, boolean]>([
    ['P1D', now, true],
    ['P1D', '2026-03-04T04:30:00.000Z', true],
    ['P1D', '2026-03-04T04:30:00.001Z', false],
    ['P1D', '2026-03-03T04:29:59.999Z', false],
    ['-P1D', '2026-03-02T04:30:00.000Z', true],
    ['-P1D', '2026-03-02T04:29:59.999Z', false],
    ['-P1D', '2026-03-03T04:30:00.001Z', false],
  ])('%s of a moment: %s is %s', (value, a, expected) => {
    expect(holds(leaf('within', value), a)).toBe(expected)
  })

  test.each<[string, string, boolean]>([
    // It is still the second of March where the person is.
    ['P1D', '2026-03-01', false],
    ['P1D', '2026-03-02', true],
    ['P1D', '2026-03-03', true],
    ['P1D', '2026-03-04', false],
    ['-P1D', '2026-02-28', false],
    ['-P1D', '2026-03-01', true],
    ['-P1D', '2026-03-02', true],
    ['-P1D', '2026-03-03', false],
  ])('%s of a day, all of which counts: %s is %s', (value, a, expected) => {
    expect(holds(leaf('within', value), a)).toBe(expected)
  })

  test('P1D is a day on the calendar, also in the night in which clocks are changed', () => {
    // 47 hours from then in Amsterdam, where the 29th of March has 23.
    const facts = (a: string) => ({
      read: () => a,
      now: '2026-03-28T12:00:00.000Z',
      timeZone: 'Europe/Amsterdam',
      timesOf: () => 0,
    })
    const isWithin = compileCondition(leaf('within', 'P2D'))
    expect(isWithin(facts('2026-03-30T11:00:00.000Z'))).toBe(true)
    expect(isWithin(facts('2026-03-30T11:00:00.001Z'))).toBe(false)
  })
})

describe('daysUntil', () => {
  test.each<[number | [number, number], string, boolean]>([
    [0, '2026-03-02', true],
    [1, '2026-03-03', true],
    [-1, '2026-03-01', true],
    [1, '2026-03-02', false],
    [[0, 7], '2026-03-09', true],
    [[0, 7], '2026-03-10', false],
    [[0, 7], '2026-03-01', false],
    // Seven in the morning of the third in UTC is an hour before midnight of the second there.
    [0, '2026-03-03T07:00:00.000Z', true],
    [1, '2026-03-03T08:00:00.000Z', true],
  ])('%j: %s is %s', (value, a, expected) => {
    expect(holds(leaf('daysUntil', value), a)).toBe(expected)
  })

  test('counts days on the calendar of the person', () => {
    const moment = '2026-03-03T07:00:00.000Z'
    expect(holds(leaf('daysUntil', 0), moment, 'Europe/Amsterdam')).toBe(true)
    expect(holds(leaf('daysUntil', 1), moment, 'Pacific/Kiritimati')).toBe(false)
    expect(holds(leaf('daysUntil', 0), '2026-03-03', 'Pacific/Kiritimati')).toBe(true)
  })
})

describe('a value that is missing', () => {
  const values: Readonly<Record<Leaf['op'], Leaf['value']>> = {
    ...{ eq: 'x', neq: 'x', in: ['x'], notIn: ['x'], contains: 'x', startsWith: 'x' },
    ...{ lt: 5, lte: 5, gt: 5, gte: 5, between: [3, 5], exists: true },
    ...{ within: 'P1D', daysUntil: [-1_000, 1_000] },
  }

  test.each(operators)('satisfies no %s', (op) => {
    expect(holds(leaf(op, values[op]))).toBe(false)
  })

  test('satisfies that it does not exist, and the "not" of anything else', () => {
    expect(holds(leaf('exists', false))).toBe(true)
    expect(holds({ not: leaf('eq', 'x') })).toBe(true)
    expect(holds({ not: leaf('neq', 'x') })).toBe(true)
  })
})

test('of "all" each part must hold, of "any" one, of "not" none', () => {
  const [yes, no] = [leaf('exists', true), leaf('exists', false)]
  expect([
    holds({ all: [yes, yes] }, 1),
    holds({ all: [yes, no] }, 1),
    holds({ any: [no, yes] }, 1),
    holds({ any: [no, no] }, 1),
    holds({ not: no }, 1),
    holds({ not: yes }, 1),
  ]).toEqual([true, false, true, false, true, false])
})
