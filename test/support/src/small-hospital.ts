import { type DefinitionBundle, definitionBundleSchema } from '@wegwijs/campaign/definition/bundle'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { z } from 'zod'

type BundleInput = z.input<typeof definitionBundleSchema>
type CampaignInput = BundleInput['campaigns'][number]

const text = (words: string) => ({ nl: words, en: words })
const policy = (over: Partial<BundleInput['policies']['classes']['care']> = {}) => ({
  lane: 'transactional' as const,
  consent: 'implied' as const,
  unknownOutcome: 'at-most-once' as const,
  expires: 'P2D',
  ...over,
})

/** Two publishers, two journeys, an appointment that can move, and the campaigns that a test gives. */
export function smallHospital(campaigns: readonly CampaignInput[]): DefinitionBundle {
  return definitionBundleSchema.parse({
    touchpoints: {
      publishers: [
        {
          source: 'urn:test:ehr',
          idSpace: 'ehr',
          types: ['care.*', 'person.*', 'consent.*', 'relation.*'],
        },
        {
          source: 'urn:test:crm',
          idSpace: 'crm',
          types: ['person.*', 'consent.*', 'relation.*', 'care.survey.*'],
        },
      ],
      touchpoints: [
        {
          type: 'care.admission.started.v1',
          name: text('Admission'),
          journey: 'stay',
          phase: 'treatment',
          starts: true,
        },
        {
          type: 'care.discharge.completed.v1',
          name: text('Discharge'),
          journey: 'stay',
          phase: 'recovery',
          data: { ward: { type: 'text', sensitivity: 'health' } },
        },
        { type: 'care.survey.answered.v1', name: text('Survey') },
        {
          type: 'care.appointment.booked.v1',
          name: text('Booked'),
          journey: 'operation',
          phase: 'intake',
          starts: true,
          entity: 'appointment',
          data: { startsAt: { type: 'instant', sensitivity: 'personal', required: true } },
        },
        {
          type: 'care.appointment.moved.v1',
          name: text('Moved'),
          entity: 'appointment',
          data: { startsAt: { type: 'instant', sensitivity: 'personal', required: true } },
        },
        {
          type: 'care.appointment.cancelled.v1',
          name: text('Cancelled'),
          entity: 'appointment',
          withdraws: true,
        },
      ],
    },
    personas: {
      personas: [
        {
          id: 'senior',
          name: text('Senior'),
          description: 'Older people',
          tone: 'calm',
          channels: ['email', 'sms'],
          when: { field: 'person.age', op: 'gte', value: 65 },
        },
        {
          id: 'everybody',
          name: text('Everybody'),
          description: 'All others',
          tone: 'plain',
          channels: ['email', 'sms'],
        },
      ],
    },
    journeys: {
      journeys: [
        {
          id: 'stay',
          name: text('Stay'),
          phases: [
            { id: 'treatment', name: text('Treatment') },
            { id: 'recovery', name: text('Recovery') },
          ],
        },
        {
          id: 'operation',
          name: text('Operation'),
          phases: [{ id: 'intake', name: text('Intake') }],
        },
      ],
    },
    attributes: {
      person: {
        hasCarer: { type: 'boolean', sensitivity: 'personal' },
        operationOn: { type: 'date', sensitivity: 'health' },
        bornOn: { type: 'date', sensitivity: 'personal' },
      },
    },
    policies: {
      organisation: {
        name: 'Test Hospital',
        phone: '+31 00 000 0000',
        website: 'https://hospital.example.org',
      },
      timeZone: 'Europe/Amsterdam',
      locale: 'nl',
      holidays: 'NL',
      classes: {
        care: policy(),
        service: policy({ lane: 'standard', unknownOutcome: 'at-least-once' }),
        marketing: policy({ lane: 'bulk', consent: 'required', tracking: 'allowed' }),
        research: policy({ lane: 'bulk', consent: 'required' }),
      },
    },
    channels: {
      email: {
        provider: 'smtp',
        sensitivity: 'personal',
        from: 'Test Hospital <post@hospital.example.org>',
      },
      sms: { provider: 'sms', sensitivity: 'neutral', from: 'Hospital' },
      app: { provider: 'inbox', sensitivity: 'health' },
    },
    campaigns: [...campaigns],
    templates: ['hello', 'later'].map((id) => ({
      id,
      hash: `${id}-1`,
      channels: {
        email: {
          sensitivity: 'personal',
          variables: [{ path: 'person.givenName', optional: true }],
          content: {
            nl: { subject: 'Onderwerp', html: `<p>${id}</p>`, text: id },
            en: { subject: 'Subject', html: `<p>${id}</p>`, text: id },
          },
        },
        sms: {
          sensitivity: 'neutral',
          variables: [],
          content: { nl: { text: id }, en: { text: id } },
        },
      },
    })),
  } satisfies BundleInput)
}

/** A campaign on discharge that says hello; what a test gives comes over it. */
export function campaign(over: Partial<CampaignInput> & { id: string }): CampaignInput {
  return {
    name: over.id,
    journey: 'stay',
    class: 'care',
    trigger: { touchpoint: 'care.discharge.completed.v1' },
    steps: [message('hello')],
    ...over,
  }
}

/** A message step whose id is its template's. */
export function message(
  template: 'hello' | 'later',
  over: Partial<Extract<CampaignFile['steps'][number], { message: unknown }>['message']> = {},
) {
  return { message: { id: template, template, ...over } }
}
