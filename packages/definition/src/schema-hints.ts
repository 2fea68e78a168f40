import type { JsonObject, JsonValue } from '@wegwijs/campaign/json'
import { z } from 'zod'
import { oneOf, withNearest } from './fault.ts'
import { type Schema, schemasAt } from './schema-walk.ts'
import { flowPairs, flowText } from './value-text.ts'
import type { Path } from './yaml-source.ts'

/** The list of one that somebody meant who wrote its one word without brackets: "such as `[tuesday]`". */
export function listMeant(schema: Schema, path: Path, found: unknown): string | undefined {
  if (typeof found !== 'string' && typeof found !== 'number') return undefined
  for (const { schema: each } of schemasAt(schema, path)) {
    const { def } = (each as z.core.$ZodTypes)._zod
    if (def.type !== 'array') continue
    const { nearest } = withNearest(String(found), wordsOf(def.element))
    const item = [found, nearest].find((word) => word !== undefined && takes(each, [word]))
    if (item !== undefined) return `such as \`[${flowText(item)}]\``
  }
  return undefined
}

/** Every word that a schema knows, if those are all that it takes. */
export function wordsOf(schema: Schema): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod
  return def.type === 'enum' ? Object.values(def.entries).map(String) : []
}

function takes(schema: Schema, value: unknown): boolean {
  return (schema as z.ZodType).safeParse(value).success
}

/**
 * How what stands at `path` may be written, by the examples that its schema has, or the schema of what holds it:
 * "such as `end: true`" for `end`, "such as `{ for: P2D }`" for what stands under `wait`.
 */
export function inExamples(schema: Schema, path: Path, found: unknown): string | undefined {
  const key = path.at(-1)
  const held = examplesAt(schema, path.slice(0, -1)).find((each) => Object.hasOwn(each, key ?? ''))
  if (held) return `such as \`${flowText(held[key as string] as JsonValue)}\``
  const own = examplesAt(schema, path)
  const names = own.flatMap((each) => Object.keys(each))
  if (names.length === 0) return undefined
  const name = names.find((each) => each === found) ?? withNearest(String(found), names).nearest
  const meant = own.find((each) => name !== undefined && Object.hasOwn(each, name))
  return meant ? `such as \`${flowPairs(meant)}\`` : `with ${oneOf(names)}`
}

function examplesAt(schema: Schema, path: Path): readonly JsonObject[] {
  return schemasAt(schema, path).flatMap(
    ({ schema: each }) => (z.globalRegistry.get(each)?.examples ?? []) as JsonObject[],
  )
}

/** What a word at `path` is called in the field, such as a reason. */
export function titleAt(schema: Schema, path: Path): string | undefined {
  return schemasAt(schema, path).flatMap(
    ({ schema: each }) => z.globalRegistry.get(each)?.title ?? [],
  )[0]
}
