import type { JsonObject } from '@wegwijs/campaign/json'
import { campaign } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from '../given.ts'

describe('a trigger by a field', () => {
  const profile = (attributes: JsonObject) =>
    ['person.upserted.v1', { data: { attributes } }] as const
  const carer = (trigger: object) =>
    person(
      definitionOf([
        campaign({
          id: 'carer',
          entry: 'every-time',
          trigger: { attribute: 'person.hasCarer', ...trigger },
        }),
      ]),
    )

  test('starts when it changes, and not when it is told again', () => {
    const patient = carer({ to: true })
    patient.happens(...profile({ hasCarer: true }))
    expect(patient.reasons[0]).toBe('enrolled')
    patient.happens(...profile({ hasCarer: true }))
    expect(patient.reasons).toEqual([])
    patient.happens(...profile({ hasCarer: false }))
    expect(patient.reasons).toEqual(['attribute_otherwise'])
    patient.happens(...profile({ hasCarer: true }))
    expect(patient.reasons[0]).toBe('enrolled')
  })

  test('knows what it was before', () => {
    const patient = carer({ from: true })
    patient.happens(...profile({ hasCarer: true }))
    expect(patient.reasons).toEqual(['attribute_otherwise'])
    patient.happens(...profile({ hasCarer: null } as unknown as JsonObject))
    expect(patient.reasons[0]).toBe('enrolled')
  })

  test('keeps nothing of the profile with the enrolment (P7)', () => {
    const patient = carer({})
    patient.happens('person.upserted.v1', {
      data: {
        givenName: 'A',
        contacts: { email: 'a@example.org' },
        attributes: { hasCarer: true },
      },
    })
    expect(patient.enrolments()).toMatchObject([{ trigger: { data: {} } }])
  })

  test('has no value before the first is told, and none after it is taken away', () => {
    const gone = { hasCarer: null } as unknown as JsonObject
    const first = carer({ from: false })
    first.happens(...profile({ hasCarer: true }))
    expect(first.reasons).toEqual(['attribute_otherwise'])
    const untold = carer({})
    untold.happens(...profile(gone))
    untold.happens(...profile({ operationOn: '2026-03-09' }))
    expect(untold.enrolments()).toEqual([])
    const away = carer({ to: false })
    away.happens(...profile({ hasCarer: true }))
    away.happens(...profile(gone))
    expect(away.reasons).toEqual(['attribute_otherwise'])
  })
})
