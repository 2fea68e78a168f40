import { mergePeople } from '@wegwijs/campaign/merge'
import { isPending, type JourneyEvent } from '@wegwijs/campaign/state'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from '../given.ts'

type Campaign = Parameters<typeof campaign>[0]

const eveningBefore = { entity: 'appointment', field: 'startsAt', before: 'P1D', at: '18:00' }

/** A patient of a hospital with one campaign that a date starts. */
function patientOf(date: object, over: Partial<Campaign> = {}, start?: string) {
  const definition = definitionOf([
    campaign({ id: 'dated', entry: 'every-time', trigger: { date } as never, ...over }),
  ])
  const patient = person(definition, start)
  return {
    ...patient,
    get state() {
      return patient.state
    },
    patient,
    appointment(type: string, version: number, startsAt?: string) {
      const over: Partial<JourneyEvent> = {
        entity: { type: 'appointment', id: 'A-1', version },
        data: startsAt === undefined ? {} : { startsAt },
      }
      return patient.happens(`care.appointment.${type}.v1`, over)
    },
    profile(attributes: object, more: object = {}) {
      return patient.happens('person.upserted.v1', { data: { attributes, ...more } as never })
    },
    due: () => patient.timers().map(({ dueAt }) => dueAt),
  }
}

describe('a date of an appointment', () => {
  test('lets nobody in before it comes, and somebody when it does', () => {
    const { patient, appointment, due } = patientOf(eveningBefore)
    appointment('booked', 1, '2026-03-14T08:30:00.000Z')
    expect(due()).toEqual(['2026-03-13T17:00:00.000Z'])
    expect(patient.enrolments()).toEqual([])
    patient.comes('2026-03-13T17:00:00.000Z')
    expect(patient.reasons).toEqual(['enrolled', 'message_planned', 'completed'])
    expect(patient.enrolments()).toMatchObject([
      { entity: { id: 'A-1', version: 1 }, trigger: { time: '2026-03-13T17:00:00.000Z' } },
    ])
    expect(due()).toEqual([])
  })

  test('moves with a newer version, at once, and not with a lower one', () => {
    const { appointment, due } = patientOf(eveningBefore)
    appointment('booked', 2, '2026-03-14T08:30:00.000Z')
    appointment('moved', 3, '2026-03-20T08:30:00.000Z')
    expect(due()).toEqual(['2026-03-19T17:00:00.000Z'])
    appointment('moved', 1, '2026-03-17T08:30:00.000Z')
    expect(due()).toEqual(['2026-03-19T17:00:00.000Z'])
  })

  test('is gone with a cancellation, and there again when it takes place after all', () => {
    const { appointment, due } = patientOf(eveningBefore)
    appointment('booked', 1, '2026-03-14T08:30:00.000Z')
    appointment('cancelled', 2)
    expect(due()).toEqual([])
    appointment('moved', 3, '2026-03-14T08:30:00.000Z')
    expect(due()).toEqual(['2026-03-13T17:00:00.000Z'])
  })

  test('comes at once when it has just passed, and never when it passed longer ago than maxAge', () => {
    const { patient, appointment } = patientOf(eveningBefore, {}, '2026-03-13T20:00:00.000Z')
    appointment('booked', 1, '2026-03-14T08:30:00.000Z')
    patient.comes('2026-03-13T20:00:00.000Z')
    expect(patient.enrolments()).toHaveLength(1)
    const late = patientOf(eveningBefore, {}, '2026-03-15T20:00:00.000Z')
    late.appointment('booked', 1, '2026-03-14T08:30:00.000Z')
    expect(late.patient.decisions).toMatchObject([
      {
        campaignId: 'dated',
        reason: 'moment_passed',
        detail: { moment: '2026-03-13T17:00:00.000Z' },
      },
    ])
    expect(late.due()).toEqual([])
  })

  test('is late when nobody looked for longer than maxAge, and says so', () => {
    const { patient, appointment } = patientOf(eveningBefore)
    appointment('booked', 1, '2026-03-14T08:30:00.000Z')
    patient.comes('2026-03-14T17:00:00.001Z')
    expect(patient.reasons).toEqual(['moment_passed'])
    expect(patient.enrolments()).toEqual([])
  })

  test('asks for audience and entry when it comes, with what is known then', () => {
    const date = { ...eveningBefore }
    const where = { field: 'person.hasCarer', op: 'eq' as const, value: true }
    const { patient, appointment, profile } = patientOf(date, { audience: { where } })
    appointment('booked', 1, '2026-03-14T08:30:00.000Z')
    profile({ hasCarer: true })
    patient.comes('2026-03-13T17:00:00.000Z')
    expect(patient.reasons).toContain('enrolled')
    const other = patientOf(date, { audience: { where } })
    other.appointment('booked', 1, '2026-03-14T08:30:00.000Z')
    other.patient.comes('2026-03-13T17:00:00.000Z')
    expect(other.patient.reasons).toEqual(['condition_false'])
    const senior = patientOf(date, { audience: { personas: ['senior'] } })
    senior.appointment('booked', 1, '2026-03-14T08:30:00.000Z')
    senior.patient.comes('2026-03-13T17:00:00.000Z')
    expect(senior.patient.reasons).toEqual(['persona_not_in_audience'])
  })

  test('keeps the hour before an hour before, and the time of day the time of day, when clocks change', () => {
    const before = { entity: 'appointment', field: 'startsAt', before: 'PT3H' }
    const plain = patientOf(before)
    // Clocks go from 2 to 3 in the night of the 29th of March.
    plain.appointment('booked', 1, '2026-03-29T02:30:00.000Z')
    expect(plain.due()).toEqual(['2026-03-28T23:30:00.000Z'])
    const skipped = patientOf({ ...eveningBefore, at: '02:30' })
    skipped.appointment('booked', 1, '2026-03-30T08:00:00.000Z')
    expect(skipped.due()).toEqual(['2026-03-29T01:30:00.000Z'])
    // They show it twice in the night of the 25th of October: the first counts.
    const twice = patientOf({ ...eveningBefore, at: '02:30' })
    twice.appointment('booked', 1, '2026-10-26T08:00:00.000Z')
    expect(twice.due()).toEqual(['2026-10-25T00:30:00.000Z'])
  })

  test('follows the clocks of the person, also when they are told later', () => {
    const { appointment, profile, due } = patientOf(eveningBefore)
    appointment('booked', 1, '2026-03-14T08:30:00.000Z')
    profile({}, { timeZone: 'America/Curacao' })
    expect(due()).toEqual(['2026-03-13T22:00:00.000Z'])
  })

  test('moves to a working day: backward before it, forward after it', () => {
    // The 16th of March 2026 is a Monday.
    const backward = patientOf({ ...eveningBefore, on: 'working-day' })
    backward.appointment('booked', 1, '2026-03-16T08:30:00.000Z')
    expect(backward.due()).toEqual(['2026-03-13T17:00:00.000Z'])
    const after = { entity: 'appointment', field: 'startsAt', after: 'P1D', on: 'working-day' }
    const forward = patientOf(after)
    forward.appointment('booked', 1, '2026-03-13T08:30:00.000Z')
    expect(forward.due()).toEqual(['2026-03-16T08:30:00.000Z'])
  })

  test('takes back who had entered when it moves into the future, and lets them in again', () => {
    const steps = [message('hello'), { wait: { for: 'PT2H', on: 'any-day' as const } }]
    const { patient, appointment } = patientOf(eveningBefore, { entry: 'once-per-entity', steps })
    appointment('booked', 1, '2026-03-14T08:30:00.000Z')
    patient.comes('2026-03-13T17:00:00.000Z')
    appointment('moved', 2, '2026-03-20T08:30:00.000Z')
    expect(patient.reasons).toEqual(['date_moved', 'date_moved'])
    expect(patient.intents()).toMatchObject([{ state: 'cancelled', reason: 'date_moved' }])
    patient.comes('2026-03-19T17:00:00.000Z')
    expect(patient.reasons).toContain('enrolled')
    expect(patient.intents()).toHaveLength(2)
    // Once more at another hour of the same day: nobody enters twice for one date.
    appointment('moved', 3, '2026-03-20T10:00:00.000Z')
    patient.comes('2026-03-19T17:00:00.000Z')
    expect(patient.reasons).not.toContain('enrolled')
  })
})

describe('a date of the person', () => {
  const yearAfter = { field: 'person.operationOn', after: 'P1Y', at: '10:00' }

  test('comes at its time of day, follows a correction, and goes when it is taken away', () => {
    const { patient, profile, due } = patientOf(yearAfter)
    profile({ operationOn: '2025-07-01' })
    expect(due()).toEqual(['2026-07-01T08:00:00.000Z'])
    profile({ operationOn: '2025-07-03' })
    expect(due()).toEqual(['2026-07-03T08:00:00.000Z'])
    profile({ hasCarer: true })
    expect(due()).toEqual(['2026-07-03T08:00:00.000Z'])
    profile({ operationOn: null })
    expect(due()).toEqual([])
    patient.comes('2026-08-01T08:00:00.000Z')
    expect(patient.enrolments()).toEqual([])
  })

  test('comes every year, the 29th of February on the 28th in other years', () => {
    const date = { field: 'person.bornOn', at: '09:00', every: 'year' }
    const { patient, profile, due } = patientOf(date, {}, '2026-02-01T09:00:00.000Z')
    profile({ bornOn: '1956-02-29' })
    expect(due()).toEqual(['2026-02-28T08:00:00.000Z'])
    patient.comes('2026-02-28T08:00:00.000Z')
    expect(patient.enrolments()).toHaveLength(1)
    expect(due()).toEqual(['2027-02-28T08:00:00.000Z'])
    patient.comes('2027-02-28T08:00:00.000Z')
    expect(patient.enrolments()).toHaveLength(2)
    expect(due()).toEqual(['2028-02-29T08:00:00.000Z'])
  })

  test('of a day that stands for none, at the end of what calendars know, begins nothing', () => {
    const date = { field: 'person.bornOn', after: 'P14D', at: '09:00', every: 'year' }
    const { patient, profile, due } = patientOf(date)
    profile({ bornOn: '9999-12-31' })
    expect(due()).toEqual(['9999-12-31T23:59:59.999Z'])
    expect(patient.enrolments()).toEqual([])
  })

  test('that nobody looked at for too long says so, and comes again next year', () => {
    const date = { field: 'person.bornOn', at: '09:00', every: 'year' }
    const { patient, profile, due } = patientOf(date)
    profile({ bornOn: '1956-05-12' })
    patient.comes('2026-05-20T09:00:00.000Z')
    expect(patient.reasons).toEqual(['moment_passed'])
    expect(due()).toEqual(['2027-05-12T07:00:00.000Z'])
  })

  test('that is corrected there and back begins nothing twice', () => {
    const { patient, profile, due } = patientOf(yearAfter)
    profile({ operationOn: '2025-07-01' })
    patient.comes('2026-07-01T08:00:00.000Z')
    patient.comes('2026-07-01T14:00:00.000Z')
    profile({ operationOn: '2025-06-30' })
    profile({ operationOn: '2025-07-01' })
    expect(due()).toEqual([])
    patient.comes('2026-07-01T15:00:00.000Z')
    expect(patient.enrolments()).toHaveLength(1)
  })

  test('of every year whose year is corrected begins nothing twice, and comes again next year', () => {
    const date = { field: 'person.bornOn', at: '09:00', every: 'year' }
    const { patient, profile, due } = patientOf(date)
    profile({ bornOn: '1956-05-12' })
    patient.comes('2026-05-12T09:00:00.000Z')
    profile({ bornOn: '1965-05-12' })
    expect(due()).toEqual(['2027-05-12T07:00:00.000Z'])
    patient.comes('2026-05-12T10:00:00.000Z')
    expect(patient.enrolments()).toHaveLength(1)
  })

  describe('of every year', () => {
    const birthday = { field: 'person.bornOn', at: '09:00', every: 'year' }
    const [hello, later] = [message('hello'), message('later')]
    const steps = [hello, { wait: { for: 'P2D', on: 'any-day' as const } }, later]
    /** Told of it in time, and since then at `told`, with another profile from then on. */
    const corrected = (
      [first, told, next]: [string, string, string],
      { more = {}, maxAge = 'P7D', timeZone = 'Europe/Amsterdam' } = {},
    ) => {
      const trigger = { date: birthday, maxAge } as never
      const given = patientOf(birthday, { steps, trigger }, '2026-02-27T09:00:00.000Z')
      given.profile({ bornOn: first }, { timeZone })
      for (const due of given.due()) given.patient.comes(due)
      given.patient.comes(told)
      given.profile({ bornOn: next }, more)
      return given
    }
    const states = ({ patient }: ReturnType<typeof patientOf>) =>
      patient.enrolments().map(({ state, reason }) => `${state} ${reason}`)

    test.each([
      ['2026-03-03', '2026-03-04', '2026-03-04T08:00:00.000Z'],
      // Of 23 hours: clocks go forward between the two.
      ['2026-03-28', '2026-03-29', '2026-03-29T07:00:00.000Z'],
    ])('corrected from %s to the next day moves to that', (first, next, due) => {
      const of = (day: string) => day.replace('2026', '1956')
      const given = corrected([of(first), `${first}T12:00:00.000Z`, of(next)])
      expect(given.due()).toEqual([due])
      expect(states(given)).toEqual(['exited date_moved'])
      given.patient.comes(due)
      expect(states(given)).toEqual(['exited date_moved', 'running null'])
    })

    test('is the same one in whatever time zone it comes, and begins nothing twice', () => {
      // It comes 25 hours later there.
      const given = corrected(['1956-03-03', '2026-03-02T20:00:00.000Z', '1956-03-03'], {
        timeZone: 'Pacific/Kiritimati',
        more: { timeZone: 'Pacific/Pago_Pago' },
      })
      expect(states(given)).toEqual(['running null'])
      given.patient.comes('2026-03-03T21:00:00.000Z')
      given.profile({ bornOn: '1957-03-03' })
      expect(states(given)).toEqual(['running null'])
      expect(given.due().filter((due) => due > '2026-04')).toEqual(['2027-03-03T20:00:00.000Z'])
    })

    test.each(['1956-03-03', '1956-02-27'])(
      'corrected to a day that has passed by then, %s, takes nothing back and begins nothing twice',
      (earlier) => {
        const given = corrected(['1956-03-04', '2026-03-04T12:00:00.000Z', earlier])
        expect(states(given)).toEqual(['running null'])
        given.patient.comes('2026-03-07T12:00:00.000Z')
        expect(states(given)).toEqual(['completed completed'])
        expect(given.patient.intents().map(({ messageId }) => messageId)).toEqual([
          'hello',
          'later',
        ])
        expect(given.due()).toEqual([`2027-${earlier.slice(5)}T08:00:00.000Z`])
      },
    )

    test('corrected to a later day that has passed as well begins nothing twice', () => {
      const given = corrected(['1956-03-03', '2026-03-05T12:00:00.000Z', '1956-03-04'])
      expect(states(given)).toEqual(['completed completed'])
      expect(given.due()).toEqual(['2027-03-04T08:00:00.000Z'])
    })

    test('corrected a year after it began leaves what that year told', () => {
      const given = corrected(['1956-03-03', '2027-03-01T12:00:00.000Z', '1956-03-02'])
      expect(states(given)).toEqual(['completed completed'])
      given.patient.comes('2027-03-02T08:00:00.000Z')
      expect(states(given)).toEqual(['completed completed', 'running null'])
    })
  })

  test('never comes for the dead', () => {
    const { patient, profile, due } = patientOf(yearAfter)
    profile({ operationOn: '2025-07-01' })
    patient.happens('person.deceased.v1')
    expect(due()).toEqual([])
    profile({ operationOn: '2025-08-01' })
    expect(due()).toEqual([])
  })
})

test('two records that become one wait for each date once', () => {
  const definition = definitionOf([
    campaign({ id: 'evening', entry: 'every-time', trigger: { date: eveningBefore } as never }),
    campaign({
      id: 'year',
      trigger: { date: { field: 'person.operationOn', after: 'P1Y', at: '10:00' } } as never,
    }),
  ])
  const [one, other] = [person(definition), person(definition, undefined, 'p2')]
  const booked = (version: number, startsAt: string): Partial<JourneyEvent> => ({
    entity: { type: 'appointment', id: 'A-1', version },
    data: { startsAt },
  })
  one.happens('care.appointment.booked.v1', booked(1, '2026-03-14T08:30:00.000Z'))
  other.happens('care.appointment.booked.v1', booked(2, '2026-03-20T08:30:00.000Z'))
  other.happens('person.upserted.v1', { data: { attributes: { operationOn: '2025-07-01' } } })
  const { state } = mergePeople(one.state, other.state, one.context())
  expect([...state.timers.values()].map(({ dueAt }) => dueAt).sort()).toEqual([
    '2026-03-19T17:00:00.000Z',
    '2026-07-01T08:00:00.000Z',
  ])
  for (const { timerId } of state.timers.values()) expect(timerId).toContain('person-1')
})

type Change = { type: 'booked' | 'moved' | 'cancelled' | 'time'; version: number; hours: number }
const change: fc.Arbitrary<Change> = fc.record({
  type: fc.constantFrom('booked' as const, 'moved' as const, 'cancelled' as const, 'time' as const),
  version: fc.integer({ min: 1, max: 6 }),
  hours: fc.nat(72),
})
const at = (hours: number) => new Date(Date.UTC(2026, 2, 2, 9) + hours * 3_600_000).toISOString()

test('an appointment that moves leaves no timer and no message of its older version alive (P3)', () => {
  const date = { entity: 'appointment', field: 'startsAt', before: 'PT6H' }
  const wait = { wait: { for: 'PT5H', on: 'any-day' as const } }
  const entry = fc.constantFrom('every-time' as const, 'once-per-entity' as const, 'once' as const)
  fc.assert(
    fc.property(fc.array(change, { maxLength: 14 }), entry, (changes, how) => {
      const steps = [message('hello'), wait, message('later')]
      const { patient, appointment } = patientOf(date, { entry: how, steps })
      let hour = 0
      for (const { type, version, hours } of changes) {
        if (type === 'time') hour += hours / 6
        if (type === 'time') patient.comes(at(hour))
        else appointment(type, version, type === 'cancelled' ? undefined : at(hour + hours))
      }
      const { entities, timers, intents, enrolments } = patient.state
      const entity = entities.get('appointment/A-1')
      const isActive = entity?.state === 'active' && typeof entity.data.startsAt === 'string'
      const moment = isActive ? minus(String(entity.data.startsAt), 6) : null
      const dates = [...timers.values()].filter(({ enrolmentId }) => enrolmentId === null)
      expect(dates.length).toBeLessThanOrEqual(1)
      for (const timer of dates) expect(timer.dueAt).toBe(moment)
      if (moment !== null && moment > at(hour)) expect(dates).toHaveLength(1)
      for (const run of enrolments.values()) {
        const isOpen =
          run.state === 'running' ||
          [...intents.values()].some(
            (intent) => intent.enrolmentId === run.enrolmentId && isPending(intent),
          )
        if (!isOpen) continue
        expect(run.entity?.version).toBe(entity?.version)
        expect(moment !== null && moment <= at(hour)).toBe(true)
      }
    }),
  )
})

function minus(instant: string, hours: number): string {
  return new Date(Date.parse(instant) - hours * 3_600_000).toISOString()
}

test('an appointment that takes place after all at a moment that has come goes on, and begins nothing twice', () => {
  const steps = [
    message('hello'),
    { wait: { for: 'PT5H', on: 'any-day' as const } },
    message('later'),
  ]
  const { patient, appointment, due } = patientOf(eveningBefore, { steps })
  appointment('booked', 1, '2026-03-14T08:30:00.000Z')
  patient.comes('2026-03-13T18:00:00.000Z')
  appointment('cancelled', 2)
  expect(patient.reasons).toContain('entity_withdrawn')
  appointment('moved', 3, '2026-03-14T08:30:00.000Z')
  expect(patient.enrolments()).toMatchObject([{ state: 'running' }])
  patient.comes('2026-03-14T08:00:00.000Z')
  expect(patient.enrolments()).toHaveLength(1)
  expect(due()).toEqual([])
})

describe('a date that moves ahead and is back at a moment that had come', () => {
  const wait = { wait: { for: 'PT5H', on: 'any-day' as const } }
  const steps = [message('hello'), wait, message('later')]
  const yearAfter = { field: 'person.operationOn', after: 'P1Y', at: '10:00' }
  const sent = ({ patient }: ReturnType<typeof patientOf>) => {
    for (const { intentId } of patient.intents()) patient.message(intentId, { state: 'sent' })
  }
  const open = ({ patient }: ReturnType<typeof patientOf>) => patient.intents().filter(isPending)

  test('goes on where it was, and tells nothing twice (P2)', () => {
    for (const entry of ['every-time', 'once-per-entity', 'once', { again: 'P30D' }] as const) {
      const one = patientOf(eveningBefore, { entry, steps })
      one.appointment('booked', 1, '2026-03-14T08:30:00.000Z')
      one.patient.comes('2026-03-13T17:00:00.000Z')
      sent(one)
      one.appointment('moved', 2, '2026-03-20T08:30:00.000Z')
      expect(one.patient.enrolments()).toMatchObject([{ reason: 'date_moved' }])
      one.appointment('moved', 3, '2026-03-14T08:30:00.000Z')
      expect(one.patient.reasons).toContain('date_after_all')
      expect(open(one)).toEqual([])
      one.patient.comes('2026-03-13T23:00:00.000Z')
      expect(one.patient.enrolments()).toMatchObject([{ state: 'completed' }])
      expect(open(one)).toMatchObject([{ messageId: 'later', entity: { version: 3 } }])
      // Its entry counts again.
      one.appointment('moved', 4, '2026-03-14T08:00:00.000Z')
      one.patient.comes('2026-03-14T08:00:00.000Z')
      expect(one.patient.enrolments()).toHaveLength(1)
      expect(open(one)).toHaveLength(1)
    }
  })

  test('plans again what had not gone out (P1), of a person, too', () => {
    const one = patientOf(yearAfter, { entry: 'once', steps })
    one.profile({ operationOn: '2025-07-01' })
    one.patient.comes('2026-07-01T08:00:00.000Z')
    one.profile({ operationOn: '2025-07-10' })
    expect(one.patient.intents()).toMatchObject([{ state: 'cancelled', reason: 'date_moved' }])
    one.profile({ operationOn: '2025-07-01' })
    expect(open(one)).toMatchObject([{ messageId: 'hello' }])
    sent(one)
    one.profile({ operationOn: '2025-07-10' })
    one.profile({ operationOn: '2025-07-01' })
    expect(open(one)).toEqual([])
    expect(one.patient.enrolments()).toMatchObject([{ state: 'running', entryKey: '' }])
    one.patient.comes('2026-07-01T13:00:00.000Z')
    expect(open(one)).toMatchObject([{ messageId: 'later' }])
    expect(one.due()).toEqual([])
  })

  test('asks nobody twice, and waits for the answer again', () => {
    const text = (word: string) => ({ nl: word, en: word })
    const ask = {
      ask: {
        id: 'well',
        template: 'hello',
        within: 'P2D',
        question: text('?'),
        answers: [{ answer: 'yes', says: text('yes'), steps: [message('later')] }],
      },
    }
    const one = patientOf(yearAfter, { entry: 'once', steps: [ask] })
    one.profile({ operationOn: '2025-07-01' })
    one.patient.comes('2026-07-01T08:00:00.000Z')
    sent(one)
    one.profile({ operationOn: '2025-07-10' })
    one.profile({ operationOn: '2025-07-01' })
    const [asked] = one.patient.intents()
    one.patient.happens('message.answered.v1', {
      data: { intentId: asked?.intentId ?? '', answer: 'yes' },
    })
    expect(one.patient.intents()).toMatchObject([{ answer: 'yes' }, { messageId: 'later' }])
  })

  test('lets a task be done after all', () => {
    const text = { nl: 'bel', en: 'call' }
    const task = {
      task: {
        id: 'call',
        team: 'nurses',
        title: text,
        within: 'P1D',
        outcomes: [{ outcome: 'called', says: text }],
      },
    }
    const one = patientOf(yearAfter, { entry: 'once', steps: [task] })
    one.profile({ operationOn: '2025-07-01' })
    one.patient.comes('2026-07-01T08:00:00.000Z')
    one.profile({ operationOn: '2025-07-10' })
    expect([...one.state.tasks.values()]).toMatchObject([{ state: 'withdrawn' }])
    one.profile({ operationOn: '2025-07-01' })
    expect([...one.state.tasks.values()]).toMatchObject([{ state: 'open', reason: null }])
  })

  test('does not go on for who reached the goal or left it meanwhile, nor begins anew', () => {
    const touchpoint = 'care.survey.answered.v1'
    for (const over of [{ goal: { touchpoint, within: 'P30D' } }, { exit: [{ touchpoint }] }]) {
      const one = patientOf(eveningBefore, { entry: 'once-per-entity', steps, ...over })
      one.appointment('booked', 1, '2026-03-14T08:30:00.000Z')
      one.patient.comes('2026-03-13T17:00:00.000Z')
      sent(one)
      one.appointment('moved', 2, '2026-03-20T08:30:00.000Z')
      one.patient.happens(touchpoint)
      one.appointment('moved', 3, '2026-03-14T08:30:00.000Z')
      one.patient.comes('2026-03-14T08:00:00.000Z')
      expect(one.patient.enrolments()).toHaveLength(1)
      expect(open(one)).toEqual([])
    }
  })

  test('begins anew when it comes, and then what began before it does not go on', () => {
    const one = patientOf(eveningBefore, { entry: 'once-per-entity', steps })
    one.appointment('booked', 1, '2026-03-14T08:30:00.000Z')
    one.patient.comes('2026-03-13T17:00:00.000Z')
    sent(one)
    // Cancelled first: what that ended would go on by itself when it takes place after all.
    one.appointment('cancelled', 2)
    one.appointment('moved', 3, '2026-03-20T08:30:00.000Z')
    one.patient.comes('2026-03-19T17:00:00.000Z')
    expect(one.patient.enrolments()).toHaveLength(2)
    one.appointment('moved', 4, '2026-03-20T08:45:00.000Z')
    one.patient.comes('2026-03-20T08:00:00.000Z')
    const states = one.patient.enrolments().map(({ state }) => state)
    expect(states).toEqual(['exited', 'completed'])
  })

  test('goes on once, when the two records of which one knows better become one', () => {
    const definition = definitionOf([
      campaign({
        id: 'dated',
        entry: 'every-time',
        trigger: { date: eveningBefore } as never,
        steps,
      }),
    ])
    const [one, other] = [person(definition), person(definition, undefined, 'p2')]
    const booked = (version: number, startsAt: string): Partial<JourneyEvent> => ({
      entity: { type: 'appointment', id: 'A-1', version },
      data: { startsAt },
    })
    one.happens('care.appointment.booked.v1', booked(1, '2026-03-14T08:30:00.000Z'))
    one.comes('2026-03-13T17:00:00.000Z')
    for (const { intentId } of one.intents()) one.message(intentId, { state: 'sent' })
    one.happens('care.appointment.moved.v1', booked(2, '2026-03-20T08:30:00.000Z'))
    other.comes('2026-03-13T17:30:00.000Z')
    other.happens('care.appointment.moved.v1', booked(3, '2026-03-14T08:30:00.000Z'))
    one.comes('2026-03-13T17:30:00.000Z')
    one.state = mergePeople(one.state, other.state, one.context()).state
    one.comes('2026-03-14T08:00:00.000Z')
    const told = one.intents().filter(({ state }) => state !== 'cancelled')
    expect(told.map(({ messageId }) => messageId).sort()).toEqual(['hello', 'later'])
  })
})
