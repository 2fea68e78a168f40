import { personFieldsOf } from '@wegwijs/campaign/catalogue'
import { type Condition, leavesOf } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Field } from '@wegwijs/campaign/definition/field'
import type { Operator } from '@wegwijs/campaign/operators'
import { templatesFor } from '@wegwijs/campaign/steps/message-template'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import type { VariableUse } from '@wegwijs/template/template'
import { type Complaint, type Fault, faultAt } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { healthInHistory, healthTouchpointsIn, isOfHealth } from './happened.ts'
import { about, aboutKey, type Loaded, type Parts } from './parts.ts'
import { stepsOf } from './walk.ts'

type Campaign = Loaded<CampaignFile>
type Found = { field: string; path: Path }

/** Marketing never chooses people by their health, nor by a persona that is made of it. */
export function checkChoice(
  campaign: Campaign,
  path: Path,
  condition: Condition,
  { fields, parts }: { fields: ReadonlyMap<string, Field>; parts: Parts },
): Fault[] {
  if (campaign.value.class !== 'marketing') return []
  const ofHealth = [...healthFields(condition, fields), ...healthInHistory(condition, parts)]
  const made = personasOfHealth(parts)
  const byPersona = leavesOf(condition).flatMap(({ leaf, path: within }) => {
    if (leaf.field !== 'person.persona') return []
    const { value } = leaf
    const values = Array.isArray(value) ? [...value.entries()] : [[null, value] as const]
    return values.flatMap(([index, each]) => {
      const found = String(each)
      const persona = [...made].find((id) => isNamed(id, leaf.op, found))
      const at = [...within, 'value', ...(index === null ? [] : [index])]
      return persona === undefined ? [] : [{ persona, found, path: at }]
    })
  })
  return [
    ...ofHealth.map(({ field, path: within }) =>
      about(campaign, [...path, ...within, 'field'], chosenBy(field)),
    ),
    ...healthTouchpointsIn(condition, parts).map(({ type, path: within }) =>
      about(campaign, [...path, ...within], chosenBy(type)),
    ),
    ...byPersona.map(({ persona, found, path: within }) =>
      about(campaign, [...path, ...within], { ...ofPersona(persona), found }),
    ),
  ]
}

/**
 * Nor does it begin by what tells of health, wait for it, or count it for its goal: whoever sells would learn who
 * was ill, or how many. What ends it may be such: that keeps people who are in care from marketing, and says nothing.
 */
export function checkMarketingTouchpoints(campaign: Campaign, parts: Parts): Fault[] {
  const { class: own, trigger, goal, steps } = campaign.value
  if (own !== 'marketing') return []
  const { touchpoint, attribute } = triggerPartsOf(trigger)
  const named: { type: string; path: Path }[] = [
    ...(touchpoint ? [{ type: touchpoint.type, path: ['trigger', ...touchpoint.path] }] : []),
    ...stepsOf(steps).flatMap(({ step, path }) =>
      (partsOf(step).touchpoints ?? []).map(({ type, path: within }) => ({
        type,
        path: [...path, ...within],
      })),
    ),
  ]
  const fields = parts.attributes && personFieldsOf({ attributes: parts.attributes.value })
  return [
    ...named
      .filter(({ type }) => isOfHealth(type, parts))
      .map(({ type, path }) => about(campaign, path, chosenBy(type))),
    ...(attribute && fields?.get(attribute.field)?.sensitivity === 'health'
      ? [about(campaign, ['trigger', ...attribute.path], chosenBy(attribute.field))]
      : []),
    ...(goal && isOfHealth(goal.touchpoint, parts)
      ? [
          about(campaign, ['goal', 'touchpoint'], {
            message: `"${goal.touchpoint}" tells about somebody's health, and what marketing reaches is not counted by it`,
            found: goal.touchpoint,
          }),
        ]
      : []),
  ]
}

function chosenBy(found: string): Complaint {
  const message = `"${found}" tells about somebody's health, and marketing may not choose people by it`
  return { message, found }
}

/** Nor does its audience, or what it says to whom. */
export function checkMarketingPersonas(campaign: Campaign, parts: Parts): Fault[] {
  if (campaign.value.class !== 'marketing') return []
  const made = personasOfHealth(parts)
  const inAudience = (campaign.value.audience.personas ?? []).flatMap((persona, index) =>
    made.has(persona) ? [about(campaign, ['audience', 'personas', index], ofPersona(persona))] : [],
  )
  const inTemplates = stepsOf(campaign.value.steps).flatMap(({ step, path }) => {
    const { message } = partsOf(step)
    const named = message ? templatesFor(message.template) : []
    return named.flatMap(({ persona, path: within }) => {
      if (persona === null || !made.has(persona)) return []
      const at = [...path, ...Object.keys(step), 'template', ...within]
      return [aboutKey(campaign, at, ofPersona(persona))]
    })
  })
  return [...inAudience, ...inTemplates]
}

/** Nor does it speak of it: its messages open in a waiting room, or on a telephone at home. */
export function checkMarketingText(
  use: VariableUse,
  field: Field,
  { campaign, parts }: { campaign: Campaign; parts: Parts },
): Fault[] {
  if (campaign.value.class !== 'marketing') return []
  const isMadeOfHealth = use.path === 'person.persona' && personasOfHealth(parts).size > 0
  if (field.sensitivity !== 'health' && !isMadeOfHealth) return []
  const message = `${use.path} tells about somebody's health, and "${campaign.value.id}" is marketing, which may not speak of it`
  return [faultAt(use.file, use, { message, found: use.path })]
}

function isNamed(persona: string, op: Operator, value: string): boolean {
  if (op === 'startsWith') return persona.startsWith(value)
  return op === 'contains' ? persona.includes(value) : persona === value
}

function ofPersona(persona: string): Complaint {
  const message = `the persona "${persona}" hangs on somebody's health, and marketing may not choose people by it`
  return { message, found: persona }
}

export function personasOfHealth(parts: Parts): ReadonlySet<string> {
  const { personas, attributes } = parts
  if (!personas || !attributes) return new Set()
  const fields = personFieldsOf({ attributes: attributes.value })
  return new Set(
    personas.value.personas.flatMap(({ id, when }) =>
      when &&
      (healthFields(when, fields).length > 0 ||
        healthInHistory(when, parts).length > 0 ||
        healthTouchpointsIn(when, parts).length > 0)
        ? [id]
        : [],
    ),
  )
}

export function healthFields(condition: Condition, fields: ReadonlyMap<string, Field>): Found[] {
  return leavesOf(condition)
    .filter(({ leaf }) => fields.get(leaf.field)?.sensitivity === 'health')
    .map(({ leaf, path }) => ({ field: leaf.field, path }))
}
