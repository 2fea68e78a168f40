import { entityTypeOf } from '@wegwijs/campaign/catalogue'
import { type Condition, leavesOf } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Field } from '@wegwijs/campaign/definition/field'
import type { Touchpoint } from '@wegwijs/campaign/definition/touchpoints'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import type { TriggerParts } from '@wegwijs/campaign/triggers/trigger-kind'
import { type Fault, unknownName } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { complaintAboutValue } from './condition.ts'
import { about, isMended, type Loaded, type Parts } from './parts.ts'

/**
 * The touchpoint whose data and entity a campaign sees: null when its trigger is of a kind that has
 * none, undefined when it is not known.
 */
export function triggerOf(
  campaign: Loaded<CampaignFile>,
  { touchpoints }: Parts,
): Touchpoint | null | undefined {
  const { touchpoint } = triggerPartsOf(campaign.value.trigger)
  if (!touchpoint) return isMended(campaign, ['trigger']) ? undefined : null
  return touchpoints?.value.touchpoints.find(({ type }) => type === touchpoint.type)
}

/** Whether an appointment, a stay or the like comes with it. */
export function hasEntity(campaign: Loaded<CampaignFile>, { touchpoints }: Parts): boolean {
  return (
    touchpoints !== undefined &&
    entityTypeOf({ touchpoints: touchpoints.value }, campaign.value) !== undefined
  )
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
  return [
    ...checkHealth(campaign, at(attribute.path), attribute.field, field),
    ...attribute.values.flatMap(({ path, value }) => {
      const complaint = complaintAboutValue(value, field)
      return complaint ? [about(campaign, at(path), complaint)] : []
    }),
    ...fromAndToTheSame(campaign, attribute.values),
  ]
}

/** A profile that says the same again changes nothing. */
function fromAndToTheSame(
  campaign: Loaded<CampaignFile>,
  [from, to]: NonNullable<TriggerParts['attribute']>['values'],
): Fault[] {
  if (!from || !to || from.value !== to.value) return []
  const found = String(to.value)
  const message = `nothing changes from ${JSON.stringify(from.value)} to ${JSON.stringify(to.value)}: expected two values, or one of "from" and "to" alone`
  return [about(campaign, ['trigger', ...to.path], { message, found })]
}

/** A trigger on what becomes of a person: nothing that changes without an event, or without a window. */
export function checkBecomes(
  campaign: Loaded<CampaignFile>,
  fields: ReadonlyMap<string, Field>,
): Fault[] {
  const { becomes, where } = triggerPartsOf(campaign.value.trigger)
  if (!becomes || !where) return []
  const path = ['trigger', ...where.path]
  return leavesOf(where.condition, path).flatMap(({ leaf, path: at }) => {
    const isStored = leaf.field.startsWith('person.') && !isDerived(leaf.field)
    // What there is not is told where all conditions are looked at.
    if (fields.has(leaf.field) && !isStored) {
      const message = `"${leaf.field}" is not said by a profile, so nobody hears of it when it changes`
      return [about(campaign, [...at, 'field'], { message, found: leaf.field })]
    }
    if (leaf.op !== 'within' && leaf.op !== 'daysUntil') return []
    const message = `"${leaf.op}" hangs on the calendar: a campaign that a date starts says "date"`
    return [about(campaign, [...at, 'op'], { message, found: leaf.op })]
  })
}

/** What campaigns remember begins nothing (`set`): a trigger on it would wait for ever. */
export function checkRemembered(campaign: Loaded<CampaignFile>, { attributes }: Parts): Fault[] {
  const { attribute, date, becomes, where } = triggerPartsOf(campaign.value.trigger)
  const asked = [
    ...(attribute ? [{ path: attribute.path, field: attribute.field }] : []),
    ...(date ? [{ path: date.path, field: date.field }] : []),
    ...(becomes && where
      ? leavesOf(where.condition, [...where.path]).map(({ leaf, path }) => ({
          path: [...path, 'field'],
          field: leaf.field,
        }))
      : []),
  ]
  return asked.flatMap(({ path, field }) => {
    const name = field.startsWith('person.') ? field.slice('person.'.length) : ''
    if (!Object.hasOwn(attributes?.value.campaigns ?? {}, name)) return []
    const message = `"${field}" is what campaigns remember, and that starts nothing: ask for it in "audience"`
    return [about(campaign, ['trigger', ...path], { message, found: field })]
  })
}

/** A trigger on a date: a field that there is and that holds one, and enough said to know its moment. */
export function checkDate(
  campaign: Loaded<CampaignFile>,
  fields: ReadonlyMap<string, Field>,
  { touchpoints }: Parts,
): Fault[] {
  const { date, entity } = triggerPartsOf(campaign.value.trigger)
  if (!date) return []
  const at = (path: readonly (string | number)[]) => ['trigger', ...path]
  const types = touchpoints?.value.touchpoints.flatMap((each) => each.entity ?? []) ?? []
  if (entity && !types.includes(entity.type))
    return [about(campaign, at(entity.path), unknownName('entity', entity.type, types))]
  const [root] = date.field.split('.')
  const asWritten = (name: string) => (root === 'entity' ? name.slice('entity.'.length) : name)
  const own = [...fields].filter(([name]) => name.startsWith(`${root}.`))
  const dates = own.filter(([, { type }]) => type === 'instant' || type === 'date')
  const names = dates.map(([name]) => asWritten(name))
  const found = asWritten(date.field)
  const field = fields.get(date.field)
  if (!field) return [about(campaign, at(date.path), unknownName('date', found, names))]
  if (!isDated(field.type)) {
    const message = `${found} is a ${field.type}, no date`
    return [about(campaign, at(date.path), { message, found })]
  }
  return [
    ...checkHealth(campaign, at(date.path), date.field, field),
    ...(field.type === 'date'
      ? checkDay(campaign, {
          path: at(date.path),
          field: found,
          span: date.span && { ...date.span, path: at(date.span.path) },
          hasTime: date.hasTime,
        })
      : []),
  ]
}

/** A wait for a date of the person: what a profile says, so that it moves with every one that says otherwise. */
export function checkDateOfPerson(
  campaign: Loaded<CampaignFile>,
  moment: MomentAt,
  fields: ReadonlyMap<string, Field>,
  { attributes }: Parts,
): Fault[] {
  const { path, field: name } = moment
  const remembered = attributes?.value.campaigns ?? {}
  const isRemembered = (each: string) => Object.hasOwn(remembered, each.slice('person.'.length))
  const dates = [...fields].flatMap(([each, { type }]) =>
    each.startsWith('person.') && isDated(type) && !isRemembered(each) ? [each] : [],
  )
  const field = fields.get(name)
  if (!field) return [about(campaign, path, unknownName('date', name, dates))]
  if (!isDated(field.type))
    return [about(campaign, path, { message: `${name} is a ${field.type}, no date`, found: name })]
  if (isRemembered(name)) {
    const message = `"${name}" is what campaigns remember, and moves no wait: wait for what a profile says`
    return [about(campaign, path, { message, found: name })]
  }
  return [
    ...checkHealth(campaign, path, name, field),
    ...(field.type === 'date' ? checkDay(campaign, moment) : []),
  ]
}

function isDated(type: Field['type']): boolean {
  return type === 'instant' || type === 'date'
}

/** A field that is used as a moment, and how far from it, with the paths in the file. */
export type MomentAt = {
  readonly field: string
  readonly path: Path
  readonly hasTime: boolean
  readonly span: { readonly path: Path; readonly duration: string } | null
}

/** A calendar day has no time of day. */
function checkDay(
  campaign: Loaded<CampaignFile>,
  { path, field: found, span, hasTime }: MomentAt,
): Fault[] {
  const timed = span && /T/.test(span.duration) ? span : null
  return [
    ...(hasTime
      ? []
      : [
          about(campaign, path, {
            message: `${found} is a calendar day, which has no time of day: say at which time with "at"`,
            found,
          }),
        ]),
    ...(timed
      ? [
          about(campaign, timed.path, {
            message: `${found} is a calendar day, which is moved by whole days only`,
            found: timed.duration,
          }),
        ]
      : []),
  ]
}

function checkHealth(
  campaign: Loaded<CampaignFile>,
  path: Path,
  name: string,
  { sensitivity }: Field,
): Fault[] {
  if (sensitivity !== 'health' || campaign.value.class !== 'marketing') return []
  const message = `"${name}" tells about somebody's health, and marketing may not choose people by it`
  return [about(campaign, path, { message, found: name })]
}

/** They follow from others, or from the calendar: no profile says that they changed. */
function isDerived(field: string): boolean {
  return ['person.age', 'person.persona', 'person.locale'].includes(field)
}
