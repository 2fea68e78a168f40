import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { differencesBetween } from '../src/definition/differences.ts'
import type { JsonValue } from '../src/json.ts'

describe('field by field', () => {
  test.each<[string, JsonValue, JsonValue, unknown[]]>([
    ['another value', { a: { b: 1 } }, { a: { b: 2 } }, [{ path: 'a.b', from: 1, to: 2 }]],
    ['a value that was not there', {}, { a: [1] }, [{ path: 'a', to: [1] }]],
    ['a value that is gone', { a: null, b: 1 }, { b: 1 }, [{ path: 'a', from: null }]],
    [
      'another kind of value',
      { a: [1] },
      { a: { b: 1 } },
      [{ path: 'a', from: [1], to: { b: 1 } }],
    ],
    [
      'a list of words, as a whole',
      { a: ['x', 'y'] },
      { a: ['y'] },
      [{ path: 'a', from: ['x', 'y'], to: ['y'] }],
    ],
    ['the order of keys, which is nothing', { a: 1, b: 2 }, { b: 2, a: 1 }, []],
  ])('%s', (_, before, after, differences) => {
    expect(differencesBetween(before, after)).toEqual(differences)
  })
})

describe('items of a list', () => {
  const [a, b, c] = [
    { id: 'a', n: 1 },
    { id: 'b', n: 1 },
    { id: 'c', n: 1 },
  ]
  test.each<[string, JsonValue, JsonValue, unknown[]]>([
    ['bear their names', [a, b], [a, { ...b, n: 2 }], [{ path: '[b].n', from: 1, to: 2 }]],
    [
      'come and go by name',
      [a, b],
      [c, a],
      [
        { path: '[c]', to: c },
        { path: '[b]', from: b },
      ],
    ],
    ['may change places', [a, b], [b, a], [{ path: ' (order)' }]],
    [
      'without names are the same when they are equal: one in between is new',
      [{ wait: 1 }, { wait: 2 }],
      [{ wait: 1 }, { wait: 9 }, { wait: 2 }],
      [{ path: '[2]', to: { wait: 9 } }],
    ],
    [
      'without names, one taken out',
      [{ wait: 1 }, { wait: 9 }, { wait: 2 }],
      [{ wait: 1 }, { wait: 2 }],
      [{ path: '[2]', from: { wait: 9 } }],
    ],
    [
      'without names, another one in the same place',
      [{ wait: 1 }, { wait: { for: 1, at: 2 } }, { wait: 3 }],
      [{ wait: 1 }, { wait: { for: 5, at: 2 } }, { wait: 3 }],
      [{ path: '[2].wait.for', from: 1, to: 5 }],
    ],
  ])('%s', (_, before, after, differences) => {
    expect(differencesBetween(before, after)).toEqual(differences)
  })
})

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>

test('there are differences exactly when two values are not equal', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      expect(differencesBetween(before, before)).toEqual([])
      const isSame = differencesBetween(before, after).length === 0
      expect(isSame).toBe(sorted(before) === sorted(after))
    }),
  )
})

function sorted(value: JsonValue): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : Object.is(inner, -0)
        ? 0
        : inner,
  )
}
