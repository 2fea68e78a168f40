import { type Moment, resolveMoment } from '@wegwijs/campaign/moment'
import { createWorkingDays } from '@wegwijs/campaign/working-days'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'

const isWorkingDay = createWorkingDays('NL', ['2026-12-24', '2026-12-31'])

/** The local time of a moment, in the zone of the organisation. */
function localOf(moment: Moment, now: string, startsAt = now): string {
  const zone = 'Europe/Amsterdam'
  const facts = {
    ...{ now: `${now}:00.000Z`, timeZone: zone, isWorkingDay },
    ...{ read: () => `${startsAt}:00.000Z`, timesOf: () => 0 },
  }
  const instant = resolveMoment(moment, facts) ?? ''
  return Temporal.Instant.from(instant).toZonedDateTimeISO(zone).toPlainDateTime().toString()
}

describe('a working day', () => {
  test.each([
    ['New Year’s Day', '2026-01-01'],
    ['Easter Monday', '2026-04-06'],
    ['King’s Day', '2026-04-27'],
    ['King’s Day, a day earlier when it is a Sunday', '2025-04-26'],
    ['Ascension Day', '2026-05-14'],
    ['Whit Monday', '2026-05-25'],
    ['Christmas Day', '2026-12-25'],
    ['a day on which the organisation is closed', '2026-12-24'],
    ['a Saturday', '2026-03-07'],
    ['a Sunday', '2026-03-08'],
  ])('is not %s', (_, day) => {
    expect(isWorkingDay(Temporal.PlainDate.from(day))).toBe(false)
  })

  test.each([
    ['Good Friday', '2026-04-03'],
    ['Liberation Day', '2026-05-05'],
    ['Liberation Day of a year in which many have it off', '2025-05-05'],
    ['a closed day of another year', '2027-12-24'],
    ['any Friday', '2026-03-06'],
  ])('is %s', (_, day) => {
    expect(isWorkingDay(Temporal.PlainDate.from(day))).toBe(true)
  })
})

test.each<[string, Moment, string, string]>([
  [
    'forward from now over Easter',
    { for: 'P1D', at: '10:00', on: 'working-day' },
    '2026-04-03T12:00',
    '2026-04-07T10:00:00',
  ],
  [
    'forward from now over Christmas, the closed day before it and the weekend behind it',
    { for: 'P1D', at: '10:00', on: 'working-day' },
    '2026-12-23T12:00',
    '2026-12-28T10:00:00',
  ],
  [
    'backward from an appointment on the day after King’s Day',
    { until: 'entity.startsAt', offset: '-P1D', at: '18:00', on: 'working-day' },
    '2026-04-28T07:30',
    '2026-04-24T18:00:00',
  ],
  [
    'forward behind an appointment on the day before King’s Day',
    { until: 'entity.startsAt', offset: 'P1D', at: '10:00', on: 'working-day' },
    '2026-04-26T12:00',
    '2026-04-28T10:00:00',
  ],
  [
    'forward behind an appointment, as the day of a person’s date does',
    { until: 'person.startsOn', offset: 'P1D', at: '10:00', on: ['monday'] },
    '2026-03-03T12:00',
    '2026-03-09T10:00:00',
  ],
  [
    'backward from an appointment on a Sunday, without an offset',
    { until: 'entity.startsAt', at: '08:00', on: 'working-day' },
    '2026-03-08T12:00',
    '2026-03-06T08:00:00',
  ],
])('a moment moves %s', (_, moment, now, expected) => {
  expect(localOf(moment, now)).toBe(expected)
})
