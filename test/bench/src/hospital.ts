import { type DefinitionBundle, definitionBundleSchema } from '@wegwijs/campaign/definition/bundle'
import type { z } from 'zod'
import { paragraphs } from './texts.ts'

/**
 * A hospital with as many live campaigns as are asked for. Each has a kind of touchpoint and a
 * persona of its own, a condition on the event and one on the person; every third goes on after its
 * message with a wait and a second one. So an event meets exactly one campaign, however many there
 * are, and a message is planned when both conditions hold.
 */
export function hospital(campaigns: number): DefinitionBundle {
  return definitionBundleSchema.parse({
    touchpoints: {
      publishers: [{ source, idSpace, types: ['care.*', 'person.*', 'consent.*'] }],
      touchpoints: Array.from({ length: touchpointsOf(campaigns) }, (_, index) => ({
        type: touchpointType(index),
        name: inBoth(`Visit to department ${index}`),
        journey: 'visit',
        phase: 'treatment',
        data: {
          reference: { type: 'text' as const, sensitivity: 'neutral' as const, required: true },
          department: { type: 'text' as const, sensitivity: 'personal' as const },
          firstVisit: { type: 'boolean' as const, sensitivity: 'personal' as const },
        },
      })),
    },
    personas: {
      personas: Array.from({ length: personas }, (_, index) => ({
        id: `persona-${index}`,
        name: inBoth(`Born after ${bornAfter(index)}`),
        description: 'People of one decade',
        tone: 'plain',
        channels: ['sms' as const, 'email' as const],
        ...(index === personas - 1
          ? {}
          : {
              when: {
                field: 'person.birthYear',
                op: 'gte' as const,
                value: bornAfter(index),
              },
            }),
      })),
    },
    journeys: {
      journeys: [
        {
          id: 'visit',
          name: inBoth('Visit'),
          phases: [
            { id: 'intake', name: inBoth('Intake') },
            { id: 'treatment', name: inBoth('Treatment') },
          ],
        },
      ],
    },
    attributes: {},
    policies: {
      organisation: {
        name: 'Bench Hospital',
        phone: '088 000 00 00',
        website: 'https://hospital.example.org',
      },
      timeZone: 'Europe/Amsterdam',
      locale: 'nl',
      holidays: 'NL',
      classes: {
        care: policy({}),
        service: policy({ lane: 'standard', unknownOutcome: 'at-least-once' }),
        marketing: policy({ lane: 'bulk', consent: 'required' }),
        research: policy({ lane: 'bulk', consent: 'required' }),
      },
    },
    channels: {
      email: {
        provider: 'smtp',
        sensitivity: 'personal',
        from: 'Bench Hospital <post@hospital.example.org>',
      },
      sms: { provider: 'sms-http', sensitivity: 'personal', from: 'Hospital' },
      app: { provider: 'app-inbox', sensitivity: 'health' },
    },
    campaigns: Array.from({ length: campaigns }, (_, index) => campaign(index)),
    templates: [template('visit'), template('afterwards')],
  } satisfies Input)
}

type Input = z.input<typeof definitionBundleSchema>
type Policy = Input['policies']['classes']['care']

export const source = 'urn:bench:ehr'
export const idSpace = 'ehr'
/** The campaign, version and template of messages that are planted. */
export const planted = { campaignId: campaignId(0), template: 'visit', templateHash: 'visit-1' }

const personas = 10

/** The kinds of touchpoint of a hospital with so many campaigns. */
export function touchpointsOf(campaigns: number): number {
  return Math.ceil(campaigns / personas)
}

export function touchpointType(index: number): string {
  return `care.visit-${index}.completed.v1`
}

/** The year of birth of the person of this number: people are spread over the personas. */
export function birthYear(person: number): number {
  return bornAfter(person % personas) + 5
}

function bornAfter(persona: number): number {
  return 2010 - 10 * persona
}

function campaignId(index: number): string {
  return `campaign-${index}`
}

function campaign(index: number): Input['campaigns'][number] {
  const message = (id: 'visit' | 'afterwards') => ({
    message: { id, template: id, channels: ['sms' as const] },
  })
  const goesOn = index % 3 === 0
  const steps: Input['campaigns'][number]['steps'] = goesOn
    ? [message('visit'), { wait: { for: 'P14D', on: 'any-day' as const } }, message('afterwards')]
    : [message('visit')]
  return {
    id: campaignId(index),
    name: `Campaign ${index}`,
    journey: 'visit',
    class: 'care',
    trigger: {
      touchpoint: touchpointType(Math.floor(index / personas)),
      where: { field: 'event.firstVisit', op: 'eq', value: true },
    },
    audience: {
      personas: [`persona-${index % personas}`],
      where: {
        all: [
          { field: 'person.birthYear', op: 'gte', value: 1900 },
          { field: 'event.department', op: 'in', value: ['cardiology', 'surgery', 'paediatrics'] },
        ],
      },
    },
    entry: 'every-time',
    steps,
  }
}

function policy(over: Partial<Policy>): Policy {
  return {
    lane: 'transactional',
    consent: 'implied',
    unknownOutcome: 'at-most-once',
    expires: 'P30D',
    ...over,
  }
}

function inBoth(words: string) {
  return { nl: words, en: words }
}

/** Texts as long as those of the bare pipeline (bare/bare.ts). */
function template(id: string): Input['templates'][number] {
  const variables = [
    { path: 'person.givenName', optional: false },
    { path: 'event.department', optional: false },
    { path: 'event.reference', optional: false },
  ]
  const sms =
    'Beste {{person.givenName}}, dank voor uw bezoek aan de afdeling {{event.department}}. Lees wat u thuis kunt verwachten op hospital.example.org/na/{{event.reference}}'
  const email = {
    subject: 'Uw bezoek aan de afdeling {{event.department}}',
    html: `<!doctype html><html><body><p>Beste {{person.givenName}},</p>${paragraphs('<p>', '</p>')}<p>{{event.department}} {{event.reference}}</p></body></html>`,
    text: `Beste {{person.givenName}},\n\n${paragraphs('', '\n\n')}{{event.department}} {{event.reference}}\n`,
  }
  return {
    id,
    hash: `${id}-1`,
    channels: {
      sms: { sensitivity: 'personal', variables, content: inBothLocales({ text: sms }) },
      email: { sensitivity: 'personal', variables, content: inBothLocales(email) },
    },
  }
}

function inBothLocales<Content>(content: Content) {
  return { nl: content, en: content }
}
