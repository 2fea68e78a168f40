import { compileCondition, conditionSchema, traceCondition } from '@wegwijs/campaign/condition'
import { countsOf, timesIn } from '@wegwijs/campaign/counts'
import type { Happened } from '@wegwijs/campaign/happened'
import { mergePeople } from '@wegwijs/campaign/merge'
import type { JourneyEvent } from '@wegwijs/campaign/state'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { definitionOf, nobody, person } from './given.ts'

const timeZone = 'Europe/Amsterdam'
const discharge = 'care.discharge.completed.v1'
const answered = 'care.survey.answered.v1'
const onWard = (value: string) => ({ field: 'event.ward', op: 'eq' as const, value })

/** A campaign on each answer to a survey, for whom `happened` holds. */
function forWhom(happened: Happened) {
  return definitionOf([
    campaign({
      id: 'asked',
      entry: 'every-time',
      trigger: { touchpoint: answered },
      audience: { where: { happened } },
    }),
  ])
}

function reasonsAt(definition: ReturnType<typeof definitionOf>, days: readonly string[]): string[] {
  const patient = person(definition)
  return days.map((day) => {
    patient.comes(`${day}T09:00:00.000Z`)
    patient.happens(answered)
    return patient.reasons[0] ?? ''
  })
}

describe('how often', () => {
  const days = ['2026-03-02', '2026-03-03', '2026-03-04', '2026-03-05']

  test.each([
    [{}, ['enrolled', 'enrolled', 'enrolled', 'enrolled']],
    [{ times: { atLeast: 3 } }, ['condition_false', 'condition_false', 'enrolled', 'enrolled']],
    [{ times: { atMost: 2 } }, ['enrolled', 'enrolled', 'condition_false', 'condition_false']],
    [
      { times: { exactly: 2 } },
      ['condition_false', 'enrolled', 'condition_false', 'condition_false'],
    ],
    [
      { times: { atLeast: 2, atMost: 3 } },
      ['condition_false', 'enrolled', 'enrolled', 'condition_false'],
    ],
  ])('%j, the event that is being decided among them', (times, expected) => {
    const definition = forWhom({ touchpoint: answered, within: 'P30D', ...times })
    expect(reasonsAt(definition, days)).toEqual(expected)
  })

  test('what never happened is at most once, and not at least once', () => {
    const patient = person(
      forWhom({ touchpoint: discharge, within: 'P30D', times: { exactly: 0 } }),
    )
    patient.happens(answered)
    expect(patient.reasons).toContain('enrolled')
    patient.happens(discharge)
    patient.happens(answered)
    expect(patient.reasons).toEqual(['condition_false'])
    expect(patient.decisions[0]?.detail).toEqual({
      leaves: [
        {
          field: discharge,
          op: 'happened',
          expected: { times: { exactly: 0 }, within: 'P30D' },
          actual: 1,
          holds: false,
        },
      ],
    })
  })
})

describe('the window', () => {
  const definition = forWhom({ touchpoint: answered, within: 'P7D', times: { atLeast: 2 } })

  test('is today and so many whole days before it, on the calendar of the organisation', () => {
    // A quarter to midnight in Amsterdam counts on that day, and until the end of the seventh after it.
    const patient = person(definition, '2026-03-02T22:45:00.000Z')
    patient.happens(answered)
    patient.comes('2026-03-09T22:59:00.000Z')
    patient.happens(answered)
    expect(patient.reasons).toContain('enrolled')

    const other = person(definition, '2026-03-02T22:45:00.000Z')
    other.happens(answered)
    other.comes('2026-03-09T23:00:00.000Z')
    other.happens(answered)
    expect(other.reasons).toEqual(['condition_false'])
  })

  test('goes by when it happened, and not by when we hear of it', () => {
    const patient = person(definition, '2026-03-10T09:00:00.000Z')
    patient.happens(answered, { time: '2026-03-02T09:00:00.000Z' })
    patient.happens(answered)
    expect(patient.reasons).toEqual(['condition_false'])
    patient.happens(answered, { time: '2026-03-03T09:00:00.000Z' })
    patient.happens(answered)
    expect(patient.reasons).toContain('enrolled')
  })

  test('is that of the organisation, whatever the zone of the person', () => {
    const patient = person(definition, '2026-03-02T22:45:00.000Z')
    patient.happens('person.upserted.v1', { data: { timeZone: 'Pacific/Auckland' } })
    patient.happens(answered)
    patient.comes('2026-03-09T22:59:00.000Z')
    patient.happens(answered)
    expect(patient.reasons).toContain('enrolled')
  })

  test('what no condition looks back to is forgotten when the next one is counted', () => {
    const patient = person(definition)
    patient.happens(answered)
    patient.comes('2026-06-02T09:00:00.000Z')
    patient.happens(answered)
    expect(Object.values(patient.state.person.happened).map(Object.keys)).toEqual([['20606']])
  })
})

test('only those of which its condition holds count', () => {
  const definition = forWhom({ touchpoint: discharge, within: 'P30D', where: onWard('west') })
  const patient = person(definition)
  patient.happens(discharge, { data: { ward: 'east' } })
  patient.happens(discharge)
  patient.happens(answered)
  expect(patient.reasons).toEqual(['condition_false'])
  patient.happens(discharge, { data: { ward: 'west' } })
  patient.happens(answered)
  expect(patient.reasons).toContain('enrolled')
})

test('an older version of an appointment that comes late has happened, too', () => {
  const moved = 'care.appointment.moved.v1'
  const patient = person(forWhom({ touchpoint: moved, within: 'P30D', times: { exactly: 2 } }))
  const version = (version: number): Partial<JourneyEvent> => ({
    entity: { type: 'appointment', id: 'A-1', version },
    data: { startsAt: `2026-03-2${version}T09:00:00.000Z` },
  })
  patient.happens(moved, version(3))
  expect(patient.happens(moved, version(2))).toBe('entity_not_newer')
  patient.happens(answered)
  expect(patient.reasons).toContain('enrolled')
})

test('a branch asks when it is reached, and of the first day that no longer counts it knows', () => {
  const definition = definitionOf([
    campaign({
      id: 'later',
      steps: [
        { wait: { for: 'P3D', on: 'any-day' } },
        {
          branch: [
            {
              when: { not: { happened: { touchpoint: answered, within: 'P2D' } } },
              steps: [message('hello')],
            },
          ],
        },
      ],
    }),
  ])
  const whoAnswersAt = (instant: string) => {
    const patient = person(definition)
    patient.happens(discharge)
    patient.comes(instant)
    patient.happens(answered)
    patient.comes('2026-03-05T09:00:00.000Z')
    return patient.intents().length
  }
  expect(whoAnswersAt('2026-03-02T22:59:00.000Z')).toBe(1)
  expect(whoAnswersAt('2026-03-02T23:00:00.000Z')).toBe(0)
})

test('a persona, an exit, a goal and a wait ask it like everybody else', () => {
  const often: Happened = { touchpoint: answered, within: 'P30D', times: { atLeast: 2 } }
  const where = { happened: often }
  const definition = definitionOf([
    campaign({
      id: 'exit',
      exit: [{ touchpoint: answered, where }],
      steps: [{ wait: { for: 'P9D', on: 'any-day' } }],
    }),
    campaign({
      id: 'goal',
      goal: { touchpoint: answered, where, within: 'P9D' },
      steps: [{ wait: { for: 'P9D', on: 'any-day' } }],
    }),
    campaign({ id: 'wait', steps: [{ waitFor: { touchpoint: answered, where, within: 'P9D' } }] }),
  ])
  const patient = person(definition)
  patient.happens(discharge)
  patient.happens(answered)
  expect(patient.reasons).toEqual([])
  patient.happens(answered)
  expect(patient.reasons).toEqual(['goal_reached', 'exit_touchpoint', 'awaited_came', 'completed'])
})

test('of two people who are one, both counts are added up', () => {
  const definition = forWhom({ touchpoint: answered, within: 'P30D', times: { atLeast: 4 } })
  const [one, other] = [person(definition), person(definition, undefined, 'p2')]
  one.happens(answered)
  other.happens(answered)
  other.comes('2026-03-04T09:00:00.000Z')
  other.happens(answered)
  one.state = mergePeople(one.state, other.state, one.context()).state
  one.comes('2026-03-05T09:00:00.000Z')
  one.happens(answered)
  expect(one.reasons).toContain('enrolled')
  expect(nobody().person.happened).toEqual({})
})

test('two conditions that count the same share a count, as long as the longer one looks back', () => {
  const counts = countsOf(
    [
      { touchpoint: answered, within: 'P7D' },
      { touchpoint: answered, within: 'P2W', times: { atLeast: 3 } },
      { touchpoint: discharge, within: 'P7D', where: onWard('west') },
      { touchpoint: discharge, within: 'P7D', where: onWard('east') },
      // As a store gives it back: the same members in another order.
      {
        touchpoint: discharge,
        within: 'P1D',
        where: { value: 'east', op: 'eq', field: 'event.ward' },
      },
    ],
    timeZone,
  )
  expect(counts.map(({ touchpoint, days }) => [touchpoint, days]).sort()).toEqual([
    [discharge, 7],
    [discharge, 7],
    [answered, 14],
  ])
})

test.each([['P1M'], ['PT36H'], ['P1DT1H'], ['P0D'], ['P367D'], ['-P3D'], ['soon']])(
  'a window of %s is none',
  (within) => {
    expect(conditionSchema.safeParse({ happened: { touchpoint: answered, within } }).success).toBe(
      false,
    )
  },
)

test.each([[{}], [{ atLeast: 0 }], [{ atLeast: 3, atMost: 2 }], [{ exactly: 1, atMost: 2 }]])(
  '%j times is no number of times',
  (times) => {
    const happened = { touchpoint: answered, within: 'P1W', times }
    expect(conditionSchema.safeParse({ happened }).success).toBe(false)
  },
)

describe('whatever happens', () => {
  type Event = { id: number; day: number; hour: number; heardAfter: number; ward: string }
  const event: fc.Arbitrary<Event> = fc.record({
    id: fc.nat(1_000_000),
    day: fc.nat(60),
    hour: fc.nat(23),
    heardAfter: fc.nat(20),
    ward: fc.constantFrom('east', 'west'),
  })
  const asked: fc.Arbitrary<Happened> = fc.record({
    touchpoint: fc.constant(discharge),
    within: fc.integer({ min: 1, max: 40 }).map((days) => `P${days}D`),
    where: fc.constantFrom(undefined, onWard('west')),
  })
  /** Around the night in which the clocks go forward. */
  const at = (day: number, hour: number) =>
    new Date(Date.UTC(2026, 1, 20 + day, hour)).toISOString()
  const dayOf = (instant: string) =>
    Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).toPlainDate()

  /** Those that the whole list of events shows to lie within the window. */
  function scan(events: readonly Event[], { within, where }: Happened, now: string): number {
    const first = dayOf(now).subtract(within)
    return events.filter(
      ({ day, hour, ward }) =>
        Temporal.PlainDate.compare(dayOf(at(day, hour)), first) >= 0 &&
        (where === undefined || ward === 'west'),
    ).length
  }

  function live(
    definition: ReturnType<typeof definitionOf>,
    events: readonly Event[],
    subject = 'p1',
  ) {
    const patient = person(definition, at(0, 0), subject)
    for (const { day, hour, heardAfter, ward } of inOrderOfHearing(events)) {
      patient.comes(at(day + heardAfter, hour))
      patient.happens(discharge, { time: at(day, hour), data: { ward } })
    }
    return patient
  }

  const inOrderOfHearing = (events: readonly Event[]) =>
    [...events].sort(
      (a, b) => a.day + a.heardAfter + a.hour / 24 - (b.day + b.heardAfter + b.hour / 24),
    )

  test('days count what a scan of all events counts, at every moment after', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 30 }),
        fc.array(asked, { minLength: 1, maxLength: 4 }),
        fc.nat(40),
        (events, questions, later) => {
          const definition = definitionOf(
            questions.map((happened, index) =>
              campaign({ id: `c${index}`, audience: { where: { happened } } }),
            ),
          )
          const { state } = live(definition, events)
          const now = at(80 + later, 12)
          for (const happened of questions) {
            const counted = timesIn(state.person.happened, happened, { now, timeZone })
            expect(counted).toBe(scan(events, happened, now))
          }
        },
      ),
    )
  })

  test('what happens to others in between changes nothing', () => {
    const definition = forWhom({ touchpoint: discharge, within: 'P30D' })
    fc.assert(
      fc.property(
        fc.array(fc.record({ event, isOther: fc.boolean() }), { maxLength: 20 }),
        (all) => {
          const of = (isOther: boolean) =>
            all.filter((each) => each.isOther === isOther).map((each) => each.event)
          const [one, other] = [person(definition, at(0, 0)), person(definition, at(0, 0), 'p2')]
          const order = [...all].sort(
            (a, b) =>
              a.event.day +
              a.event.heardAfter +
              a.event.hour / 24 -
              (b.event.day + b.event.heardAfter + b.event.hour / 24),
          )
          for (const {
            event: { day, hour, heardAfter, ward },
            isOther,
          } of order) {
            const whom = isOther ? other : one
            whom.comes(at(day + heardAfter, hour))
            whom.happens(discharge, { time: at(day, hour), data: { ward } })
          }
          expect(one.state.person.happened).toEqual(
            live(definition, of(false)).state.person.happened,
          )
          expect(other.state.person.happened).toEqual(
            live(definition, of(true), 'p2').state.person.happened,
          )
        },
      ),
    )
  })

  test('a trace says the same as the condition, and how often it was', () => {
    fc.assert(
      fc.property(fc.nat(5), fc.nat(5), fc.nat(5), (count, atLeast, more) => {
        const times = { atLeast: Math.max(1, atLeast), atMost: Math.max(1, atLeast) + more }
        const condition = { happened: { touchpoint: discharge, within: 'P3D', times } }
        const facts = { read: () => undefined, now: at(0, 0), timeZone, timesOf: () => count }
        const { holds, leaves } = traceCondition(condition, facts)
        expect(holds).toBe(compileCondition(condition)(facts))
        expect(holds).toBe(count >= times.atLeast && count <= times.atMost)
        expect(leaves[0]?.actual).toBe(count)
      }),
    )
  })
})
