import { campaignFieldsOf } from '@wegwijs/campaign/catalogue'
import type { Condition } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Field } from '@wegwijs/campaign/definition/field'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import { type Fault, unknownName } from '../fault.ts'
import { checkCondition } from './condition.ts'
import { checkHappened } from './happened.ts'
import { checkChoice } from './marketing.ts'
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
        ...checkChoice(campaign, path, condition, { fields: known, parts }),
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
  const message = `${name} is a ${field.type}, no moment`
  return [about(campaign, path, { message, found: name })]
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
