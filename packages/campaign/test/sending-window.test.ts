import { lastCheck } from '@wegwijs/campaign/last-check'
import { isQuiet, quietUntil } from '@wegwijs/campaign/quiet-hours'
import { openedBeside, sendableAt, windowOpens } from '@wegwijs/campaign/sending-window'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

const discharge = 'care.discharge.completed.v1'
const booked = 'care.appointment.booked.v1'
const anyDay = 'any-day' as const
const workingDay = 'working-day' as const

/** Somebody with the message that a step of this `send` plans on a Friday, and the last check of it. */
function friday(over: object, more: object = {}, start = '2026-03-06T09:00:00.000Z') {
  const steps = [message('hello', over)]
  const patient = person(definitionOf([campaign({ id: 'aftercare', steps, ...more })]), start)
  return {
    ...patient,
    intent: () => {
      const [intent] = patient.intents()
      if (!intent) throw new RangeError('nothing was planned')
      return intent
    },
    checked(now: string, extra: Partial<Parameters<typeof lastCheck>[1]> = {}) {
      const { state } = patient
      const [intent] = patient.intents()
      if (!intent) throw new RangeError('nothing was planned')
      const contacts = { email: { address: 'p1@example.org', refusedAt: null } }
      return lastCheck(
        { ...state, person: { ...state.person, contacts } },
        {
          intent,
          channel: 'email',
          needsConsent: false,
          quietHours: undefined,
          timeZone: 'Europe/Amsterdam',
          budgets: [],
          counted: [],
          now,
          ...extra,
        },
      )
    },
  }
}

const put = (dueAt: string) => ({ effect: 'wait', reason: 'sending_window', dueAt })
const go = { effect: 'claim', reason: null }

describe('what was put off', () => {
  test('onto a Sunday waits for the next working day, at its hour', () => {
    const patient = friday({
      send: { for: 'PT1H', at: '10:00', on: workingDay },
      expires: 'P7D',
    })
    patient.happens(discharge)
    // At 10:00 on Friday an hour has not passed: it is Monday.
    expect(patient.intent().dueAt).toBe('2026-03-09T09:00:00.000Z')
    expect(patient.checked('2026-03-09T16:00:00.000Z')).toEqual(go)
    expect(patient.checked('2026-03-14T06:00:00.000Z')).toEqual(put('2026-03-16T09:00:00.000Z'))
    expect(patient.checked('2026-03-15T21:00:00.000Z')).toEqual(put('2026-03-16T09:00:00.000Z'))
  })

  test('onto a holiday or a closed day waits for the day after', () => {
    const start = '2026-04-03T08:00:00.000Z'
    const patient = friday({ send: { on: workingDay }, expires: 'P9D' }, {}, start)
    patient.happens(discharge)
    expect(patient.intent().dueAt).toBe(start)
    // Easter Monday.
    expect(patient.checked('2026-04-06T06:00:00.000Z')).toEqual(put('2026-04-07T08:00:00.000Z'))
  })

  test('past its part of the day waits for the next one', () => {
    const patient = friday({
      send: { between: ['09:00', '17:00'], on: ['tuesday', 'friday'] },
      expires: 'P7D',
    })
    patient.happens(discharge)
    expect(patient.intent().dueAt).toBe('2026-03-06T09:00:00.000Z')
    expect(patient.checked('2026-03-06T15:59:00.000Z')).toEqual(go)
    expect(patient.checked('2026-03-06T16:00:00.000Z')).toEqual(put('2026-03-10T08:00:00.000Z'))
    expect(patient.checked('2026-03-10T07:00:00.000Z')).toEqual(put('2026-03-10T08:00:00.000Z'))
  })

  test('is asked on the clocks of whoever gets it now', () => {
    const patient = friday({ send: { between: ['09:00', '17:00'], on: anyDay }, expires: 'P2D' })
    patient.happens(discharge)
    patient.happens('person.upserted.v1', { data: { timeZone: 'America/Curacao' } })
    expect(patient.checked('2026-03-06T12:59:00.000Z')).toEqual(put('2026-03-06T13:00:00.000Z'))
    expect(patient.checked('2026-03-06T20:59:00.000Z')).toEqual(go)
  })

  test('never waits beyond its expiry, and ends then', () => {
    const patient = friday({ send: { on: workingDay }, expires: 'P2D' })
    patient.happens(discharge)
    const { expiresAt } = patient.intent()
    expect(patient.checked('2026-03-07T09:00:00.000Z')).toEqual(put(expiresAt))
    expect(patient.checked(expiresAt)).toEqual({ effect: 'expire', reason: 'expired' })
  })

  test('waits for nothing where any day and hour will do', () => {
    const patient = friday({ send: { for: 'PT1H', at: '10:00', on: anyDay }, expires: 'P7D' })
    patient.happens(discharge)
    expect(patient.intent()).not.toHaveProperty('window')
    expect(patient.checked('2026-03-08T03:00:00.000Z')).toEqual(go)
  })

  test('is asked after the quiet hours, which are looked at once more then', () => {
    const patient = friday({ send: { on: workingDay }, expires: 'P7D' })
    patient.happens(discharge)
    const quietHours = { from: '21:00', until: '08:00' }
    expect(patient.checked('2026-03-07T01:00:00.000Z', { quietHours })).toMatchObject({
      reason: 'quiet_hours',
    })
    expect(patient.checked('2026-03-07T07:00:00.000Z', { quietHours })).toEqual(
      put('2026-03-09T09:00:00.000Z'),
    )
  })
})

describe('counted from the data', () => {
  const onAppointment = { trigger: { touchpoint: booked }, journey: 'operation' }
  const reminder = (startsAt: string, start: string, over: object = {}) => {
    const send = {
      until: 'entity.startsAt',
      offset: '-P1D',
      at: '17:00',
      on: workingDay,
    }
    const entry = 'once-per-entity'
    const patient = friday(
      { send, until: 'entity.startsAt', ...over },
      { ...onAppointment, entry },
      start,
    )
    patient.happens(booked, {
      data: { startsAt },
      entity: { type: 'appointment', id: 'A-1', version: 1 },
    })
    return patient
  }

  test('the working day before stays before: what is late waits only while one comes in time', () => {
    // The Friday before has passed; on Monday at 17:00 the visit is still to come.
    const tuesday = reminder('2026-03-10T08:00:00.000Z', '2026-03-07T10:00:00.000Z')
    expect(tuesday.intent().dueAt).toBe('2026-03-09T16:00:00.000Z')
    const monday = reminder('2026-03-09T08:00:00.000Z', '2026-03-07T10:00:00.000Z')
    expect(monday.intent().dueAt).toBe('2026-03-07T10:00:00.000Z')
    expect(monday.checked('2026-03-08T10:00:00.000Z')).toEqual(go)
  })

  test('what is told after it waits for such a day', () => {
    const send = { until: 'entity.startsAt', offset: 'P2D', at: '10:00', on: workingDay }
    const survey = reminder('2026-03-04T08:00:00.000Z', '2026-03-03T10:00:00.000Z', {
      send,
      until: undefined,
      expires: 'P7D',
    })
    expect(survey.intent().dueAt).toBe('2026-03-06T09:00:00.000Z')
    expect(survey.checked('2026-03-07T03:00:00.000Z')).toEqual(put('2026-03-09T09:00:00.000Z'))
  })
})

describe('beside quiet hours', () => {
  const quietHours = { from: '21:00', until: '08:00' }
  const zone = 'Europe/Amsterdam'
  const anyHour = (days: readonly number[], opens: string) => ({
    ...{ days, opens, closed: [], closes: null, before: null },
  })

  test.each([
    ['a Friday evening, on working days', '2026-03-06T21:00:00.000Z', [1, 2, 3, 4, 5], '09'],
    ['a Tuesday evening, on Tuesdays and Thursdays', '2026-03-10T20:30:00.000Z', [2, 4], '12'],
    ['a Friday evening, on Fridays', '2026-03-06T20:30:00.000Z', [5], '13'],
  ])('%s: when they end on the next such day', (_, due, days, day) => {
    const window = anyHour(days, windowOpensAt(due))
    expect(sendableAt(due, window, quietHours, zone)).toBe(`2026-03-${day}T07:00:00.000Z`)
  })

  const time = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom('00', '15', '30', '45'))
    .map(([hour, minutes]) => `${String(hour).padStart(2, '0')}:${minutes}`)

  test('a day comes for whatever may go out at any hour of it, and both let it go then', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) }),
        fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        time,
        fc.tuple(time, time).filter(([from, until]) => from !== until),
        (at, days, opens, [from, until]) => {
          const hours = { from, until }
          const window = anyHour(days, opens)
          const due = new Date(at).toISOString()
          const sendable = sendableAt(due, window, hours, zone) ?? ''
          expect(Date.parse(sendable) - at).toBeLessThan(9 * 86_400_000)
          expect(quietUntil(sendable, hours, zone)).toBeNull()
          expect(windowOpens(sendable, openedBeside(window, hours), zone)).toBeNull()
        },
      ),
    )
  })

  test('a part of the day keeps its hours', () => {
    const window = { ...anyHour([1, 2, 3, 4, 5, 6, 7], '07:00'), closes: '12:00' }
    expect(openedBeside(window, quietHours)).toBe(window)
    expect(isQuiet(window.opens, quietHours)).toBe(true)
    const due = '2026-03-06T12:00:00.000Z'
    expect(sendableAt(due, window, quietHours, zone)).toBe('2026-03-07T07:00:00.000Z')
  })

  function windowOpensAt(due: string): string {
    return Temporal.Instant.from(due)
      .toZonedDateTimeISO(zone)
      .toPlainTime()
      .toString({ smallestUnit: 'minute' })
  }
})
