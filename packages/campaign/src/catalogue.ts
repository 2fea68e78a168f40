import type { DefinitionBundle } from './definition/bundle.ts'
import type { CampaignFile } from './definition/campaign.ts'
import type { Field } from './definition/field.ts'
import { everyStep, partsOf } from './steps/registry.ts'
import type { Step } from './steps/step.ts'
import { triggerPartsOf } from './triggers/registry.ts'

type Fields = ReadonlyMap<string, Field>

const known = (
  type: Field['type'],
  sensitivity: Field['sensitivity'],
  values?: string[],
): Field => ({
  type,
  sensitivity,
  required: false,
  ...(values ? { values } : {}),
})

/** What is known of every person, whatever the organisation adds in `policies.yaml`. */
const personFields: readonly [string, Field][] = [
  ['person.givenName', known('text', 'neutral')],
  ['person.familyName', known('text', 'personal')],
  ['person.birthYear', known('number', 'personal')],
  ['person.age', known('number', 'personal')],
  ['person.locale', known('text', 'neutral')],
  ['person.persona', known('text', 'neutral')],
]

const organisationFields: readonly [string, Field][] = [
  ['organisation.name', known('text', 'neutral')],
  ['organisation.phone', known('text', 'neutral')],
  ['organisation.website', known('text', 'neutral')],
]

/** The fields that a persona's condition may name. */
export function personFieldsOf(definition: Pick<DefinitionBundle, 'policies'>): Fields {
  return new Map([...personFields, ...withRoot('person', definition.policies.person)])
}

/**
 * The fields that the conditions, moments and (with `organisation.*`) templates of a campaign may
 * name: roots `person`, `event` (the trigger, or what `about` names), `entity` (of the trigger),
 * `enrolment`, `journey`.
 */
export function campaignFieldsOf(
  definition: Pick<DefinitionBundle, 'policies' | 'touchpoints' | 'journeys'>,
  campaign: CampaignFile,
  about: string | undefined = triggerPartsOf(campaign.trigger).touchpoint?.type,
): Fields {
  const { touchpoints } = definition.touchpoints
  const find = (type: string | undefined) => touchpoints.find((each) => each.type === type)
  const trigger = find(triggerPartsOf(campaign.trigger).touchpoint?.type)
  const sharers = trigger?.entity
    ? touchpoints.filter((touchpoint) => touchpoint.entity === trigger.entity)
    : []
  return new Map([
    ...personFieldsOf(definition),
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
        journey.phases.map((phase) => phase.id),
      ),
    ]),
  ])
}

/** The fields that a template used by `campaign` may show. */
export function templateFieldsOf(
  definition: Pick<DefinitionBundle, 'policies' | 'touchpoints' | 'journeys'>,
  campaign: CampaignFile,
): Fields {
  return new Map([...campaignFieldsOf(definition, campaign), ...organisationFields])
}

/** Ids of the templates that the messages of these steps use, each once. */
export function messageTemplatesOf(steps: readonly Step[]): string[] {
  return [...new Set(everyStep(steps).flatMap((step) => partsOf(step).template ?? []))]
}

function withRoot(root: string, fields: Readonly<Record<string, Field>>): [string, Field][] {
  return Object.entries(fields).map(([name, field]) => [`${root}.${name}`, field])
}
