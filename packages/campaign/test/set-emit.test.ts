import { compileDefinition } from '@wegwijs/campaign/compile'
import { type DefinitionBundle, definitionBundleSchema } from '@wegwijs/campaign/definition/bundle'
import type { Step } from '@wegwijs/campaign/steps/step'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { person } from './given.ts'

const discharge = 'care.discharge.completed.v1'
const told = 'told.home.v1'

/** The small hospital, with a field that campaigns may set and an event that they may tell. */
function hospital(steps: readonly Step[]): DefinitionBundle {
  const bundle = smallHospital([
    campaign({ id: 'aftercare', entry: 'every-time', steps: [...steps] }),
  ])
  const text = { type: 'text', sensitivity: 'health', required: false }
  const senior = { field: 'person.mood', op: 'eq', value: 'well' }
  return definitionBundleSchema.parse({
    ...bundle,
    attributes: { ...bundle.attributes, campaigns: { mood: text } },
    personas: {
      personas: bundle.personas.personas.map((each) =>
        each.id === 'senior' ? { ...each, when: senior } : each,
      ),
    },
    touchpoints: {
      ...bundle.touchpoints,
      emits: [
        {
          type: told,
          name: { nl: 'Thuis', en: 'Home' },
          sensitivity: 'health',
          data: { ward: { ...text, required: true }, channel: text },
        },
      ],
    },
  })
}

function discharged(steps: readonly Step[], data = { ward: 'B2' }) {
  const bundle = hospital(steps)
  const versions = bundle.campaigns.map((file) => ({
    id: file.id,
    version: 1,
    live: true,
    file,
    templates: { hello: 'hello-1', later: 'later-1' },
  }))
  const patient = person(compileDefinition(1, bundle, versions))
  patient.happens(discharge, { data })
  return patient
}

describe('set', () => {
  const well: Step = { set: { field: 'person.mood', to: 'well' } }

  test('holds at once, for what follows and for the persona', () => {
    const patient = discharged([
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
    expect(discharged([copy]).state.person.fields).toEqual({ mood: 'B2' })
    const unknown = discharged([well, { set: { field: 'person.mood', from: 'event.room' } }])
    expect(unknown.state.person.fields).toEqual({ mood: 'well' })
    expect(unknown.reasons).toContain('field_unknown')
  })

  test('takes away what was remembered', () => {
    const patient = discharged([well, { set: { field: 'person.mood', to: null } }])
    expect(patient.state.person.fields).toEqual({})
  })
})

describe('emit', () => {
  const tell: Step = {
    emit: { type: told, data: { ward: 'event.ward', channel: { value: 'phone' } } },
  }
  const emitted = (patient: ReturnType<typeof discharged>) =>
    patient.decisions.filter(({ reason }) => reason === 'event_emitted').map(({ detail }) => detail)

  test('tells other systems what the fields say, under an id that hangs on the run', () => {
    const [one] = emitted(discharged([tell]))
    expect(one).toMatchObject({ type: told, data: { ward: 'B2', channel: 'phone' } })
    expect(emitted(discharged([tell]))[0]?.eventId).toBe(one?.eventId)
    const twice = emitted(discharged([tell, tell])).map((detail) => detail?.eventId)
    expect(new Set(twice).size).toBe(2)
  })

  test('leaves out what is not known, and tells nothing without what it promises', () => {
    const without: Step = {
      emit: { type: told, data: { ward: 'event.ward', channel: 'event.room' } },
    }
    expect(emitted(discharged([without]))).toMatchObject([{ data: { ward: 'B2' } }])
    const incomplete = discharged([{ emit: { type: told, data: { ward: 'event.room' } } }])
    expect(emitted(incomplete)).toEqual([])
    expect(incomplete.reasons).toContain('event_incomplete')
  })
})
