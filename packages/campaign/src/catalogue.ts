import type { DefinitionBundle } from './definition/bundle.ts'
import type { CampaignFile } from './definition/campaign.ts'
import type { Field } from './definition/field.ts'
import { type Step, stepsInside } from './steps/registry.ts'

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

const messageStatuses = [
  'planned',
  'queued',
  'sending',
  'sent',
  'delivered',
  'bounced',
  'skipped',
  'cancelled',
  'expired',
  'failed',
  'held',
]

/** The fields that a persona's condition may name. */
export function personFieldsOf(definition: Pick<DefinitionBundle, 'policies'>): Fields {
  return new Map([...personFields, ...withRoot('person', definition.policies.person)])
}

/**
 * The fields that the conditions, moments and (with `organisation.*`) templates of a campaign may
 * name: roots `person`, `event` (the trigger), `entity` (of the trigger), `enrolment`, `journey`.
 */
export function campaignFieldsOf(
  definition: Pick<DefinitionBundle, 'policies' | 'touchpoints' | 'journeys'>,
  campaign: CampaignFile,
): Fields {
  const { touchpoints } = definition.touchpoints
  const trigger = touchpoints.find((touchpoint) => touchpoint.type === campaign.trigger.touchpoint)
  const sharers = trigger?.entity
    ? touchpoints.filter((touchpoint) => touchpoint.entity === trigger.entity)
    : []
  return new Map([
    ...personFieldsOf(definition),
    ...withRoot('event', trigger?.data ?? {}),
    ...sharers.flatMap((touchpoint) => withRoot('entity', touchpoint.data)),
    ...messageIdsOf(campaign.steps).map((id): [string, Field] => [
      `enrolment.${id}.status`,
      known('text', 'neutral', messageStatuses),
    ]),
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

/** Ids of all message steps, in the order of the text, whatever branch they stand in. */
export function messageIdsOf(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    if ('message' in step) return [step.message.id]
    return stepsInside(step).flatMap((inside) => messageIdsOf(inside.steps))
  })
}

/** Ids of the templates that the messages of these steps use, each once. */
export function messageTemplatesOf(steps: readonly Step[]): string[] {
  const all = steps.flatMap((step) => {
    if ('message' in step) return [step.message.template]
    return stepsInside(step).flatMap((inside) => messageTemplatesOf(inside.steps))
  })
  return [...new Set(all)]
}

function withRoot(root: string, fields: Readonly<Record<string, Field>>): [string, Field][] {
  return Object.entries(fields).map(([name, field]) => [`${root}.${name}`, field])
}
