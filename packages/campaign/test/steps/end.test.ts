import { message } from '@wegwijs/test-support/small-hospital'
import { expect, test } from 'vitest'
import { discharged, messages } from './discharged.ts'

test('an end goes no further, and takes nothing back', () => {
  const patient = discharged([message('hello'), { end: true }, message('later')])
  expect(messages(patient)).toEqual(['hello'])
  expect(patient.intents()[0]?.state).toBe('planned')
  expect(patient.enrolments()).toMatchObject([{ state: 'completed', reason: 'completed' }])
})
