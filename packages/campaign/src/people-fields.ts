import type { Field } from './definition/field.ts'
import { recipientWords } from './definition/recipient-words.ts'
import {
  type CampaignClass,
  type ChannelName,
  campaignClasses,
  channelNames,
  type RelationKind,
  type RelationScope,
  relationKinds,
  relationScopes,
} from './definition/words.ts'

type Words = NonNullable<Field['label']>

const kinds: Readonly<Record<RelationKind, Words>> = {
  caregiver: { nl: 'een mantelzorger', en: 'a caregiver' },
  representative: { nl: 'een vertegenwoordiger', en: 'a representative' },
  parent: { nl: 'een ouder', en: 'a parent' },
}

const scopes: Readonly<Record<RelationScope, Words>> = {
  appointments: { nl: 'afspraken', en: 'appointments' },
  care: { nl: 'de zorg', en: 'the care' },
  news: { nl: 'nieuws', en: 'news' },
}

const classes: Readonly<Record<CampaignClass, Words>> = {
  care: { nl: 'zorg', en: 'care' },
  service: { nl: 'service', en: 'service' },
  marketing: { nl: 'marketing', en: 'marketing' },
  research: { nl: 'onderzoek', en: 'research' },
}

export const channelLabels: Readonly<Record<ChannelName, Words>> = {
  app: { nl: 'de app', en: 'the app' },
  email: { nl: 'e-mail', en: 'e-mail' },
  sms: { nl: 'sms', en: 'SMS' },
}

/** Who else there is, and what for: true or nothing at all. */
export const relationFields: readonly [string, Field][] = relationKinds.flatMap((kind) => {
  const who = kinds[kind]
  return [
    relationField(`relation.${kind}`, who),
    ...relationScopes.map((scope) =>
      relationField(`relation.${kind}.${scope}`, {
        nl: `${who.nl} voor ${scopes[scope].nl}`,
        en: `${who.en} for ${scopes[scope].en}`,
      }),
    ),
  ]
})

function relationField(name: string, label: Words): [string, Field] {
  return [name, { type: 'boolean', sensitivity: 'personal', required: false, label }]
}

/** What the person has said they want, of a class and of one channel of it. */
export const consentFields: readonly [string, Field][] = campaignClasses.flatMap((purpose) => {
  const of = classes[purpose]
  const label = { nl: `toestemming voor ${of.nl}`, en: `consent to ${of.en}` }
  return [
    consentField(`consent.${purpose}`, label),
    ...channelNames.map((channel) =>
      consentField(`consent.${purpose}.${channel}`, {
        nl: `${label.nl} via ${channelLabels[channel].nl}`,
        en: `${label.en} over ${channelLabels[channel].en}`,
      }),
    ),
  ]
})

function consentField(name: string, label: Words): [string, Field] {
  return [
    name,
    {
      type: 'text',
      sensitivity: 'personal',
      required: false,
      label,
      values: ['granted', 'withdrawn'],
      valueLabels: {
        granted: { nl: 'gegeven', en: 'given' },
        withdrawn: { nl: 'ingetrokken', en: 'withdrawn' },
      },
    },
  ]
}

/** Whoever gets a message, for its text: the person, or somebody else. */
export const recipientFields: readonly [string, Field][] = [
  [
    'recipient.as',
    {
      type: 'text',
      sensitivity: 'neutral',
      required: false,
      label: { nl: 'als wie de ontvanger het krijgt', en: 'as what the recipient gets it' },
      values: [...recipientWords],
    },
  ],
  [
    'recipient.givenName',
    {
      type: 'text',
      sensitivity: 'neutral',
      required: false,
      label: { nl: 'voornaam van de ontvanger', en: 'given name of the recipient' },
    },
  ],
  [
    'recipient.familyName',
    {
      type: 'text',
      sensitivity: 'personal',
      required: false,
      label: { nl: 'achternaam van de ontvanger', en: 'family name of the recipient' },
    },
  ],
]
