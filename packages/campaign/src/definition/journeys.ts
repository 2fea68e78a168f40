import { z } from 'zod'
import { identifierSchema, localisedTextSchema } from './words.ts'

const phaseSchema = z.strictObject({ id: identifierSchema, name: localisedTextSchema })

/** A care path as phases, in the order in which people meet them. */
const journeySchema = z.strictObject({
  id: identifierSchema,
  name: localisedTextSchema,
  description: z.string().optional(),
  phases: z.array(phaseSchema).min(1),
})
export type Journey = z.infer<typeof journeySchema>

/** `journeys.yaml` */
export const journeysFileSchema = z.strictObject({ journeys: z.array(journeySchema).min(1) })
export type JourneysFile = z.infer<typeof journeysFileSchema>
