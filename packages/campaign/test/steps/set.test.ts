import type { Step } from '@wegwijs/campaign/steps/step'
import { message } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { tellingDischarged } from './telling-hospital.ts'

describe('set', () => {
  const well: Step = { set: { field: 'person.mood', to: 'well' } }

  test('holds at once, for what follows and for the persona', () => {
    const patient = tellingDischarged([
      well,
      {
        branch: [
          { when: { field: 'person.mood', op: 'eq', value: 'well' }, steps: [message('hello')] },
        ],
      },
    ])
    expect(patient.state.person.fields).toEqual({ mood: 'well' })
    expect(patient.state.person.persona).toBe('senior')
    expect(patient.intents()).toHaveLength(1)
    // What was set is nobody's to read in a log.
    expect(JSON.stringify(patient.decisions)).not.toContain('"well"')
  })

  test('copies what another field says, and nothing when that is not known', () => {
    const copy: Step = { set: { field: 'person.mood', from: 'event.ward' } }
    expect(tellingDischarged([copy]).state.person.fields).toEqual({ mood: 'B2' })
    const unknown = tellingDischarged([well, { set: { field: 'person.mood', from: 'event.room' } }])
    expect(unknown.state.person.fields).toEqual({ mood: 'well' })
    expect(unknown.reasons).toContain('field_unknown')
  })

  test('takes away what was remembered', () => {
    const patient = tellingDischarged([well, { set: { field: 'person.mood', to: null } }])
    expect(patient.state.person.fields).toEqual({})
  })
})
