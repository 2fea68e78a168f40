import { compileDefinition } from '@wegwijs/campaign/compile'
import { type DefinitionBundle, definitionBundleSchema } from '@wegwijs/campaign/definition/bundle'
import type { Step } from '@wegwijs/campaign/steps/step'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { person } from '../given.ts'

const discharge = 'care.discharge.completed.v1'
export const told = 'told.home.v1'

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

/** Somebody who has just been discharged in that hospital, in a campaign of these steps. */
export function tellingDischarged(
  steps: readonly Step[],
  data = { ward: 'B2' },
  before: (patient: ReturnType<typeof person>) => void = () => {},
) {
  const bundle = hospital(steps)
  const versions = bundle.campaigns.map((file) => ({
    id: file.id,
    version: 1,
    live: true,
    file,
    templates: { hello: 'hello-1', later: 'later-1' },
  }))
  const patient = person(compileDefinition(1, bundle, versions))
  before(patient)
  patient.happens(discharge, { data })
  return patient
}
