import { comesNotBefore, type Moment, resolveMoment } from '@wegwijs/campaign/moment'
import { quietUntil } from '@wegwijs/campaign/quiet-hours'
import { windowOpens } from '@wegwijs/campaign/sending-window'
import { createWorkingDays } from '@wegwijs/campaign/working-days'
import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'

const dutchDays = createWorkingDays('NL', [])
const anyDay = 'any-day' as const
const workingDay = 'working-day' as const

/** When it comes, as the clocks of the zone show it; asked at what they show, or at an instant. */
function comes(moment: Moment, now: string, timeZone: string, anchor?: string) {
  const shown = (text: string) =>
    text.endsWith('Z')
      ? text
      : Temporal.PlainDateTime.from(text).toZonedDateTime(timeZone).toInstant().toString()
  const found = resolveMoment(moment, {
    now: shown(now),
    timeZone,
    isWorkingDay: dutchDays,
    read: () => (anchor === undefined ? null : shown(anchor)),
    timesOf: () => 0,
  })
  if (found === null) throw new RangeError('there is no such moment')
  return Temporal.Instant.from(found)
    .toZonedDateTimeISO(timeZone)
    .toPlainDateTime()
    .toString({ smallestUnit: 'minute' })
}

const amsterdam = 'Europe/Amsterdam'
const until = 'entity.startsAt'

describe('a time that clocks skip', () => {
  test.each<[string, Moment, string, string, string]>([
    // Half past two of the 29th does not come in Amsterdam, which is no working day either.
    [
      'over the weekend',
      { at: '02:30', on: workingDay },
      '2026-03-28T03:00',
      amsterdam,
      '2026-03-30T02:30',
    ],
    [
      'asked for after it',
      { at: '02:30', on: anyDay },
      '2026-03-29T03:40',
      amsterdam,
      '2026-03-30T02:30',
    ],
    [
      'asked for before it',
      { at: '02:30', on: anyDay },
      '2026-03-29T01:40',
      amsterdam,
      '2026-03-29T03:30',
    ],
    [
      'a day from now',
      { for: 'P1D', on: workingDay },
      '2026-03-28T02:30',
      amsterdam,
      '2026-03-30T02:30',
    ],
    [
      'a day and an hour from now',
      { for: 'P1DT1H', on: anyDay, between: ['04:00', '05:00'] },
      '2026-03-28T02:30',
      amsterdam,
      '2026-03-29T04:30',
    ],
    // Clocks that skip the first hour of a day, which is a Sunday, a Friday and a Sunday.
    [
      'in Chile',
      { at: '00:00', on: workingDay },
      '2026-09-05T08:00',
      'America/Santiago',
      '2026-09-07T00:00',
    ],
    [
      'in Egypt',
      { at: '00:00', on: anyDay },
      '2026-04-24T02:00',
      'Africa/Cairo',
      '2026-04-25T00:00',
    ],
    [
      'in the Lebanon',
      { at: '00:00', on: ['monday'] },
      '2026-03-28T08:00',
      'Asia/Beirut',
      '2026-03-30T00:00',
    ],
    // Clocks that skip the last hour of a Saturday: what they do not show comes on Sunday.
    [
      'in Greenland',
      { at: '23:30', on: anyDay },
      '2026-03-28T08:00',
      'America/Nuuk',
      '2026-03-29T00:30',
    ],
    [
      'on a Saturday in Greenland',
      { at: '23:30', on: ['saturday'] },
      '2026-03-28T08:00',
      'America/Nuuk',
      '2026-04-04T23:30',
    ],
    [
      'of the next part of the day in Greenland',
      { between: ['08:00', '09:00'], on: anyDay },
      '2026-03-27T23:30',
      'America/Nuuk',
      '2026-03-28T08:00',
    ],
  ])('is itself again on the next day: %s', (_, moment, now, zone, expected) => {
    expect(comes(moment, now, zone)).toBe(expected)
  })

  test.each<[string, Moment, string, string]>([
    [
      'the working day after',
      { until, offset: 'P1D', on: workingDay },
      '2026-03-28T02:30',
      '2026-03-30T02:30',
    ],
    ['the working day before', { until, on: workingDay }, '2026-03-29T02:30', '2026-03-27T03:30'],
    [
      'the working day before at',
      { until, at: '02:30', on: workingDay },
      '2026-03-29T10:00',
      '2026-03-27T02:30',
    ],
  ])(
    'is itself again on another day than that of an appointment: %s',
    (_, moment, startsAt, due) => {
      expect(comes(moment, '2026-03-01T10:00', amsterdam, startsAt)).toBe(due)
    },
  )

  test('moves no day of quiet hours or of a window', () => {
    const friday = '2026-03-28T01:30:00.000Z' // 23:30 in Greenland
    const saturday = '2026-03-28T09:00:00.000Z' // 07:00
    const hours = { from: '21:00', until: '07:00' }
    expect(quietUntil(friday, hours, 'America/Nuuk')).toBe(saturday)
    const window = { days: [6], closed: [], opens: '07:00', closes: null, before: null }
    expect(windowOpens(friday, window, 'America/Nuuk')).toBe(saturday)
  })
})

const zones = fc.constantFrom(
  ...['Europe/Amsterdam', 'America/Santiago', 'Africa/Cairo', 'Asia/Beirut', 'America/Nuuk'],
  ...['America/Havana', 'Australia/Lord_Howe', 'Pacific/Auckland', 'UTC'],
)
const times = fc.constantFrom(
  '00:00',
  '00:30',
  '01:30',
  '02:00',
  '02:30',
  '03:10',
  '10:00',
  '23:30',
)
const days = fc.constantFrom<Moment['on'][]>(anyDay, workingDay, ['saturday', 'sunday'])

/** Within two days of a change of the clocks of the zone. */
const aroundChanges = zones.chain((timeZone) =>
  fc.record({
    timeZone: fc.constant(timeZone),
    now: fc
      .record({
        from: fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2030, 0) }),
        minutes: fc.integer({ min: -2 * 1_440, max: 2 * 1_440 }),
      })
      .map(({ from, minutes }) => {
        const start = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(timeZone)
        const change = start.getTimeZoneTransition('next') ?? start
        const ms = Math.floor(change.epochMilliseconds / 60_000) * 60_000
        return new Date(ms + minutes * 60_000).toISOString()
      }),
  }),
)

test('whatever the zone and the moment, clocks show the time that was asked for, unless that day skips it', () => {
  fc.assert(
    fc.property(aroundChanges, times, days, ({ timeZone, now }, at, on) => {
      const found = Temporal.PlainDateTime.from(comes({ at, on }, now, timeZone))
      const asked = Temporal.Instant.from(now).toZonedDateTimeISO(timeZone)
      const wanted = [0, -1].map((shift) =>
        found.toPlainDate().add({ days: shift }).toPlainDateTime(at),
      )
      const skipped = wanted.filter((each) => {
        const [earlier, later] = (['earlier', 'later'] as const).map((disambiguation) =>
          each.toZonedDateTime(timeZone, { disambiguation }).toPlainDateTime(),
        )
        return !earlier?.equals(each) && later?.equals(found)
      })
      expect(found.toPlainTime().toString().slice(0, 5) === at || skipped.length === 1).toBe(true)
      // It has not passed, and no more than a week of days was left out.
      expect(Temporal.PlainDateTime.compare(found, asked.toPlainDateTime()) >= 0).toBe(true)
      expect(found.since(asked.toPlainDateTime()).total('days')).toBeLessThan(
        on === anyDay ? 1.1 : 8,
      )
    }),
    { numRuns: 2_000 },
  )
})

test('a moment that never comes before the one that it counts from never does', () => {
  const zones = ['Europe/Amsterdam', 'America/Nuuk', 'Pacific/Apia', 'Australia/Lord_Howe', 'UTC']
  const offsets = ['-P1D', '-PT1H', 'PT0S', 'PT1H', 'P1D', 'P1DT30M', 'P1M', undefined]
  const ons: Moment['on'][] = ['any-day', 'working-day', ['monday'], ['saturday', 'sunday']]
  const found = new Set<boolean>()
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom(...offsets),
      fc.constantFrom(undefined, '00:00', '02:30', '18:00', '23:30'),
      fc.constantFrom(...ons),
      // Around the nights in which clocks are put forward and back.
      fc.integer({ min: Date.UTC(2026, 2, 20), max: Date.UTC(2026, 10, 10) }),
      (timeZone, offset, at, on, ms) => {
        const anchor = new Date(ms).toISOString()
        const moment = { until, on, ...(offset && { offset }), ...(at && { at }) }
        const resolved = resolveMoment(moment, {
          now: anchor,
          timeZone,
          isWorkingDay: dutchDays,
          read: () => anchor,
          timesOf: () => 0,
        })
        if (comesNotBefore(moment)) expect((resolved ?? '') >= anchor).toBe(true)
        else found.add((resolved ?? '') < anchor)
      },
    ),
    { numRuns: 2_000 },
  )
  // Of the others it is not certain.
  expect(found).toEqual(new Set([true, false]))
})
