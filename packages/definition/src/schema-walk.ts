import { z } from 'zod'
import type { Path } from './yaml-source.ts'

export type Schema = z.core.$ZodType

/** A schema with the sections of the reference that it stands in, the widest first. */
export type SchemaAt = { schema: Schema; sections: readonly string[] }

/** Every schema that a value at `path` may be meant for: several where a choice is not yet made. */
export function schemasAt(schema: Schema, path: Path, above: readonly string[] = []): SchemaAt[] {
  const own = sectionOf(schema)
  const sections = own === undefined ? above : [...above, own]
  const { def } = (schema as z.core.$ZodTypes)._zod
  const [part, ...rest] = path
  const here = part === undefined ? [{ schema, sections }] : []
  switch (def.type) {
    case 'lazy':
      return schemasAt((schema as z.core.$ZodLazy)._zod.innerType, path, sections)
    case 'union':
      return def.options.flatMap((option) => schemasAt(option, path, sections))
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
      return schemasAt(def.innerType, path, sections)
    case 'array':
      return part === undefined ? here : schemasAt(def.element, rest, sections)
    case 'record':
      return part === undefined ? here : schemasAt(def.valueType, rest, sections)
    case 'object': {
      const child = part === undefined ? undefined : def.shape[part]
      return child ? schemasAt(child, rest, sections) : here
    }
    default:
      return here
  }
}

/**
 * The section of the reference about what stands at `path`, such as `step-wait`: the narrowest that is
 * beyond doubt. Undefined where nothing narrower than the whole file is known.
 */
export function sectionAt(schema: Schema, path: Path): string | undefined {
  const [first, ...others] = schemasAt(schema, path).map(({ sections }) => sections)
  // A key that nobody knows is told of where the keys beside it are.
  if (!first) return path.length === 0 ? undefined : sectionAt(schema, path.slice(0, -1))
  return first.findLast((section, index) => others.every((each) => each[index] === section))
}

/** A schema that only got another description is still the one with the id. */
function sectionOf(schema: Schema): string | undefined {
  const { parent } = schema._zod
  return z.globalRegistry.get(schema)?.id ?? (parent && z.globalRegistry.get(parent)?.id)
}
