import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canMatch, mayPublish } from '../src/definition/touchpoints.ts'
import { touchpointTypeSchema } from '../src/definition/words.ts'

const wordOf = fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/)
const typeOf = fc
  .tuple(fc.array(wordOf, { minLength: 2, maxLength: 4 }), fc.integer({ min: 1, max: 20 }))
  .map(([words, version]) => `${words.join('.')}.v${version}`)

test('a type, and all that begin alike, are patterns that can match', () => {
  fc.assert(
    fc.property(typeOf, fc.nat(), (type, cut) => {
      const words = type.split('.')
      const pattern = `${words.slice(0, 1 + (cut % (words.length - 1))).join('.')}.*`
      for (const each of [type, pattern]) {
        expect(mayPublish([each], type)).toBe(true)
        expect(canMatch(each)).toBe(true)
      }
    }),
  )
})

test('a pattern that can match nothing matches no type', () => {
  const scraps = ['care', 'x', 'v1', 'v0', '.', '*', '.*', '-', ' ', 'A', '9']
  const patternOf = fc
    .array(fc.constantFrom(...scraps), { maxLength: 6 })
    .map((all) => all.join(''))
  const ends = ['', 'v1', 'x.v1', 'x.y.v2']
  fc.assert(
    fc.property(patternOf, (pattern) => {
      const types = ends.map((end) => `${pattern.replace(/\*$/, '')}${end}`)
      const matched = types.filter(
        (type) => touchpointTypeSchema.safeParse(type).success && mayPublish([pattern], type),
      )
      expect(canMatch(pattern)).toBe(matched.length > 0)
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  'care*',
  '*',
  '.*',
  'care',
  'care.',
  'care.intake.done',
  'care.v1',
  'Care.*',
  'care.**',
])('%s is none', (pattern) => {
  expect(canMatch(pattern)).toBe(false)
})
