import type { Step } from '@wegwijs/campaign/steps/step'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from '../given.ts'
import { discharge, discharged, messages } from './discharged.ts'

describe('a branch', () => {
  const age = (op: 'lt' | 'gte', value: number) => ({ field: 'person.age', op, value })
  const arm = (op: 'lt' | 'gte', value: number, id: string) => ({
    when: age(op, value),
    steps: [message('hello', { id })],
  })
  const behind = message('later')

  test('goes the first way that holds, and no other', () => {
    const steps: Step[] = [
      { branch: [arm('gte', 80, 'oldest'), arm('gte', 65, 'old'), arm('gte', 18, 'adult')] },
      behind,
    ]
    const patient = person(definitionOf([campaign({ id: 'aftercare', steps })]))
    patient.happens('person.upserted.v1', { data: { birthYear: 1950 } })
    patient.happens(discharge)
    expect(messages(patient)).toEqual(['old', 'later'])
  })

  test('of a value that is missing no way holds but that for everybody else', () => {
    const ways = [arm('lt', 65, 'young'), arm('gte', 65, 'old')]
    const otherwise = { otherwise: [message('hello', { id: 'unknown' })] }
    expect(messages(discharged([{ branch: [...ways, otherwise] }, behind]))).toEqual([
      'unknown',
      'later',
    ])
    expect(messages(discharged([{ branch: ways }, behind]))).toEqual(['later'])
  })

  test('is asked when it is reached, with what is known then', () => {
    const steps: Step[] = [
      { wait: { for: 'P1D', on: 'any-day' } },
      { branch: [arm('gte', 65, 'old')] },
    ]
    const patient = discharged(steps)
    patient.happens('person.upserted.v1', { data: { birthYear: 1950 } })
    patient.comes('2026-03-03T09:00:00.000Z')
    expect(messages(patient)).toEqual(['old'])
  })
})
