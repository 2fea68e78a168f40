import { type Condition, compileCondition, traceCondition } from '@wegwijs/campaign/condition'
import {
  type ConditionTrace,
  decidingLeaves,
  leavesOfTrace,
  leavesStoredWith,
  traceOf,
  traceOfStored,
} from '@wegwijs/campaign/explain/condition-trace'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const facts = (data: Record<string, string | number | boolean>) => ({
  read: (field: string) => data[field.slice('event.'.length)],
  now: '2026-03-02T09:00:00.000Z',
  timeZone: 'Europe/Amsterdam',
  timesOf: () => 2,
})

const leaf = (field: string, value: number): Condition => ({
  field: `event.${field}`,
  op: 'gte',
  value,
})

const verdicts = (trace: ConditionTrace) =>
  leavesOfTrace(trace).map(({ field, actual, holds }) => [field, actual, holds])

test('a leaf says which field was asked what, what was seen, and what came of it', () => {
  expect(traceOf(leaf('a', 5), facts({ a: 3 }))).toEqual({
    holds: false,
    reached: true,
    leaf: { field: 'event.a', op: 'gte', expected: 5, actual: 3, holds: false },
  })
})

test('of what happened it says how often, also as it was stored', () => {
  const happened = (atLeast: number): Condition => ({
    happened: { touchpoint: 'care.visit.ended.v1', within: 'P9D', times: { atLeast } },
  })
  const condition = { all: [leaf('a', 1), { not: happened(3) }, happened(2)] }
  const trace = traceOf(condition, facts({ a: 1 }))
  expect(verdicts(trace)).toEqual([
    ['event.a', 1, true],
    ['care.visit.ended.v1', 2, false],
    ['care.visit.ended.v1', 2, true],
  ])
  expect(trace.holds).toBe(true)
  expect(traceOfStored(condition, leavesOfTrace(trace))).toEqual(trace)
  expect(traceOfStored({ all: [leaf('a', 1)] }, leavesOfTrace(trace))).toBeNull()
})

test('leaves that are stored are read, and none where one of them is none', () => {
  const happened = { happened: { touchpoint: 'care.visit.ended.v1', within: 'P9D' } }
  const leaves = leavesOfTrace(traceOf({ all: [leaf('a', 1), happened] }, facts({})))
  expect(leavesStoredWith({ leaves })).toEqual(leaves)
  expect(leavesStoredWith({})).toBeNull()
  const [compared, often] = leaves
  for (const wrong of [
    null,
    { ...compared, op: 'resembles' },
    { ...compared, holds: 'yes' },
    { ...often, expected: null },
    { ...often, expected: { within: 'P9D', where: { field: 'event.a' } } },
  ])
    expect(leavesStoredWith({ leaves: [...leaves, wrong] })).toBeNull()
})

test('what is missing was seen as nothing', () => {
  expect(verdicts(traceOf(leaf('a', 5), facts({})))).toEqual([['event.a', null, false]])
})

test('of "all" the first part that fails settles it; the others are evaluated, and marked', () => {
  const trace = traceOf(
    { all: [leaf('a', 1), leaf('b', 1), leaf('c', 1)] },
    facts({ a: 1, b: 0, c: 0 }),
  )
  const parts = 'all' in trace ? trace.all : []
  expect(parts.map(({ holds, reached }) => [holds, reached])).toEqual([
    [true, true],
    [false, true],
    [false, false],
  ])
  expect(decidingLeaves(trace).map(({ field }) => field)).toEqual(['event.b', 'event.c'])
})

test('of "any" the first part that holds settles it', () => {
  const trace = traceOf(
    { any: [leaf('a', 1), leaf('b', 1), leaf('c', 1)] },
    facts({ a: 0, b: 1, c: 1 }),
  )
  const parts = 'any' in trace ? trace.any : []
  expect(parts.map(({ holds, reached }) => [holds, reached])).toEqual([
    [false, true],
    [true, true],
    [true, false],
  ])
  expect(decidingLeaves(trace).map(({ field }) => field)).toEqual(['event.b'])
})

test('what lies below a part that was not reached was not reached either', () => {
  const trace = traceOf({ any: [leaf('a', 1), { not: leaf('b', 1) }] }, facts({ a: 1, b: 1 }))
  const second = 'any' in trace ? trace.any[1] : undefined
  expect(second).toMatchObject({ reached: false, not: { reached: false, holds: true } })
})

test('what was stored of a trace gives it back, with the values of then', () => {
  const condition: Condition = { all: [leaf('a', 1), { not: leaf('b', 1) }] }
  const seen = traceOf(condition, facts({ a: 0, b: 1 }))
  expect(traceOfStored(condition, leavesOfTrace(seen))).toEqual(seen)
  expect(traceOfStored(leaf('a', 1), leavesOfTrace(seen))).toBeNull()
  expect(traceOfStored({ any: [leaf('c', 1), leaf('b', 1)] }, leavesOfTrace(seen))).toBeNull()
})

const scalar = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom('a', 'b'), fc.boolean())
const anyLeaf = fc.record({
  field: fc.constantFrom('event.a', 'event.b', 'event.c'),
  op: fc.constantFrom('eq', 'neq', 'lt', 'gte', 'contains', 'in', 'between', 'exists'),
  value: fc.oneof(scalar, fc.array(scalar, { minLength: 1, maxLength: 3 })),
}) as fc.Arbitrary<Condition>

const { condition: anyCondition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    anyLeaf,
    fc.record({ all: fc.array(tie('condition'), { minLength: 1, maxLength: 4 }) }),
    fc.record({ any: fc.array(tie('condition'), { minLength: 1, maxLength: 4 }) }),
    fc.record({ not: tie('condition') }),
  ),
}))
const anyData = fc.dictionary(fc.constantFrom('a', 'b', 'c'), scalar)

test('a trace comes to what the decision came to, whatever is asked and seen', () => {
  fc.assert(
    fc.property(anyCondition, anyData, (condition, data) => {
      const trace = traceOf(condition, facts(data))
      expect(trace.holds).toBe(compileCondition(condition)(facts(data)))
      expect(leavesOfTrace(trace)).toEqual(traceCondition(condition, facts(data)).leaves)
      expect(traceOfStored(condition, leavesOfTrace(trace))).toEqual(trace)
      const detail = JSON.parse(JSON.stringify({ leaves: leavesOfTrace(trace) }))
      expect(leavesStoredWith(detail)).toEqual(leavesOfTrace(trace))
    }),
  )
})

test('a leaf counts as reached exactly when the decision looked at its field', () => {
  fc.assert(
    fc.property(anyCondition, anyData, (condition, data) => {
      const read: string[] = []
      const watched = {
        ...facts(data),
        read: (field: string) => {
          read.push(field)
          return facts(data).read(field)
        },
      }
      compileCondition(condition)(watched)
      const reached = reachedLeaves(traceOf(condition, facts(data)))
      expect(reached).toEqual(read)
    }),
  )
})

function reachedLeaves(trace: ConditionTrace): string[] {
  if ('all' in trace) return trace.all.flatMap(reachedLeaves)
  if ('any' in trace) return trace.any.flatMap(reachedLeaves)
  if ('not' in trace) return reachedLeaves(trace.not)
  return trace.reached ? [trace.leaf.field] : []
}
