import { z } from 'zod'
import type { DefinitionBundle } from './definition/bundle.ts'
import type { Field } from './definition/field.ts'
import { mayPublish, type Publisher, type Touchpoint } from './definition/touchpoints.ts'
import { toInstant } from './instant.ts'
import type { JsonObject } from './json.ts'
import { isOwnType, personUpserted, reservedTypes } from './reserved-types.ts'

/** The part of an event that the catalogue has a say in. */
export type CatalogueEvent = {
  source: string
  type: string
  data: JsonObject
  entity?: string
  version?: number
}

export type CatalogueFault = {
  errorClass: 'source_not_allowed' | 'type_not_allowed' | 'unknown_type' | 'data_invalid'
  reason: string
  path?: string
}

/** The publisher that speaks and the data in its normal form, or what is wrong with the event. */
export type EventCheck = (
  event: CatalogueEvent,
) => { publisher: Publisher; data: JsonObject } | CatalogueFault

/** Our own voice: outcomes of messages, whose signature the shell verifies. */
export const ownSource = 'urn:wegwijs'
export const ownIdSpace = 'wegwijs'
const ownPublisher: Publisher = {
  source: ownSource,
  idSpace: ownIdSpace,
  types: ['message.*', 'task.*'],
}

type Rule = { entity: string | null; data: z.ZodType<JsonObject> }

/**
 * Checks events against the catalogue: who may say what, and that the data is what the type
 * promises. Data that a type does not name is dropped, so that it rests nowhere (P7).
 */
export function createEventCheck(bundle: DefinitionBundle): EventCheck {
  const publishers = new Map(
    bundle.touchpoints.publishers.map((publisher) => [publisher.source, publisher]),
  )
  const rules = new Map<string, Rule>(reservedRules(bundle))
  for (const touchpoint of bundle.touchpoints.touchpoints)
    rules.set(touchpoint.type, ruleOf(touchpoint))
  return (event) => {
    const publisher = isOwn(event.source) ? ownPublisher : publishers.get(event.source)
    if (!publisher)
      return {
        errorClass: 'source_not_allowed',
        reason: 'the source is not in touchpoints.yaml',
        path: 'source',
      }
    const rule = rules.get(event.type)
    if (!rule)
      return {
        errorClass: 'unknown_type',
        reason: 'the type is not in touchpoints.yaml',
        path: 'type',
      }
    const ours = isOwnType(event.type)
    if (ours !== isOwn(event.source) || !mayPublish(publisher.types, event.type)) {
      return {
        errorClass: 'type_not_allowed',
        reason: 'this source may not speak of this type',
        path: 'type',
      }
    }
    return checkEntity(rule, event) ?? checkData(rule, event, publisher)
  }
}

/** True for the sources under which only Wegwijs itself speaks. */
export function isOwn(source: string): boolean {
  return source === ownSource || source.startsWith(`${ownSource}:`)
}

function checkEntity(rule: Rule, event: CatalogueEvent): CatalogueFault | null {
  if (rule.entity === null) return null
  if (event.version === undefined)
    return { errorClass: 'data_invalid', reason: 'expected a version', path: 'version' }
  if (!event.entity?.startsWith(`${rule.entity}/`)) {
    return {
      errorClass: 'data_invalid',
      reason: `expected an entity such as "${rule.entity}/A-1"`,
      path: 'entity',
    }
  }
  return null
}

function checkData(
  rule: Rule,
  event: CatalogueEvent,
  publisher: Publisher,
): ReturnType<EventCheck> {
  const result = rule.data.safeParse(event.data)
  if (result.success) return { publisher, data: result.data }
  const [issue] = result.error.issues
  // The issue's own message may quote the value; its code and place never do (P7).
  return {
    errorClass: 'data_invalid',
    reason:
      issue?.code === 'unrecognized_keys'
        ? 'a field that the type does not know'
        : 'not what the type promises',
    path: ['data', ...(issue?.path ?? [])].map(String).join('.'),
  }
}

function ruleOf(touchpoint: Touchpoint): Rule {
  return {
    entity: touchpoint.entity ?? null,
    data: dataSchema(touchpoint.data) as unknown as z.ZodType<JsonObject>,
  }
}

function dataSchema(fields: Readonly<Record<string, Field>>): z.ZodObject {
  return z.object(
    Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [
        name,
        field.required ? valueSchema(field) : valueSchema(field).optional(),
      ]),
    ),
  )
}

const longestText = 4_000

function valueSchema(field: Field): z.ZodType {
  switch (field.type) {
    case 'text':
      return field.values ? z.enum(field.values) : z.string().max(longestText)
    case 'number':
      return z.number()
    case 'boolean':
      return z.boolean()
    case 'instant':
      return z.iso.datetime({ offset: true }).transform(toInstant)
    case 'date':
      return z.iso.date()
  }
}

/** Types whose meaning is Wegwijs' own; what the organisation knows of people is its own to say. */
function reservedRules(bundle: DefinitionBundle): [string, Rule][] {
  const attributes = Object.entries(bundle.attributes.person).map(([key, field]) => [
    key,
    valueSchema(field).nullable().optional(),
  ])
  const profile = personUpserted.extend({
    persona: z
      .enum(bundle.personas.personas.map((persona) => persona.id))
      .nullable()
      .optional(),
    attributes: z.object(Object.fromEntries(attributes)).optional(),
  })
  const schemas = Object.entries({ ...reservedTypes, 'person.upserted.v1': profile })
  return schemas.map(([type, data]) => [
    type,
    { entity: null, data: data as unknown as z.ZodType<JsonObject> },
  ])
}
