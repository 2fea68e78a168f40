import { type DefinitionBundle, definitionBundleSchema } from '@wegwijs/campaign/definition/bundle'
import type { z } from 'zod'

/**
 * A definition as small as a test can use: one touchpoint a road, each asking for exactly one
 * message that carries the `reference` of its event, so that what a provider accepted can be told
 * apart without looking into the database.
 */
const roads = {
  /** E-mail, at most once: held for a person when nobody knows whether it arrived. */
  mail: { class: 'care', channels: ['email'] },
  /** E-mail, at least once: resent once, marked. */
  again: { class: 'service', channels: ['email'] },
  /** SMS, at most once. */
  text: { class: 'care', channels: ['sms'] },
  /** SMS, at least once; the sandbox folds a repeat of a key. */
  remind: { class: 'service', channels: ['sms'] },
  /** The app's inbox. */
  note: { class: 'care', channels: ['app'] },
  /** E-mail, else SMS. */
  reach: { class: 'care', channels: ['email', 'sms'] },
  /** E-mail to who has said yes. */
  offer: { class: 'marketing', channels: ['email'] },
} as const
export type Road = keyof typeof roads

/** The type of event that asks for a message by this road. */
export function askFor(road: Road): string {
  return `care.${road}.asked.v1`
}

/** Who publishes, and whose ids people go by. */
export const source = 'urn:system-tests:ehr'
export const idSpace = 'ehr'

type Input = z.input<typeof definitionBundleSchema>
const inBoth = (words: string) => ({ nl: words, en: words })
const policy = (over: Partial<Input['policies']['classes']['care']>) => ({
  lane: 'transactional' as const,
  consent: 'implied' as const,
  unknownOutcome: 'at-most-once' as const,
  expires: 'PT6H',
  ...over,
})

export function clinic(): DefinitionBundle {
  return definitionBundleSchema.parse({
    touchpoints: {
      publishers: [{ source, idSpace, types: ['care.*', 'person.*', 'consent.*'] }],
      touchpoints: [
        ...Object.keys(roads).map((road) => ({
          type: askFor(road as Road),
          name: inBoth(`Asked: ${road}`),
          data: {
            reference: { type: 'text' as const, sensitivity: 'neutral' as const, required: true },
            ward: { type: 'text' as const, sensitivity: 'health' as const },
          },
        })),
        {
          type: 'care.appointment.moved.v1',
          name: inBoth('Appointment moved'),
          entity: 'appointment',
          data: { reference: { type: 'text', sensitivity: 'neutral', required: true } },
        },
      ],
    },
    personas: {
      personas: [
        {
          id: 'everybody',
          name: inBoth('Everybody'),
          description: 'There is one kind of people here',
          tone: 'plain',
          channels: ['email', 'sms', 'app'],
        },
      ],
    },
    journeys: {
      journeys: [
        { id: 'visit', name: inBoth('Visit'), phases: [{ id: 'here', name: inBoth('Here') }] },
      ],
    },
    attributes: { person: { remark: { type: 'text', sensitivity: 'personal' } } },
    policies: {
      organisation: {
        name: 'Test Clinic',
        phone: '088 000 00 00',
        website: 'https://clinic.example.org',
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
        from: 'Test Clinic <post@clinic.example.org>',
      },
      sms: { provider: 'sms-http', sensitivity: 'neutral', from: 'Clinic' },
      app: { provider: 'app-inbox', sensitivity: 'health' },
    },
    campaigns: [
      ...Object.entries(roads).map(([road, { class: kind, channels }]) => ({
        id: road,
        name: road,
        journey: 'visit',
        class: kind,
        trigger: { touchpoint: askFor(road as Road) },
        entry: 'every-time' as const,
        steps: [{ message: { id: road, template: 'message', channels: [...channels] } }],
      })),
      {
        id: 'moved',
        name: 'moved',
        journey: 'visit',
        class: 'care',
        trigger: { touchpoint: 'care.appointment.moved.v1' },
        entry: 'every-time',
        steps: [{ message: { id: 'moved', template: 'message', channels: ['sms'] } }],
      },
    ],
    templates: [message],
  } satisfies Input)
}

const reference = '{{event.reference}}'
const variable = (path: string, optional: boolean) => ({ path, optional })

/** Each channel tells as much as it may: names by e-mail, health by app, neither by SMS. */
const message: Input['templates'][number] = {
  id: 'message',
  hash: 'message-1',
  channels: {
    email: {
      sensitivity: 'personal',
      variables: [variable('event.reference', false), variable('person.givenName', true)],
      content: inBothLocales({
        subject: `Over ${reference}`,
        html: `<p>Dag {{#if person.givenName}}{{person.givenName}}{{/if}}, [${reference}]</p>`,
        text: `Dag {{#if person.givenName}}{{person.givenName}}{{/if}}, [${reference}]`,
      }),
    },
    sms: {
      sensitivity: 'neutral',
      variables: [variable('event.reference', false)],
      content: inBothLocales({ text: `Wij hebben nieuws voor u [${reference}]` }),
    },
    app: {
      sensitivity: 'health',
      variables: [variable('event.reference', false), variable('event.ward', true)],
      content: inBothLocales({
        title: 'Nieuws',
        body: `Afdeling {{#if event.ward}}{{event.ward}}{{/if}} [${reference}]`,
      }),
    },
  },
}

function inBothLocales(content: Record<string, string>) {
  return { nl: content, en: content }
}

/** The reference that a message carries. */
export function referenceIn(text: string): string {
  return /\[([^\]]+)\]/.exec(text)?.[1] ?? ''
}
