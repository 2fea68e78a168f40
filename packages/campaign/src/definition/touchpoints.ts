import { z } from 'zod'
import { fieldsSchema } from './field.ts'
import {
  identifierSchema,
  localisedTextSchema,
  sensitivities,
  touchpointTypeSchema,
} from './words.ts'

/** A type as it stands (`care.intake.done.v1`) or all that begin alike (`care.*`). */
const typePatternSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*\.(\*|v[1-9][0-9]*)$/,
    'expected a type or a pattern such as "care.*"',
  )

/** A system that publishes: its CloudEvents `source`, the id space of its subjects, what it may say. */
const publisherSchema = z
  .strictObject({
    source: z.string().min(1).max(256).describe('The CloudEvents `source` of its events.'),
    idSpace: identifierSchema.describe(
      'Whose ids its subjects are: `ehr` in `ehr:P-1`. Publishers that share an id space speak of the same people.',
    ),
    types: z
      .array(typePatternSchema)
      .min(1)
      .describe('What it may tell: types as they stand, or `care.*` for all that begin alike.'),
    description: z.string().optional().describe('Which system it is, for who reads this file.'),
  })
  .meta({
    id: 'publisher',
    title: 'A publisher',
    description: 'A system that publishes touchpoint events.',
  })
export type Publisher = z.infer<typeof publisherSchema>

/**
 * A named contact moment. With `journey` and `phase` it moves a person along that journey;
 * `starts` opens a new episode. With `entity` its events carry an `entity` and a `version` of that
 * type; `withdraws` says that the entity no longer takes place.
 */
const touchpointSchema = z
  .strictObject({
    type: touchpointTypeSchema.describe(
      'The CloudEvents `type` with its major version, such as `care.appointment.booked.v1`.',
    ),
    name: localisedTextSchema.describe('What it is called in reports.'),
    journey: identifierSchema
      .optional()
      .describe('The journey it belongs to; with `phase` it moves a person along it.'),
    phase: identifierSchema
      .optional()
      .describe('The phase of that journey in which a person then is.'),
    starts: z
      .boolean()
      .default(false)
      .describe('It opens a new episode of the journey: `once-per-journey` counts from here.'),
    entity: identifierSchema
      .optional()
      .describe(
        'Its events are about an entity of this type, such as an appointment, and carry its id and a version. A higher version re-times or withdraws what hangs on the lower one.',
      ),
    withdraws: z
      .boolean()
      .default(false)
      .describe('It says that the entity no longer takes place.'),
    sensitivity: z
      .enum(sensitivities)
      .optional()
      .describe(
        'How much it tells about a person that it happened at all. `health` is for a touchpoint whose name alone tells of a department, a diagnosis or a treatment: it may end marketing, and marketing may not begin by it, ask whether it happened, wait for it or have it for a goal. Without it, nothing more than its data.',
      ),
    data: fieldsSchema
      .default({})
      .describe(
        'The fields of its data; conditions and templates of a campaign that it starts name them as `event.…`, and as `entity.…` when it has an entity.',
      ),
  })
  .meta({
    id: 'touchpoint',
    title: 'A touchpoint',
    description: 'A named contact moment; a touchpoint event is one happening of it.',
  })
export type Touchpoint = z.infer<typeof touchpointSchema>

/** What campaigns may tell other systems. */
const emittedTypeSchema = z
  .strictObject({
    type: touchpointTypeSchema.describe('The CloudEvents `type`, with its major version.'),
    name: localisedTextSchema.describe('What it is called.'),
    sensitivity: z
      .enum(sensitivities)
      .default('personal')
      .describe(
        'The most telling data that it may carry. Whatever reads the topic gets it, so `health` must be said.',
      ),
    data: fieldsSchema
      .default({})
      .describe('The fields of its data. A required one is in every event.'),
  })
  .meta({
    id: 'emitted-type',
    title: 'What other systems are told',
    description: 'A type of event that campaigns may publish on the topic `emitted`.',
  })
export type EmittedType = z.infer<typeof emittedTypeSchema>

/** `touchpoints.yaml` */
export const touchpointsFileSchema = z.strictObject({
  publishers: z.array(publisherSchema).min(1).describe('Who may tell us what.'),
  touchpoints: z.array(touchpointSchema).min(1).describe('Everything that may happen.'),
  emits: z.array(emittedTypeSchema).default([]).describe('What campaigns may tell other systems.'),
})
export type TouchpointsFile = z.infer<typeof touchpointsFileSchema>

/** True when a publisher with these patterns may speak of `type`. */
export function mayPublish(patterns: readonly string[], type: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type,
  )
}

/** True when there can be a type that the pattern matches: not for `care*`, `care.` or `care.intake.done`. */
export function canMatch(pattern: string): boolean {
  const prefix = pattern.slice(0, -1)
  const shortest = pattern.endsWith('.*') ? [`${prefix}v1`, `${prefix}x.v1`] : [pattern]
  return shortest.some((type) => touchpointTypeSchema.safeParse(type).success)
}
