import { z } from 'zod'
import { identifierSchema, localisedTextSchema } from './words.ts'

const phaseSchema = z.strictObject({
  id: identifierSchema.describe('How touchpoints and conditions name it.'),
  name: localisedTextSchema.describe('As a patient would name it.'),
})

/** A care path as phases, in the order in which people meet them. */
const journeySchema = z
  .strictObject({
    id: identifierSchema.describe('How touchpoints, campaigns and conditions name it.'),
    name: localisedTextSchema.describe('As a patient would name it.'),
    description: z.string().optional().describe('From where to where it goes, and who walks it.'),
    phases: z
      .array(phaseSchema)
      .min(1)
      .describe('Its phases, in the order in which people meet them.'),
  })
  .meta({
    id: 'journey',
    title: 'A journey',
    description: 'A care path as phases. A person can be on several at once.',
  })
export type Journey = z.infer<typeof journeySchema>

/** `journeys.yaml` */
export const journeysFileSchema = z.strictObject({
  journeys: z.array(journeySchema).min(1).describe('Every journey of the organisation.'),
})
export type JourneysFile = z.infer<typeof journeysFileSchema>
