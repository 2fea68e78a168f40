import type { DefinitionBundle } from './definition/bundle.ts'
import type { CampaignFile } from './definition/campaign.ts'
import type { Field } from './definition/field.ts'
import { allowsSensitivity, channelNames } from './definition/words.ts'
import { channelLabels, consentFields, recipientFields, relationFields } from './people-fields.ts'
import { everyStep, partsOf } from './steps/registry.ts'
import type { Step } from './steps/step.ts'
import type { StepParts } from './steps/step-kind.ts'
import { triggerPartsOf } from './triggers/registry.ts'

type Fields = ReadonlyMap<string, Field>

const known = (
  type: Field['type'],
  sensitivity: Field['sensitivity'],
  label: NonNullable<Field['label']>,
  more: Pick<Field, 'values' | 'unit' | 'valueLabels'> = {},
): Field => ({ type, sensitivity, required: false, label, ...more })

/** What is known of every person, whatever the organisation adds in `attributes.yaml`. */
const personFields: readonly [string, Field][] = [
  ['person.givenName', known('text', 'neutral', { nl: 'voornaam', en: 'given name' })],
  ['person.familyName', known('text', 'personal', { nl: 'achternaam', en: 'family name' })],
  ['person.birthYear', known('number', 'personal', { nl: 'geboortejaar', en: 'year of birth' })],
  [
    'person.age',
    known(
      'number',
      'personal',
      { nl: 'leeftijd', en: 'age' },
      { unit: { nl: 'jaar', en: 'years' } },
    ),
  ],
  [
    'person.locale',
    known(
      'text',
      'neutral',
      { nl: 'taal', en: 'language' },
      {
        valueLabels: {
          nl: { nl: 'Nederlands', en: 'Dutch' },
          en: { nl: 'Engels', en: 'English' },
        },
      },
    ),
  ],
  ['person.persona', known('text', 'neutral', { nl: 'persona', en: 'persona' })],
  [
    'person.preferredChannel',
    known(
      'text',
      'neutral',
      { nl: 'liefste kanaal', en: 'preferred channel' },
      { values: [...channelNames], valueLabels: channelLabels },
    ),
  ],
]

/** Names of people are shown in messages to them, and nowhere else (P7). */
export const nameFields: ReadonlySet<string> = new Set(['person.givenName', 'person.familyName'])

const organisationFields: readonly [string, Field][] = [
  [
    'organisation.name',
    known('text', 'neutral', { nl: 'naam van de organisatie', en: 'name of the organisation' }),
  ],
  [
    'organisation.phone',
    known('text', 'neutral', {
      nl: 'telefoon van de organisatie',
      en: 'phone of the organisation',
    }),
  ],
  [
    'organisation.website',
    known('text', 'neutral', {
      nl: 'website van de organisatie',
      en: 'website of the organisation',
    }),
  ],
]

/** The fields that a persona's condition may name. */
export function personFieldsOf({ attributes, personas }: PersonSources): Fields {
  return new Map([
    ...personFields,
    ...(personas ? [['person.persona', personaField(personas)] as const] : []),
    ...withRoot('person', attributes.person),
    // A definition that was applied before there were any has none.
    ...withRoot('person', attributes.campaigns ?? {}),
  ])
}

/** Without `personas`, which may not have been readable, nobody says which there are. */
type PersonSources = Pick<DefinitionBundle, 'attributes'> &
  Partial<Pick<DefinitionBundle, 'personas'>>

function personaField({ personas }: DefinitionBundle['personas']): Field {
  return known(
    'text',
    'neutral',
    { nl: 'persona', en: 'persona' },
    {
      values: personas.map(({ id }) => id),
      valueLabels: Object.fromEntries(personas.map(({ id, name }) => [id, name])),
    },
  )
}

/**
 * The fields that the conditions, moments and (with `organisation.*`) templates of a campaign may
 * name: roots `person`, `event` (the trigger, or what `about` names), `entity` (of the trigger),
 * `enrolment`, `journey`, `relation` and `consent`.
 */
export function campaignFieldsOf(
  definition: PersonSources & Pick<DefinitionBundle, 'touchpoints' | 'journeys'>,
  campaign: CampaignFile,
  about: string | undefined = triggerPartsOf(campaign.trigger).touchpoint?.type,
): Fields {
  const { touchpoints } = definition.touchpoints
  const find = (type: string | undefined) => touchpoints.find((each) => each.type === type)
  const entity = entityTypeOf(definition, campaign)
  const sharers = entity ? touchpoints.filter((touchpoint) => touchpoint.entity === entity) : []
  return new Map([
    ...personFieldsOf(definition),
    ...relationFields,
    ...consentFields,
    ...withRoot('event', find(about)?.data ?? {}),
    ...sharers.flatMap((touchpoint) => withRoot('entity', touchpoint.data)),
    ...everyStep(campaign.steps)
      .flatMap((step) => partsOf(step).fields ?? [])
      .map(([name, field]): [string, Field] => [`enrolment.${name}`, field]),
    ...definition.journeys.journeys.map((journey): [string, Field] => [
      `journey.${journey.id}.phase`,
      known(
        'text',
        'health',
        { nl: `fase van "${journey.name.nl}"`, en: `phase of "${journey.name.en}"` },
        {
          values: journey.phases.map((phase) => phase.id),
          valueLabels: Object.fromEntries(journey.phases.map(({ id, name }) => [id, name])),
        },
      ),
    ]),
  ])
}

/**
 * What the template of a question may show of it: `question.text`, `question.url`, and of each answer its
 * `url`, what it `says`, and the `word` for it when it can be given by SMS.
 */
function questionFieldsOf({ question }: NonNullable<StepParts['message']>): [string, Field][] {
  if (!question) return []
  const shown = (name: string): [string, Field] => [
    name,
    { type: 'text', sensitivity: 'neutral', required: true },
  ]
  return [
    shown('question.text'),
    shown('question.url'),
    ...question.answers.flatMap(({ answer, words }) =>
      ['url', 'says', ...(words ? ['word'] : [])].map((part) => shown(`answers.${answer}.${part}`)),
    ),
  ]
}

/** The type of the entity that a campaign sees, if its trigger brings one. */
export function entityTypeOf(
  { touchpoints: { touchpoints } }: Pick<DefinitionBundle, 'touchpoints'>,
  { trigger }: CampaignFile,
): string | undefined {
  const { touchpoint, entity } = triggerPartsOf(trigger)
  return entity?.type ?? touchpoints.find(({ type }) => type === touchpoint?.type)?.entity
}

/**
 * Every field that any of these campaigns may name, whatever it is about: where two fields have one name,
 * the more telling one counts.
 */
export function everyFieldOf(
  definition: PersonSources & Pick<DefinitionBundle, 'touchpoints' | 'journeys'>,
  campaigns: readonly CampaignFile[],
): Fields {
  const every = new Map<string, Field>()
  const types = definition.touchpoints.touchpoints.map(({ type }) => type)
  for (const campaign of campaigns)
    for (const fields of types.map((type) => campaignFieldsOf(definition, campaign, type)))
      for (const [name, field] of fields) {
        const known = every.get(name)
        if (!known || !allowsSensitivity(known.sensitivity, field.sensitivity))
          every.set(name, field)
      }
  return every
}

/** The fields that a template used by `campaign` may show. */
export function templateFieldsOf(
  definition: PersonSources & Pick<DefinitionBundle, 'touchpoints' | 'journeys'>,
  campaign: CampaignFile,
): Fields {
  const shown = [...campaignFieldsOf(definition, campaign)].filter(([name]) => !isAsked(name))
  return new Map([
    ...shown,
    ...recipientFields,
    ...organisationFields,
    ...everyStep(campaign.steps).flatMap((step) => {
      const { message } = partsOf(step)
      return message ? questionFieldsOf(message) : []
    }),
  ])
}

/** What is there to be asked, and not to be read out to anybody: of a run only what became of its messages is. */
function isAsked(name: string): boolean {
  return (
    name.startsWith('relation.') ||
    name.startsWith('consent.') ||
    (name.startsWith('enrolment.') && !name.endsWith('.status'))
  )
}

/** Ids of the templates that the messages of these steps use, each once. */
export function messageTemplatesOf(steps: readonly Step[]): string[] {
  return [...new Set(everyStep(steps).flatMap((step) => partsOf(step).templates ?? []))]
}

function withRoot(root: string, fields: Readonly<Record<string, Field>>): [string, Field][] {
  return Object.entries(fields).map(([name, field]) => [`${root}.${name}`, field])
}
