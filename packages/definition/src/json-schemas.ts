import { personFieldsOf } from '@wegwijs/campaign/catalogue'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { JsonObject } from '@wegwijs/campaign/json'
import { everyStep, partsOf } from '@wegwijs/campaign/steps/registry'
import { z } from 'zod'
import { compareTexts } from './fault.ts'
import { type FileKind, fileKinds } from './file-kinds.ts'

/** As much of JSON Schema 2020-12 as our schemas use. */
export type JsonSchema = {
  $schema?: string
  $ref?: string
  $defs?: Record<string, JsonSchema>
  title?: string
  description?: string
  type?: string | string[]
  enum?: (string | number | boolean)[]
  const?: string | number | boolean
  default?: unknown
  examples?: JsonObject[]
  pattern?: string
  format?: string
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: JsonSchema | boolean
  propertyNames?: JsonSchema
  items?: JsonSchema
  prefixItems?: JsonSchema[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
}

/** The JSON Schema of one kind of file, as an author writes it: what has a default may be left out. */
export function jsonSchemaOf(kind: FileKind): JsonSchema {
  const schema = z.toJSONSchema(kind.schema, {
    io: 'input',
    // What only code can check (a zone, a duration) is a text to an editor; `wegwijs validate` knows more.
    unrepresentable: 'any',
  }) as JsonSchema
  const { $schema, ...rest } = withoutDetours(schema)
  return {
    ...($schema ? { $schema } : {}),
    title: titleOf(kind),
    description: kind.meaning,
    ...rest,
  }
}

/**
 * A file for each kind, by name: what `wegwijs schemas` writes and docs/reference/schemas holds. With a
 * definition an editor offers its names, too: of touchpoints, personas, journeys, templates, fields.
 */
export function jsonSchemaFiles(
  bundle?: DefinitionBundle,
): { name: string; files: string; text: string }[] {
  return fileKinds.map((kind) => {
    const names = bundle ? namesFor(kind, bundle) : new Map()
    return {
      name: `${kind.id}.json`,
      files: kind.files,
      text: `${JSON.stringify(withoutTextTitles(offering(jsonSchemaOf(kind), names)), null, 2)}\n`,
    }
  })
}

function titleOf({ id }: FileKind): string {
  return id.charAt(0).toUpperCase() + id.slice(1).replaceAll('-', ' ')
}

/**
 * An editor shows a title over what a key means: "name", which is the kind of text, over that of a
 * journey would mislead. Titles of sections begin with a capital.
 */
function withoutTextTitles(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || !('title' in part)) return part
    const { title, ...rest } = part
    return typeof title === 'string' && /^[a-z]/.test(title) ? rest : part
  }) as JsonSchema
}

/** Names that stand under a key. */
type Names = ReadonlyMap<string, readonly string[]>

/** The same key may mean something else: the `until` of a specification is a moment on the clock. */
function namesFor({ id }: FileKind, bundle: DefinitionBundle): Names {
  if (id === 'specifications') return namesInSpecifications(bundle)
  return id === 'log-mapping' ? namesInMappings(bundle) : namesIn(bundle)
}

function namesInMappings({ touchpoints: { publishers, touchpoints } }: DefinitionBundle): Names {
  return new Map([
    ['source', publishers.map(({ source }) => source)],
    ['type', touchpoints.map(({ type }) => type).sort(compareTexts)],
  ])
}

function namesInSpecifications({ campaigns, touchpoints, personas }: DefinitionBundle): Names {
  const messages = campaigns.flatMap(({ steps }) =>
    everyStep(steps).flatMap((step) => partsOf(step).message?.id ?? []),
  )
  const ofMessages = [...new Set(messages)].sort(compareTexts)
  return new Map([
    ['happens', touchpoints.touchpoints.map(({ type }) => type).sort(compareTexts)],
    ['persona', personas.personas.map(({ id }) => id)],
    ['campaign', campaigns.map(({ id }) => id)],
    ['enrolled in', campaigns.map(({ id }) => id)],
    ...['sent', 'withdrawn', 'not sent', 'planned', 'of'].map((key): [string, string[]] => [
      key,
      ofMessages,
    ]),
  ])
}

function namesIn(bundle: DefinitionBundle): Names {
  const { touchpoints } = bundle.touchpoints
  const { journeys } = bundle.journeys
  const person = [...personFieldsOf(bundle).keys()]
  const data = touchpoints.flatMap(({ entity, data: fields }) =>
    Object.entries(fields).flatMap(([name, { type }]) =>
      ['event', ...(entity ? ['entity'] : [])].map((root) => ({ name: `${root}.${name}`, type })),
    ),
  )
  // What campaigns remember moves no wait.
  const datesOfPerson = Object.entries(bundle.attributes.person).flatMap(([name, { type }]) =>
    type === 'instant' || type === 'date' ? [`person.${name}`] : [],
  )
  const moments = data.filter(({ type }) => type === 'instant').map(({ name }) => name)
  const sorted = (names: readonly string[]) => [...new Set(names)].sort(compareTexts)
  return new Map([
    ['touchpoint', sorted(touchpoints.map(({ type }) => type))],
    ['journey', sorted(journeys.map(({ id }) => id))],
    ['phase', sorted(journeys.flatMap(({ phases }) => phases.map(({ id }) => id)))],
    ['personas', sorted(bundle.personas.personas.map(({ id }) => id))],
    ['template', sorted(bundle.templates.map(({ id }) => id))],
    ['attribute', sorted(person)],
    ['until', sorted([...moments, ...datesOfPerson])],
    [
      'field',
      sorted([
        ...person,
        ...data.map(({ name }) => name),
        ...journeys.map(({ id }) => `journey.${id}.phase`),
      ]),
    ],
  ])
}

/** Offers the known names where one is to be typed; others are for `wegwijs validate` to judge. */
function offering(schema: JsonSchema, names: Names, key = ''): JsonSchema {
  const known = names.get(key)
  if (known && schema.type === 'string' && !schema.enum) {
    const { title, description, default: otherwise, ...shape } = schema
    const { pattern } = shape
    const fitting =
      typeof pattern === 'string' ? known.filter((name) => new RegExp(pattern).test(name)) : known
    return {
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description }),
      ...(otherwise === undefined ? {} : { default: otherwise }),
      ...(fitting.length === 0 ? shape : { anyOf: [{ enum: [...fitting] }, shape] }),
    }
  }
  const each = (schemas: Record<string, JsonSchema>, isKeyed: boolean) =>
    Object.fromEntries(
      Object.entries(schemas).map(([name, part]) => [
        name,
        offering(part, names, isKeyed ? name : ''),
      ]),
    )
  return {
    ...schema,
    ...(schema.properties ? { properties: each(schema.properties, true) } : {}),
    ...(schema.$defs ? { $defs: each(schema.$defs, false) } : {}),
    ...(schema.items ? { items: offering(schema.items, names, key) } : {}),
    ...(schema.anyOf ? { anyOf: schema.anyOf.map((way) => offering(way, names, key)) } : {}),
    ...(typeof schema.additionalProperties === 'object'
      ? { additionalProperties: offering(schema.additionalProperties, names) }
      : {}),
  }
}

/** A recursive schema gets a nameless definition that only refers to the one with a name. */
function withoutDetours(schema: JsonSchema): JsonSchema {
  const { $defs = {} } = schema
  const targets = new Map(
    Object.entries($defs).flatMap(([name, { $ref, ...rest }]) =>
      $ref !== undefined && Object.keys(rest).length === 0 ? [[`#/$defs/${name}`, $ref]] : [],
    ),
  )
  const kept = Object.entries($defs).filter(([name]) => !targets.has(`#/$defs/${name}`))
  const straight = { ...schema, $defs: Object.fromEntries(kept) }
  return JSON.parse(JSON.stringify(straight), (key, value) =>
    key === '$ref' ? (targets.get(value) ?? value) : value,
  ) as JsonSchema
}
