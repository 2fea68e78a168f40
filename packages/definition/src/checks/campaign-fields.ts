import { campaignFieldsOf, personFieldsOf } from '@wegwijs/campaign/catalogue'
import { type Condition, leavesOf } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Field } from '@wegwijs/campaign/definition/field'
import type { Persona } from '@wegwijs/campaign/definition/personas'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import { type Fault, unknownName } from '../fault.ts'
import { checkCondition } from './condition.ts'
import { checkHappened, healthInHistory } from './happened.ts'
import { about, type Loaded, type Parts } from './parts.ts'
import {
  checkAttribute,
  checkBecomes,
  checkDate,
  checkDateOfPerson,
  checkRemembered,
  hasEntity,
  type MomentAt,
  whereOf,
} from './trigger.ts'
import { stepsOf } from './walk.ts'

export function checkFields(campaign: Loaded<CampaignFile>, parts: Parts): Fault[] {
  const fields = fieldsOf(campaign, parts)
  if (!fields) return []
  // Before somebody is enrolled there are no messages whose status could be asked.
  const before = new Map([...fields].filter(([name]) => !name.startsWith('enrolment.')))
  return [
    ...checkAttribute(campaign, fields),
    ...checkBecomes(campaign, before),
    ...checkDate(campaign, fields, parts),
    ...checkRemembered(campaign, parts),
    ...conditionsOf(campaign.value).flatMap(({ condition, path, isEntry, about: type }) => {
      const own = type === null ? fields : fieldsOf(campaign, parts, type)
      const known = isEntry ? before : (own ?? fields)
      return [
        ...checkCondition(campaign, path, condition, known),
        ...checkHappened(campaign, path, condition, parts),
        ...checkMarketing(campaign, path, condition, { fields: known, parts }),
      ]
    }),
    ...momentsOf(campaign.value).flatMap((moment) =>
      moment.field.startsWith('person.')
        ? checkDateOfPerson(campaign, moment, fields, parts)
        : checkMoment(campaign, moment, { fields, hasEntity: hasEntity(campaign, parts) }),
    ),
  ]
}

function checkMoment(
  campaign: Loaded<CampaignFile>,
  { path, field: name }: MomentAt,
  { fields, hasEntity }: { fields: ReadonlyMap<string, Field>; hasEntity: boolean },
): Fault[] {
  if (name.startsWith('entity.') && !hasEntity) return []
  const field = fields.get(name)
  const instants = [...fields].flatMap(([known, { type }]) => (type === 'instant' ? [known] : []))
  if (!field) return [about(campaign, path, unknownName('moment', name, instants))]
  if (field.type === 'instant') return []
  const complaint = unknownName('moment', name, instants)
  return [about(campaign, path, { ...complaint, message: `${name} is a ${field.type}, no moment` })]
}

/** Marketing never chooses people by their health. */
function checkMarketing(
  campaign: Loaded<CampaignFile>,
  path: (string | number)[],
  condition: Condition,
  { fields, parts }: { fields: ReadonlyMap<string, Field>; parts: Parts },
): Fault[] {
  if (campaign.value.class !== 'marketing') return []
  const ofHealth = [...healthFields(condition, fields), ...healthInHistory(condition, parts)]
  return ofHealth.map(({ field, path: within }) =>
    about(campaign, [...path, ...within, 'field'], {
      message: `"${field}" tells about somebody's health, and marketing may not choose people by it`,
      found: field,
    }),
  )
}

/** Nor by a persona that is made of it. */
export function checkMarketingPersonas(campaign: Loaded<CampaignFile>, parts: Parts): Fault[] {
  const { personas, attributes } = parts
  const { audience } = campaign.value
  if (campaign.value.class !== 'marketing' || !personas || !attributes) return []
  const fields = personFieldsOf({ attributes: attributes.value })
  const isOfHealth = (persona: Persona | undefined) =>
    persona?.when !== undefined &&
    (healthFields(persona.when, fields).length > 0 ||
      healthInHistory(persona.when, parts).length > 0)
  return (audience.personas ?? []).flatMap((name, index) => {
    if (!isOfHealth(personas.value.personas.find(({ id }) => id === name))) return []
    const message = `the persona "${name}" hangs on somebody's health, and marketing may not choose people by it`
    return [about(campaign, ['audience', 'personas', index], { message, found: name })]
  })
}

function healthFields(condition: Condition, fields: ReadonlyMap<string, Field>) {
  return leavesOf(condition)
    .filter(({ leaf }) => fields.get(leaf.field)?.sensitivity === 'health')
    .map(({ leaf, path }) => ({ field: leaf.field, path }))
}

/** `about`: the touchpoint whose data `event` is there; null for the one that began the enrolment. */
type ConditionAt = {
  condition: Condition
  path: (string | number)[]
  isEntry: boolean
  about: string | null
}

export function conditionsOf(file: CampaignFile): ConditionAt[] {
  const { audience, exit, goal, steps } = file
  const entry = (condition: Condition | undefined, path: (string | number)[]): ConditionAt[] =>
    condition ? [{ condition, path, isEntry: true, about: null }] : []
  const later = (
    { touchpoint, where }: { touchpoint: string; where?: Condition | undefined },
    path: (string | number)[],
  ): ConditionAt[] => (where ? [{ condition: where, path, isEntry: false, about: touchpoint }] : [])
  return [
    ...entry(whereOf(file), ['trigger', ...(triggerPartsOf(file.trigger).where?.path ?? [])]),
    ...entry(audience.where, ['audience', 'where']),
    ...exit.flatMap((each, index) => later(each, ['exit', index, 'where'])),
    ...(goal ? later(goal, ['goal', 'where']) : []),
    ...stepsOf(steps).flatMap(({ step, path }) => {
      const { arms = [], conditions = [] } = partsOf(step)
      const ofArms = arms.flatMap(({ when }) => (when ? [{ ...when, about: null }] : []))
      return [...ofArms, ...conditions].map(({ condition, path: within, about: type }) => ({
        condition,
        path: [...path, ...within],
        isEntry: false,
        about: type,
      }))
    }),
  ]
}

/** Every field that a campaign uses as a moment, with the path to its name. */
export function momentsOf({ steps }: CampaignFile): MomentAt[] {
  return stepsOf(steps).flatMap(({ step, path }) =>
    (partsOf(step).moments ?? []).map(({ field, path: within, around }) => ({
      field,
      path: [...path, ...within],
      hasTime: around?.hasTime ?? false,
      span: around?.span ? { ...around.span, path: [...path, ...around.span.path] } : null,
    })),
  )
}

/**
 * Every field that a campaign may name, and the personas there are; `event` is what began it, or what
 * `type` names. Undefined when a file is missing.
 */
export function fieldsOf(
  campaign: Loaded<CampaignFile>,
  parts: Parts,
  type?: string,
): ReadonlyMap<string, Field> | undefined {
  const { touchpoints, attributes, journeys, personas } = parts
  if (!touchpoints || !attributes || !journeys) return undefined
  const sources = {
    touchpoints: touchpoints.value,
    attributes: attributes.value,
    journeys: journeys.value,
    ...(personas ? { personas: personas.value } : {}),
  }
  return campaignFieldsOf(sources, campaign.value, type)
}
