import { campaign } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from '../given.ts'

describe('a trigger by hand', () => {
  test('starts the campaign that is named, and says nothing of others', () => {
    const manual = { manual: true as const }
    const patient = person(
      definitionOf([
        campaign({ id: 'call-back', trigger: manual }),
        campaign({ id: 'other', trigger: manual }),
      ]),
    )
    patient.happens('person.enrolled.v1', { data: { campaign: 'call-back' } })
    expect(patient.decisions.map(({ campaignId }) => campaignId)).toEqual(
      Array.from({ length: patient.decisions.length }, () => 'call-back'),
    )
    expect(patient.reasons[0]).toBe('enrolled')
    patient.happens('person.enrolled.v1', { data: { campaign: 'call-back' } })
    expect(patient.reasons).toEqual(['already_entered'])
  })

  test('starts nothing for a campaign that there is not, or that something else starts', () => {
    const patient = person(definitionOf([campaign({ id: 'aftercare' })]))
    for (const named of ['aftercare', 'nothing']) {
      patient.happens('person.enrolled.v1', { data: { campaign: named } })
      expect(patient.enrolments()).toEqual([])
    }
  })
})
