import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findJsonFault, isJsonObject, maxDepth, parseJson } from '../src/json.ts'

const nested = (levels: number): unknown => {
  let value: unknown = 'bottom'
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? { a: value } : [value]
  return value
}

describe('findJsonFault', () => {
  it.each([
    ['{"a":{"b":[1,{"__proto__":{"admin":true}}]}}', 'forbidden_key', 'data.a.b[1].__proto__'],
    ['{"constructor":1}', 'forbidden_key', 'data.constructor'],
    ['[{"prototype":null}]', 'forbidden_key', 'data[0].prototype'],
    ['{"__pro\\u0074o__":1}', 'forbidden_key', 'data.__proto__'],
    ['{"a":"x\\u0000y"}', 'forbidden_character', 'data.a'],
    ['{"a":["ok","\\u0000"]}', 'forbidden_character', 'data.a[1]'],
    ['{"k\\u0000":1}', 'forbidden_character', 'data["k\\u0000"]'],
    ['{"a":"\\ud83d"}', 'forbidden_character', 'data.a'],
    ['{"a":"\\ude00\\ud83d"}', 'forbidden_character', 'data.a'],
    ['{"\\ud83d":1}', 'forbidden_character', 'data["\ufffd"]'],
    ['{"two words":{"constructor":1}}', 'forbidden_key', 'data["two words"].constructor'],
    ['{"a":1e999}', 'not_json', 'data.a'],
    ['{"a":[-1e999]}', 'not_json', 'data.a[0]'],
  ])('finds what JSON.parse lets through: %s', (text, kind, path) => {
    const parsed = parseJson(Buffer.from(text))
    expect(findJsonFault(parsed?.value, 'data')).toMatchObject({ kind, path })
  })

  it.each([
    '{}',
    '[]',
    'null',
    '"__proto__"',
    '{"a":"__proto__","proto":1,"__proto":2,"Constructor":3}',
    '{"naam":"Özdemir 🙂","emoji":"\\ud83d\\ude42","nul":"\\\\u0000"}',
    '{"n":[0,-1,1.5e308,true,false,null,""]}',
    '{"toString":1,"hasOwnProperty":2,"valueOf":3}',
  ])('leaves alone what harms nobody: %s', (text) => {
    expect(findJsonFault(parseJson(Buffer.from(text))?.value, 'data')).toBeUndefined()
  })

  it('takes 32 levels and no more, however much deeper it goes', () => {
    expect(findJsonFault(nested(maxDepth), 'data')).toBeUndefined()
    expect(findJsonFault(nested(maxDepth + 1), 'data')).toMatchObject({ kind: 'too_deep' })
    const veryDeep = parseJson(Buffer.from(`${'['.repeat(100_000)}${']'.repeat(100_000)}`))
    expect(findJsonFault(veryDeep?.value, 'data')).toMatchObject({ kind: 'too_deep' })
  })

  it('keeps the path short, however long the keys are', () => {
    const fault = findJsonFault({ ['k'.repeat(5_000)]: { __proto__x: '\u0000' } }, 'data')
    expect(fault?.path.length).toBeLessThanOrEqual(200)
  })

  it('never quotes a value', () => {
    expect(JSON.stringify(findJsonFault({ a: 'Jansen\u0000' }, 'data'))).not.toContain('Jansen')
  })

  it.each([
    ['undefined', undefined],
    ['a function', () => {}],
    ['a bigint', 1n],
    ['a symbol', Symbol('x')],
    ['NaN', Number.NaN],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['bytes', Buffer.from('x')],
    ['an object of a class', new (class Person {})()],
  ])('finds what JSON cannot hold: %s', (_, value) => {
    expect(findJsonFault({ a: value }, 'data')).toMatchObject({ kind: 'not_json', path: 'data.a' })
  })

  it('ends on a value that holds itself', () => {
    const round: Record<string, unknown> = {}
    round.again = round
    expect(findJsonFault(round, 'data')).toMatchObject({ kind: 'too_deep' })
  })

  it('finds one bad key or character wherever it is put', () => {
    const poison = fc.constantFrom<[unknown, string]>(
      [JSON.parse('{"__proto__":1}'), 'forbidden_key'],
      [{ prototype: 1 }, 'forbidden_key'],
      ['\u0000', 'forbidden_character'],
      ['\ud800', 'forbidden_character'],
      [Number.POSITIVE_INFINITY, 'not_json'],
    )
    const way = fc.array(fc.constantFrom('key', 'item'), { maxLength: maxDepth - 1 })
    fc.assert(
      fc.property(poison, way, fc.jsonValue({ maxDepth: 2 }), ([bad, kind], steps, beside) => {
        fc.pre(findJsonFault(beside, '') === undefined)
        const hidden = steps.reduce<unknown>(
          (inner, step) => (step === 'key' ? { beside, inner } : [beside, inner]),
          bad,
        )
        expect(findJsonFault(hidden, 'data')?.kind).toBe(kind)
      }),
    )
  })
})

describe('parseJson', () => {
  it('gives what is JSON in UTF-8, and nothing for the rest', () => {
    expect(parseJson(Buffer.from('{"naam":"Özdemir"}'))).toEqual({ value: { naam: 'Özdemir' } })
    expect(parseJson(Buffer.from('null'))).toEqual({ value: null })
    for (const text of ['', '{', 'undefined', "{'a':1}", '{"a":"raw \u0000"}', '\ufeff{}', 'NaN']) {
      expect([text, parseJson(Buffer.from(text))]).toEqual([text, undefined])
    }
  })

  it('refuses Latin-1, in which a name would lose its letters without a word', () => {
    expect(parseJson(Buffer.from('{"naam":"Özdemir"}', 'latin1'))).toBeUndefined()
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        parseJson(Buffer.from(bytes))
      }),
    )
  })
})

describe('isJsonObject', () => {
  it('is true for objects alone', () => {
    expect([{}, [], null, 'x', 1, undefined].map(isJsonObject)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ])
  })
})
