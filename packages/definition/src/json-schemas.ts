import { z } from 'zod'
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
  return { ...($schema ? { $schema } : {}), title: kind.files, description: kind.meaning, ...rest }
}

/** A file for each kind, by name: what `wegwijs schemas` writes and docs/reference/schemas holds. */
export function jsonSchemaFiles(): { name: string; files: string; text: string }[] {
  return fileKinds.map((kind) => ({
    name: `${kind.id}.json`,
    files: kind.files,
    text: `${JSON.stringify(jsonSchemaOf(kind), null, 2)}\n`,
  }))
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
