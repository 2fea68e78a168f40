import { z } from 'zod'
import { fieldsSchema } from './field.ts'
import { identifierSchema, localisedTextSchema, touchpointTypeSchema } from './words.ts'

/** A type as it stands (`care.intake.done.v1`) or all that begin alike (`care.*`). */
const typePatternSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*\.(\*|v[1-9][0-9]*)$/,
    'expected a type or a pattern such as "care.*"',
  )

/** A system that publishes: its CloudEvents `source`, the id space of its subjects, what it may say. */
const publisherSchema = z.strictObject({
  source: z.string().min(1).max(256),
  idSpace: identifierSchema,
  types: z.array(typePatternSchema).min(1),
  description: z.string().optional(),
})
export type Publisher = z.infer<typeof publisherSchema>

/**
 * A named contact moment. With `journey` and `phase` it moves a person along that journey;
 * `starts` opens a new episode. With `entity` its events carry an `entity` and a `version` of that
 * type; `withdraws` says that the entity no longer takes place.
 */
const touchpointSchema = z.strictObject({
  type: touchpointTypeSchema,
  name: localisedTextSchema,
  journey: identifierSchema.optional(),
  phase: identifierSchema.optional(),
  starts: z.boolean().default(false),
  entity: identifierSchema.optional(),
  withdraws: z.boolean().default(false),
  data: fieldsSchema.default({}),
})
export type Touchpoint = z.infer<typeof touchpointSchema>

/** `touchpoints.yaml` */
export const touchpointsFileSchema = z.strictObject({
  publishers: z.array(publisherSchema).min(1),
  touchpoints: z.array(touchpointSchema).min(1),
})
export type TouchpointsFile = z.infer<typeof touchpointsFileSchema>

/** True when a publisher with these patterns may speak of `type`. */
export function mayPublish(patterns: readonly string[], type: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type,
  )
}
