import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Field } from '@wegwijs/campaign/definition/field'
import { allowsSensitivity } from '@wegwijs/campaign/definition/words'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'
import { type Complaint, type Fault, unknownName } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { complaintAboutValue } from './condition.ts'
import { about, aboutKey, type Loaded, type Parts } from './parts.ts'

type At = { path: Path; fields: ReadonlyMap<string, Field>; parts: Parts }

/**
 * A field that a campaign sets: one that is there for that, with a value that it may have, from a field
 * that tells no more about the person than it does.
 */
export function checkSet(
  campaign: Loaded<CampaignFile>,
  step: Step,
  { path, fields, parts }: At,
): Fault[] {
  const { sets } = partsOf(step)
  const { attributes } = parts
  if (!sets || !attributes) return []
  const at = [...path, 'set']
  const known = attributes.value.campaigns
  const name = sets.field.slice('person.'.length)
  const field = Object.hasOwn(known, name) ? known[name] : undefined
  if (!field) {
    const names = Object.keys(known).map((each) => `person.${each}`)
    const isTold = Object.hasOwn(attributes.value.person, name)
    const complaint = isTold
      ? {
          message: `"${sets.field}" is what publishers tell: a campaign sets a field of "campaigns" in attributes.yaml`,
          found: sets.field,
        }
      : unknownName('field that campaigns may set', sets.field, names)
    return [about(campaign, [...at, 'field'], complaint)]
  }
  if (sets.from !== undefined) {
    const complaint = complaintAboutSource(sets.from, field, { fields, campaign })
    return complaint ? [about(campaign, [...at, 'from'], complaint)] : []
  }
  const complaint = sets.to === null ? undefined : complaintAboutValue(sets.to, field)
  return complaint ? [about(campaign, [...at, 'to'], complaint)] : []
}

/** What other systems are told: a type that may be told, with the data that it has. */
export function checkEmit(
  campaign: Loaded<CampaignFile>,
  step: Step,
  { path, fields, parts }: At,
): Fault[] {
  const { emits } = partsOf(step)
  const { touchpoints } = parts
  if (!emits || !touchpoints) return []
  const at = [...path, 'emit']
  const types = touchpoints.value.emits
  const type = types.find((each) => each.type === emits.type)
  if (!type) {
    const names = types.map((each) => each.type)
    return [
      about(campaign, [...at, 'type'], unknownName('type that may be told', emits.type, names)),
    ]
  }
  const given = Object.entries(emits.data).flatMap(([name, from]) => {
    const where = [...at, 'data', name]
    const field = Object.hasOwn(type.data, name) ? type.data[name] : undefined
    if (!field) {
      return [aboutKey(campaign, where, unknownName('field', name, Object.keys(type.data)))]
    }
    const complaint =
      typeof from === 'string'
        ? complaintAboutSource(from, field, { fields, campaign })
        : complaintAboutValue(from.value, field)
    return complaint ? [about(campaign, where, complaint)] : []
  })
  const missing = Object.entries(type.data)
    .filter(([name, { required }]) => required && !Object.hasOwn(emits.data, name))
    .map(([name]) =>
      about(campaign, [...at, 'type'], { message: `${type.type} is missing its "${name}"` }),
    )
  return [...given, ...missing]
}

/** What is copied must be known, of the same kind, and no more telling than where it goes. */
function complaintAboutSource(
  name: string,
  target: Field,
  { fields, campaign }: { fields: ReadonlyMap<string, Field>; campaign: Loaded<CampaignFile> },
): Complaint | undefined {
  const source = fields.get(name)
  if (!source) return unknownName('field', name, fields.keys())
  if (source.type !== target.type) {
    return { message: `${name} is a ${source.type}, expected a ${target.type}`, found: name }
  }
  if (campaign.value.class === 'marketing' && source.sensitivity === 'health') {
    return {
      message: `"${name}" tells about somebody's health, and marketing may not carry it on`,
      found: name,
    }
  }
  if (!allowsSensitivity(target.sensitivity, source.sensitivity)) {
    return {
      message: `${name} is ${source.sensitivity}, and where it goes bears at most ${target.sensitivity}`,
      found: name,
    }
  }
  const { values } = target
  const strange =
    values && (source.values ? source.values.find((each) => !values.includes(each)) : name)
  if (strange === undefined) return undefined
  return {
    message: `${name} may have other values than ${values?.join(', ')}`,
    found: name,
  }
}
