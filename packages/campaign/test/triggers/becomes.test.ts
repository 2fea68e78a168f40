import type { Condition } from '@wegwijs/campaign/condition'
import { decideDates } from '@wegwijs/campaign/decide'
import { draftOf } from '@wegwijs/campaign/draft'
import { traceStart } from '@wegwijs/campaign/explain/campaign-trace'
import { mergePeople } from '@wegwijs/campaign/merge'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from '../given.ts'

const answered = 'care.survey.answered.v1'
const discharge = 'care.discharge.completed.v1'

const happened = (within: string, times = {}, touchpoint = answered): Condition => ({
  happened: { touchpoint, within, ...(Object.keys(times).length > 0 ? { times } : {}) },
})

const becomes = (condition: Condition, over = {}) =>
  definitionOf([
    campaign({
      id: 'then',
      entry: 'every-time',
      trigger: { becomes: condition },
      steps: [message('hello')],
      ...over,
    }),
  ])

const away = { all: [{ not: happened('P7D') }, happened('P30D')] }

describe('by time', () => {
  test('a campaign begins at the midnight at which the last day leaves the window', () => {
    const patient = person(becomes(away))
    patient.happens(answered)
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-09T23:00:00.000Z' }])
    patient.comes('2026-03-09T22:59:00.000Z')
    expect(patient.enrolments()).toEqual([])
    patient.comes('2026-03-09T23:00:00.000Z')
    expect(patient.reasons).toContain('enrolled')
    // It goes on holding until nothing of it is within a month, and then does not any more.
    patient.comes('2026-05-01T09:00:00.000Z')
    expect(patient.enrolments()).toHaveLength(1)
    expect(patient.timers()).toEqual([])
  })

  test('what happens meanwhile moves that midnight', () => {
    const patient = person(becomes(away))
    patient.happens(answered)
    patient.comes('2026-03-08T09:00:00.000Z')
    patient.happens(answered)
    patient.comes('2026-03-14T09:00:00.000Z')
    expect(patient.enrolments()).toEqual([])
    patient.comes('2026-03-16T09:00:00.000Z')
    expect(patient.enrolments()).toMatchObject([
      { trigger: { type: 'becomes', time: '2026-03-15T23:00:00.000Z', data: {} } },
    ])
  })

  test('an event that comes behind that midnight, but before its timer, does not hide it', () => {
    const patient = person(becomes(away))
    patient.happens(answered)
    const [timer] = patient.timers()
    const early = person(becomes(away), '2026-03-09T23:00:01.000Z')
    early.state = patient.state
    early.happens(answered)
    expect(early.reasons[0]).toBe('enrolled')
    expect(early.timers()).toMatchObject([{ timerId: timer?.timerId }])
  })

  test('nothing begins for whom the campaign is not, or who has died', () => {
    const senior = person(becomes(away, { audience: { personas: ['senior'] } }))
    senior.happens(answered)
    senior.comes('2026-03-10T09:00:00.000Z')
    expect(senior.reasons).toEqual(['persona_not_in_audience'])
    const dead = person(becomes(away))
    dead.happens(answered)
    dead.happens('person.deceased.v1')
    expect(dead.timers()).toEqual([])
  })

  test('of who is there when a campaign is published the next day is found', () => {
    const before = person(definitionOf([campaign({ id: 'other', audience: { where: away } })]))
    before.happens(answered)
    expect(before.timers()).toEqual([])
    const definition = becomes(away)
    const after = person(definition, '2026-03-04T09:00:00.000Z')
    after.state = decideDates(
      before.state,
      definition.becoming.byId.values(),
      after.context(),
    ).state
    after.comes('2026-03-10T09:00:00.000Z')
    expect(after.enrolments()).toHaveLength(1)
    // For whom it holds already nothing begins.
    const late = person(definition, '2026-03-12T09:00:00.000Z')
    late.state = decideDates(before.state, definition.becoming.byId.values(), late.context()).state
    late.comes('2026-03-20T09:00:00.000Z')
    expect(late.enrolments()).toEqual([])
  })
})

describe('by an event', () => {
  test('a campaign begins with the one by which it begins to hold, and no later one', () => {
    const patient = person(becomes(happened('P5D', { atLeast: 3 })))
    const enrolled = [1, 2, 3, 4].map(() => {
      patient.happens(answered)
      return patient.enrolments().length
    })
    expect(enrolled).toEqual([0, 0, 1, 1])
    patient.comes('2026-03-12T09:00:00.000Z')
    for (let times = 0; times < 3; times += 1) patient.happens(answered)
    expect(patient.enrolments()).toHaveLength(2)
  })

  test('a profile counts, too', () => {
    const patient = person(
      becomes({
        all: [happened('P5D'), { field: 'person.hasCarer', op: 'eq', value: true }],
      }),
    )
    patient.happens(answered)
    const says = (hasCarer: boolean) =>
      patient.happens('person.upserted.v1', { data: { attributes: { hasCarer } } })
    says(false)
    expect(patient.enrolments()).toEqual([])
    says(true)
    expect(patient.enrolments()).toMatchObject([{ trigger: { data: {} } }])
    says(true)
    expect(patient.enrolments()).toHaveLength(1)
  })

  test('an older version of an appointment that comes late may be the one', () => {
    const moved = 'care.appointment.moved.v1'
    const patient = person(becomes(happened('P5D', { atLeast: 2 }, moved)))
    for (const version of [3, 2])
      patient.happens(moved, {
        entity: { type: 'appointment', id: 'A-1', version },
        data: { startsAt: '2026-03-20T09:00:00.000Z' },
      })
    expect(patient.enrolments()).toMatchObject([{ entity: null }])
  })
})

test('why it began, or did not, is told with what the condition saw', () => {
  const definition = becomes(happened('P5D', { atLeast: 2 }))
  const [own] = definition.becoming.byId.values()
  if (!own) throw new Error('there is no campaign')
  const patient = person(definition)
  const verdicts = [1, 2, 3].map(() => {
    const before = patient.state.person
    patient.happens(answered)
    const event = {
      source: 'urn:test:ehr',
      id: 'asked',
      subject: 'p1',
      type: answered,
      time: patient.context().now,
      data: {},
      entity: null,
      traceparent: null,
    }
    const { verdict, trigger } = traceStart(
      { draft: draftOf(patient.state), event, before },
      { ...own, file: { ...own.file, entry: 'every-time' } },
      patient.context(),
    )
    return [verdict, trigger && 'leaf' in trigger ? trigger.leaf.actual : null]
  })
  expect(verdicts).toEqual([
    ['trigger_false', 1],
    ['enrolled', 2],
    ['trigger_other_touchpoint', 3],
  ])
})

test('two records become one person: nothing begins by that, and their days are counted together', () => {
  const definition = becomes(away)
  const [one, other] = [person(definition), person(definition, undefined, 'p2')]
  one.happens(answered)
  other.comes('2026-03-05T09:00:00.000Z')
  other.happens(answered)
  one.comes('2026-03-06T09:00:00.000Z')
  one.state = mergePeople(one.state, other.state, one.context()).state
  expect(one.timers()).toMatchObject([{ dueAt: '2026-03-12T23:00:00.000Z' }])
  expect(one.enrolments()).toEqual([])
})

test('whatever happens, it begins on each day on which it holds and did not the day before, or by an event', () => {
  const timeZone = 'Europe/Amsterdam'
  const conditions: Condition[] = [
    { not: happened('P3D') },
    happened('P5D', { exactly: 1 }),
    { all: [happened('P9D', { atMost: 2 }), happened('P4D', { atLeast: 1 }, discharge)] },
    { any: [happened('P2D', { exactly: 2 }), { not: happened('P6D', {}, discharge) }] },
  ]
  const event = fc.record({ day: fc.nat(40), type: fc.constantFrom(answered, discharge) })
  const noon = (day: number) => new Date(Date.UTC(2026, 2, 2 + day, 11)).toISOString()
  const dayOf = (instant: string) =>
    Temporal.PlainDate.from('2026-03-02').until(
      Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).toPlainDate(),
    ).days
  const holds = (
    condition: Condition,
    at: number,
    events: readonly { day: number; type: string }[],
  ): boolean => {
    if ('all' in condition) return condition.all.every((part) => holds(part, at, events))
    if ('any' in condition) return condition.any.some((part) => holds(part, at, events))
    if ('not' in condition) return !holds(condition.not, at, events)
    if (!('happened' in condition)) throw new RangeError('another leaf')
    const { touchpoint, within, times = { atLeast: 1 } } = condition.happened
    const first = at - Temporal.Duration.from(within).days
    const count = events.filter(
      ({ day, type }) => type === touchpoint && day >= first && day <= at,
    ).length
    const { exactly, atLeast = 0, atMost = 99 } = times
    return exactly === undefined ? count >= atLeast && count <= atMost : count === exactly
  }
  fc.assert(
    fc.property(
      fc.constantFrom(...conditions),
      fc.array(event, { minLength: 1, maxLength: 15 }),
      (condition, all) => {
        const events = all.toSorted((a, b) => a.day - b.day)
        const patient = person(becomes(condition), noon(0))
        for (let day = 0; day < 80; day += 1) {
          patient.comes(noon(day))
          for (const each of events) if (each.day === day) patient.happens(each.type)
        }
        const begun = patient.enrolments().map(({ trigger }) => dayOf(trigger.time))
        // Day after day, and on a day first what has passed and then each event.
        const expected: number[] = []
        const seen: typeof events = []
        const first = events[0]?.day ?? 0
        for (let day = first; day < 80; day += 1) {
          if (day > first && !holds(condition, day - 1, seen) && holds(condition, day, seen))
            expected.push(day)
          for (const each of events.filter((one) => one.day === day)) {
            const before = holds(condition, day, seen)
            seen.push(each)
            if (!before && holds(condition, day, seen)) expected.push(day)
          }
        }
        expect(begun.toSorted((a, b) => a - b)).toEqual(expected)
      },
    ),
  )
})
