import type { Step } from '@wegwijs/campaign/steps/step'
import { message } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { tellingDischarged, told } from './telling-hospital.ts'

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

  test('copies what the person said they want, and nothing when they said nothing', () => {
    const copy: Step = { set: { field: 'person.mood', from: 'consent.marketing.sms' } }
    expect(tellingDischarged([copy]).reasons).toContain('field_unknown')
    for (const said of ['granted', 'withdrawn'] as const) {
      const { state } = tellingDischarged([copy], undefined, (patient) =>
        patient.happens(`consent.${said}.v1`, { data: { purpose: 'marketing', method: 'web' } }),
      )
      expect(state.person.fields).toEqual({ mood: said })
    }
  })

  test.each<[string, Step]>([
    ['set', { set: { field: 'person.mood', from: 'relation.caregiver' } }],
    ['emit', { emit: { type: told, data: { ward: 'relation.caregiver' } } }],
  ])('of whether there is somebody has the relations of people loaded: %s', (_, step) => {
    const asks = (steps: Step[]) => tellingDischarged(steps).context().definition.asksForRelations
    expect(asks([step])).toBe(true)
    expect(
      asks([
        {
          split: {
            id: 'ways',
            arms: [
              { name: 'one', weight: 1, steps: [step] },
              { name: 'other', weight: 1, steps: [well] },
            ],
          },
        },
      ]),
    ).toBe(true)
    expect(asks([well])).toBe(false)
  })

  test('takes away what was remembered', () => {
    const patient = tellingDischarged([well, { set: { field: 'person.mood', to: null } }])
    expect(patient.state.person.fields).toEqual({})
  })
})
