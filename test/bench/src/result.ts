import { z } from 'zod'

/** What a run leaves behind: one file a row, so that a row can be measured again by itself. */

const figureSchema = z.strictObject({
  name: z.string(),
  unit: z.string(),
  /** One for each round, in their order. */
  values: z.array(z.number()).min(1),
})
/** Something that was measured, as often as there were rounds. */
export type Figure = z.infer<typeof figureSchema>

const checkSchema = z.strictObject({
  name: z.string(),
  /** Of each pair of rounds, in their order. */
  values: z.array(z.number()).min(1),
  target: z.strictObject({ atLeast: z.number() }).or(z.strictObject({ atMost: z.number() })),
})
/** A figure that has something to reach. */
export type Check = z.infer<typeof checkSchema>

const perProcessSchema = z.strictObject({
  name: z.string(),
  /** Process → figure. */
  byProcess: z.record(z.string(), z.number()),
})
export type PerProcess = z.infer<typeof perProcessSchema>

const curveSchema = z.strictObject({
  title: z.string(),
  x: z.string(),
  y: z.string(),
  series: z.array(
    z.strictObject({
      name: z.string(),
      points: z.array(z.strictObject({ x: z.number(), y: z.number() })),
    }),
  ),
})

export type Curve = z.infer<typeof curveSchema>

export const measuredSchema = z.strictObject({
  figures: z.array(figureSchema),
  checks: z.array(checkSchema),
  /** Seconds of CPU per 1,000 of what was done. */
  cpu: z.array(perProcessSchema),
  /** Peaks in megabytes. */
  memory: z.array(perProcessSchema),
  curve: curveSchema.optional(),
  /** What a reader must know about how it was measured. */
  notes: z.array(z.string()),
})
export type Measured = z.infer<typeof measuredSchema>

export const surroundingsSchema = z.strictObject({
  at: z.string(),
  commit: z.string(),
  machine: z.strictObject({
    cpu: z.string(),
    cores: z.number(),
    memoryGb: z.number(),
    system: z.string(),
    /** How many processes wanted a core before the run; more than a few, and its figures are noise. */
    load: z.number(),
  }),
  versions: z.record(z.string(), z.string()),
  settings: z.record(z.string(), z.string()),
})
export type Surroundings = z.infer<typeof surroundingsSchema>

export const resultSchema = z.strictObject({
  row: z.string(),
  title: z.string(),
  seconds: z.number(),
  surroundings: surroundingsSchema,
  measured: measuredSchema,
})
export type Result = z.infer<typeof resultSchema>

export function isReached(
  { values, target }: Check,
  middle: (values: readonly number[]) => number,
) {
  return 'atLeast' in target ? middle(values) >= target.atLeast : middle(values) <= target.atMost
}
