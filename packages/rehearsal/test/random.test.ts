import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRandom } from '../src/random.ts'

test('is the same for the same parts on every machine', () => {
  const random = createRandom('7', 'person', '0')
  const again = createRandom('7', 'person', '0')
  expect([random.next(), random.between(1, 6)]).toEqual([again.next(), again.between(1, 6)])
  expect(createRandom('a', 'bc').next()).not.toBe(createRandom('ab', 'c').next())
})

test('stays within its bounds, and reaches them', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: -50, max: 50 }), fc.nat(5), (seed, low, span) => {
      const random = createRandom(seed)
      const seen = new Set(Array.from({ length: 300 }, () => random.between(low, low + span)))
      expect(Math.min(...seen)).toBe(low)
      expect(Math.max(...seen)).toBe(low + span)
    }),
    { numRuns: 30 },
  )
})

test('deals out in proportion', () => {
  const random = createRandom('deal')
  const dealt = Array.from({ length: 10_000 }, () => random.weighted({ often: 9, seldom: 1 }))
  const often = dealt.filter((key) => key === 'often').length
  expect(often).toBeGreaterThan(8_800)
  expect(often).toBeLessThan(9_200)
})
