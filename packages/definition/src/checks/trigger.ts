import type { Condition } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Field } from '@wegwijs/campaign/definition/field'
import type { Touchpoint } from '@wegwijs/campaign/definition/touchpoints'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import { type Fault, unknownName } from '../fault.ts'
import { complaintAboutValue } from './condition.ts'
import { about, type Loaded, type Parts } from './parts.ts'

/**
 * The touchpoint whose data and entity a campaign sees: null when its trigger is of a kind that has
 * none, undefined when it is not known.
 */
export function triggerOf(
  campaign: Loaded<CampaignFile>,
  { touchpoints }: Parts,
): Touchpoint | null | undefined {
  const { touchpoint } = triggerPartsOf(campaign.value.trigger)
  if (!touchpoint) return null
  return touchpoints?.value.touchpoints.find(({ type }) => type === touchpoint.type)
}

/** The condition of the trigger, if its kind has one. */
export function whereOf({ trigger }: CampaignFile): Condition | undefined {
  return triggerPartsOf(trigger).where?.condition
}

/** A trigger on a field of the person: one that there is, and values that it can have. */
export function checkAttribute(
  campaign: Loaded<CampaignFile>,
  fields: ReadonlyMap<string, Field>,
): Fault[] {
  const { attribute } = triggerPartsOf(campaign.value.trigger)
  if (!attribute) return []
  const at = (path: readonly (string | number)[]) => ['trigger', ...path]
  const stored = [...fields].filter(([name]) => name.startsWith('person.') && !isDerived(name))
  const field = new Map(stored).get(attribute.field)
  if (!field) {
    const names = stored.map(([name]) => name)
    return [about(campaign, at(attribute.path), unknownName('field', attribute.field, names))]
  }
  const isOfHealth = field.sensitivity === 'health' && campaign.value.class === 'marketing'
  return [
    ...(isOfHealth
      ? [
          about(campaign, at(attribute.path), {
            message: `"${attribute.field}" tells about somebody's health, and marketing may not choose people by it`,
            found: attribute.field,
          }),
        ]
      : []),
    ...attribute.values.flatMap(({ path, value }) => {
      const complaint = complaintAboutValue(value, field)
      return complaint ? [about(campaign, at(path), complaint)] : []
    }),
  ]
}

/** They follow from others, or from the calendar: no profile says that they changed. */
function isDerived(field: string): boolean {
  return ['person.age', 'person.persona', 'person.locale'].includes(field)
}
