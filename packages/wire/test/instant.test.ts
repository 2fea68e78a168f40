import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normaliseTime } from '../src/instant.ts'

describe('normaliseTime', () => {
  it.each([
    ['2026-03-14T08:30:00.000Z', '2026-03-14T08:30:00.000Z'],
    ['2026-03-14T08:30:00Z', '2026-03-14T08:30:00.000Z'],
    ['2026-03-14t08:30:00z', '2026-03-14T08:30:00.000Z'],
    ['2026-03-14t08:30:00.123Z', '2026-03-14T08:30:00.123Z'],
    ['2026-03-14T08:30:00.123z', '2026-03-14T08:30:00.123Z'],
    ['2026-03-14T09:30:00+01:00', '2026-03-14T08:30:00.000Z'],
    ['2026-03-13T23:00:00.5-09:30', '2026-03-14T08:30:00.500Z'],
    ['2026-03-14T08:30:00.123456789Z', '2026-03-14T08:30:00.123Z'],
    ['2026-03-14T08:30:00.999999Z', '2026-03-14T08:30:00.999Z'],
    ['2026-03-14T08:30:00-00:00', '2026-03-14T08:30:00.000Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.999Z'],
    ['2016-12-31T23:59:60.5Z', '2016-12-31T23:59:59.999Z'],
    ['2017-01-01T00:59:60+01:00', '2016-12-31T23:59:59.999Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
    ['0050-01-01T00:00:00Z', '0050-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('reads %s as %s', (given, expected) => {
    expect(normaliseTime(given)).toBe(expected)
  })

  it.each([
    '',
    'today',
    '2026-03-14',
    '2026-03-14T08:30Z',
    '2026-03-14T08:30:00',
    '2026-03-14 08:30:00Z',
    '2026-03-14T08:30:00.Z',
    '2026-03-14T08:30:00,5Z',
    '2026-03-14T24:00:00Z',
    '2026-03-14T08:60:00Z',
    '2026-03-14T08:30:61Z',
    '2026-00-14T08:30:00Z',
    '2026-13-14T08:30:00Z',
    '2026-03-00T08:30:00Z',
    '2026-03-32T08:30:00Z',
    '2026-02-29T08:30:00Z',
    '2026-02-30T08:30:00.000Z',
    '2026-04-31T08:30:00.000Z',
    '1900-02-29T00:00:00Z',
    '2026-03-14T08:30:00+24:00',
    '2026-03-14T08:30:00+1:00',
    '2026-03-14T08:30:00+0100',
    '2026-03-14T08:30:00 Z',
    ' 2026-03-14T08:30:00Z',
    '2026-03-14T08:30:00Z\n',
    '+002026-03-14T08:30:00Z',
    '26-03-14T08:30:00Z',
    'Sat, 14 Mar 2026 08:30:00 GMT',
    '1773477000000',
    '0000-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
  ])('does not read %j', (given) => {
    expect(normaliseTime(given)).toBeUndefined()
  })

  const moment = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9998-12-31T00:00:00Z'),
    noInvalidDate: true,
  })

  it('leaves as it is what is in our spelling, and reads every other spelling of it alike', () => {
    fc.assert(
      fc.property(moment, fc.integer({ min: -1_439, max: 1_439 }), (date, offsetMinutes) => {
        const instant = date.toISOString()
        expect(normaliseTime(instant)).toBe(instant)
        expect(normaliseTime(withOffset(date, offsetMinutes))).toBe(instant)
      }),
    )
  })

  it('gives texts that sort as the moments do', () => {
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        const [left, right] = [normaliseTime(withOffset(a, 60)), normaliseTime(withOffset(b, -60))]
        expect(String(left) < String(right)).toBe(a.getTime() < b.getTime())
      }),
    )
  })

  it('agrees with Date wherever it gives an answer, and never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.stringMatching(/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/),
        ),
        (text) => {
          const instant = normaliseTime(text)
          if (instant === undefined || text.slice(17, 19) === '60') return
          expect(instant).toBe(new Date(text.toUpperCase()).toISOString())
        },
      ),
      { numRuns: 1_000 },
    )
  })
})

function withOffset(date: Date, minutes: number): string {
  const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1)
  const pad = (number: number) => String(number).padStart(2, '0')
  const size = Math.abs(minutes)
  return `${local}${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`
}
