import { addDuration, subtractDuration, toInstant, yearOf } from '@wegwijs/campaign/instant'
import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { expect, test } from 'vitest'

const hourMs = 3_600_000
/** When the clocks change in the Netherlands, and when they did and will elsewhere. */
const changes = ['2026-03-29T01:00:00.000Z', '2026-10-25T01:00:00.000Z', '2011-12-30T10:00:00.000Z']
const instant = fc
  .tuple(fc.constantFrom(...changes), fc.integer({ min: -60 * 24, max: 60 * 24 }), fc.boolean())
  .map(([change, hours, exact]) =>
    Temporal.Instant.from(change)
      .add({ milliseconds: hours * hourMs + (exact ? 0 : 1) })
      .toString({ fractionalSecondDigits: 3 }),
  )
const duration = fc
  .record({
    negative: fc.boolean(),
    months: fc.constantFrom(0, 0, 0, 1),
    weeks: fc.integer({ min: 0, max: 2 }),
    days: fc.integer({ min: 0, max: 40 }),
    hours: fc.integer({ min: 0, max: 50 }),
    minutes: fc.integer({ min: 0, max: 90 }),
  })
  .map(({ negative, ...parts }) => {
    const read = Temporal.Duration.from(parts)
    return (negative ? read.negated() : read).toString()
  })
const zone = fc.constantFrom('Europe/Amsterdam', 'UTC', 'Pacific/Apia', 'Asia/Kolkata')

test('a duration is counted as the calendar of the zone counts it, around every change of the clocks', () => {
  const onCalendar = (at: string, by: Temporal.Duration, timeZone: string) =>
    Temporal.Instant.from(at)
      .toZonedDateTimeISO(timeZone)
      .add(by)
      .toInstant()
      .toString({ fractionalSecondDigits: 3 })
  fc.assert(
    fc.property(instant, duration, zone, (at, by, timeZone) => {
      const read = Temporal.Duration.from(by)
      expect(addDuration(at, by, timeZone)).toBe(onCalendar(at, read, timeZone))
      expect(subtractDuration(at, by, timeZone)).toBe(onCalendar(at, read.negated(), timeZone))
    }),
    // Back to the hour that clocks show twice, from the same side of the change.
    { numRuns: 3_000, examples: [['2026-11-27T01:00:00.001Z', 'P33D', 'Europe/Amsterdam']] },
  )
})

test('the year is that of the zone, to the millisecond at which it begins', () => {
  const newYear = fc
    .tuple(
      fc.integer({ min: 2024, max: 2027 }),
      fc.integer({ min: -15, max: 15 }),
      fc.integer({ min: -1, max: 1 }),
    )
    .map(([year, hours, ms]) =>
      Temporal.Instant.from(`${year}-01-01T00:00:00Z`)
        .add({ milliseconds: hours * hourMs + ms })
        .toString({ fractionalSecondDigits: 3 }),
    )
  fc.assert(
    fc.property(newYear, zone, (at, timeZone) => {
      expect(yearOf(at, timeZone)).toBe(Temporal.Instant.from(at).toZonedDateTimeISO(timeZone).year)
    }),
    { numRuns: 1_000 },
  )
})

test('what lies beyond the year 9999 is the last moment of it, so that no text sorts before an earlier one', () => {
  const last = '9999-12-31T23:59:59.999Z'
  expect(addDuration('9999-12-31T12:00:00.000Z', 'P14D', 'Europe/Amsterdam')).toBe(last)
  expect(addDuration('9999-06-01T12:00:00.000Z', 'P1Y', 'Europe/Amsterdam')).toBe(last)
  expect(toInstant('9999-12-31T23:00:00-05:00')).toBe(last)
  expect(toInstant(last)).toBe(last)
})

test('what lies beyond the years that there are is the first or the last moment of them', () => {
  const now = '2026-03-02T09:00:00.000Z'
  for (const long of ['P8000Y', 'P300000Y', 'P99999999D', 'PT2000000000H']) {
    expect(addDuration(now, long, 'Europe/Amsterdam')).toBe('9999-12-31T23:59:59.999Z')
    expect(subtractDuration(now, long, 'Europe/Amsterdam')).toBe('0001-01-01T00:00:00.000Z')
  }
  expect(toInstant('0000-06-01T00:00:00Z')).toBe('0001-01-01T00:00:00.000Z')
})
