import { campaign } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from '../given.ts'

const discharge = 'care.discharge.completed.v1'

describe('a trigger by a touchpoint', () => {
  const onWard = (op: 'eq' | 'neq' | 'exists', value: string | boolean) => {
    const trigger = { touchpoint: discharge, where: { field: 'event.ward', op, value } }
    return person(definitionOf([campaign({ id: 'aftercare', entry: 'every-time', trigger })]))
  }

  test('starts for its own type alone, with the data that its condition asks for', () => {
    const patient = onWard('eq', 'C3')
    patient.happens('care.admission.started.v1', { data: { ward: 'C3' } })
    expect(patient.enrolments()).toEqual([])
    patient.happens(discharge, { data: { ward: 'C3' } })
    expect(patient.reasons[0]).toBe('enrolled')
    patient.happens(discharge, { data: { ward: 'B1' } })
    expect(patient.reasons).toEqual(['trigger_false'])
  })

  test('of which the data lacks a value is none, unless it is asked for that', () => {
    for (const [op, value, enters] of [
      ['eq', 'C3', false],
      ['neq', 'C3', false],
      ['exists', false, true],
    ] as const) {
      const patient = onWard(op, value)
      patient.happens(discharge)
      expect(patient.reasons[0]).toBe(enters ? 'enrolled' : 'trigger_false')
    }
  })

  test.each([
    // A day before six in the evening, in the nights in which clocks change: 23 and 25 hours.
    ['2026-03-29T16:00:00.000Z', '2026-03-28T17:00:00.000Z', '2026-03-28T16:59:59.000Z'],
    ['2026-10-25T17:00:00.000Z', '2026-10-24T16:00:00.000Z', '2026-10-24T15:59:59.000Z'],
  ])('is too old when a day on the calendar has passed, seen at %s', (now, fresh, old) => {
    const seen = (time: string) => {
      const patient = person(definitionOf([campaign({ id: 'aftercare' })]), now)
      patient.happens(discharge, { time })
      return patient.reasons[0]
    }
    expect(seen(fresh)).toBe('enrolled')
    expect(seen(old)).toBe('event_too_old')
  })
})
