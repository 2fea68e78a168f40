import { resolveMoment } from '@wegwijs/campaign/moment'
import { quietUntil } from '@wegwijs/campaign/quiet-hours'
import { campaign } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

/** What holds in the very instant at which it begins or ends. */

const discharge = 'care.discharge.completed.v1'
const survey = 'care.survey.answered.v1'

test.each([
  ['2026-03-02T08:00:00.000Z', '2026-03-02T08:00:00.000Z'],
  ['2026-03-02T15:59:59.999Z', '2026-03-02T15:59:59.999Z'],
  ['2026-03-02T16:00:00.000Z', '2026-03-03T08:00:00.000Z'],
])('a part of the day has its first moment and not its last: %s', (now, expected) => {
  const facts = {
    ...{ now, timeZone: 'Europe/Amsterdam', isWorkingDay: () => true },
    ...{ read: () => undefined, timesOf: () => 0 },
  }
  expect(resolveMoment({ between: ['09:00', '17:00'], on: 'any-day' }, facts)).toBe(expected)
})

test.each([
  [{ from: '21:00', until: '08:00' }, '2026-03-02T20:00:00.000Z', '2026-03-03T07:00:00.000Z'],
  [{ from: '21:00', until: '08:00' }, '2026-03-02T19:59:59.999Z', null],
  [{ from: '21:00', until: '08:00' }, '2026-03-02T07:00:00.000Z', null],
  [{ from: '12:00', until: '13:00' }, '2026-03-02T11:00:00.000Z', '2026-03-02T12:00:00.000Z'],
  [{ from: '12:00', until: '13:00' }, '2026-03-02T12:00:00.000Z', null],
])('quiet hours %j have their first moment and not their last: %s', (hours, at, until) => {
  expect(quietUntil(at, hours, 'Europe/Amsterdam')).toBe(until)
})

describe('a goal counts', () => {
  const goal = { touchpoint: survey, within: 'P7D' }

  test.each([
    ['in the last moment of its window', '2026-03-09T09:00:00.000Z', true],
    ['not after it', '2026-03-09T09:00:00.001Z', false],
    ['from what began the run', '2026-03-02T09:00:00.000Z', true],
    ['not from before', '2026-03-02T08:59:59.999Z', false],
  ])('%s', (_, time, isCounted) => {
    const patient = person(definitionOf([campaign({ id: 'aftercare', goal })]))
    patient.happens(discharge)
    patient.comes(time < '2026-03-03' ? '2026-03-02T09:00:00.000Z' : time)
    patient.happens(survey, { time })
    expect(patient.enrolments()).toMatchObject([{ goalAt: isCounted ? time : null }])
  })
})

test.each([
  ['2026-03-01T09:00:00.000Z', 'enrolled'],
  ['2026-03-01T08:59:59.999Z', 'event_too_old'],
])('an event of %s, when a day is the most, is %s', (time, reason) => {
  const patient = person(definitionOf([campaign({ id: 'aftercare' })]))
  patient.happens(discharge, { time })
  expect(patient.reasons).toContain(reason)
})

test('who is in which arm of a split says nothing of another campaign with a split of that name', () => {
  const split = {
    id: 'way',
    arms: [
      { name: 'a', weight: 1 },
      { name: 'b', weight: 1 },
    ],
  }
  const definition = definitionOf(
    ['one', 'other'].map((id) => campaign({ id, steps: [{ split }] })),
  )
  const alike = Array.from({ length: 400 }, (_, nth) => {
    const patient = person(definition, undefined, `person-${nth}`)
    patient.happens(discharge)
    const arms = patient.decisions.flatMap(({ reason, detail }) =>
      reason === 'split_taken' ? [detail?.arm] : [],
    )
    expect(arms).toHaveLength(2)
    return arms[0] === arms[1]
  }).filter(Boolean).length
  expect(alike).toBeGreaterThan(150)
  expect(alike).toBeLessThan(250)
})
