import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  instantOf,
  isLocalMoment,
  resolveLocalMoment,
  showLocalMoment,
} from '../src/specification/local-moment.ts'

const zone = 'Europe/Amsterdam'

test.each([
  ['2026-03-14 09:30', '2026-03-14T08:30:00.000Z'],
  ['2026-07-14 09:30', '2026-07-14T07:30:00.000Z'],
  ['2026-03-14T09:30:15', '2026-03-14T08:30:15.000Z'],
  ['2026-03-14 09:30 +05:00', '2026-03-14T04:30:00.000Z'],
  ['2026-03-14T09:30Z', '2026-03-14T09:30:00.000Z'],
])('%s is %s', (text, instant) => {
  expect(isLocalMoment(text)).toBe(true)
  expect(resolveLocalMoment(text, zone)).toEqual({ instant })
})

test.each(['', '2026-03-14', '09:30', '2026-02-30 09:30', '2026-03-14 24:00', '14-03-2026 09:30'])(
  '%j is no moment',
  (text) => {
    expect(isLocalMoment(text)).toBe(false)
  },
)

describe('the nights in which the clocks change', () => {
  test('a time that does not come is told with the two that may be meant', () => {
    expect(resolveLocalMoment('2026-03-29 02:30', zone)).toEqual({
      fault: 'skipped',
      ways: ['2026-03-29 01:30', '2026-03-29 03:30'],
    })
    expect(() => instantOf('2026-03-29 02:30', zone)).toThrow(RangeError)
  })

  test('a time that comes twice is told with both, each of which is one moment', () => {
    const resolved = resolveLocalMoment('2026-10-25 02:30', zone)
    expect(resolved).toEqual({
      fault: 'twice',
      ways: ['2026-10-25 02:30 +02:00', '2026-10-25 02:30 +01:00'],
    })
    expect(instantOf('2026-10-25 02:30 +02:00', zone)).toBe('2026-10-25T00:30:00.000Z')
    expect(instantOf('2026-10-25 02:30 +01:00', zone)).toBe('2026-10-25T01:30:00.000Z')
  })

  test('what is shown of any moment of both nights is that moment', () => {
    const nights = ['2026-03-28T22:00:00.000Z', '2026-10-24T22:00:00.000Z']
    fc.assert(
      fc.property(fc.constantFrom(...nights), fc.nat(8 * 60), (night, minutes) => {
        const instant = new Date(Date.parse(night) + minutes * 60_000).toISOString()
        expect(instantOf(showLocalMoment(instant, zone), zone)).toBe(instant)
      }),
    )
  })
})
