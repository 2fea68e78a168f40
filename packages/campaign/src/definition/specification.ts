import { z } from 'zod'
import { localMomentSchema } from '../specification/local-moment.ts'
import { givenSchema } from './given.ts'
import { expectationsSchema, whenSchema } from './happening.ts'
import { identifierSchema } from './words.ts'

/**
 * What a campaign is to do, in examples: `campaigns/<id>.test.yaml` stands beside `campaigns/<id>.yaml`
 * and is no part of what is applied. Moments are what the clocks of the organisation show.
 */

const specificationSchema = z
  .strictObject({
    name: z.string().min(1).describe('What it says, in a sentence; once in a file.'),
    given: givenSchema.default({}).describe('Who it is about.'),
    when: z.array(whenSchema).min(1).describe('What happens, one after the other.'),
    until: localMomentSchema
      .optional()
      .describe('How long time goes on; without it, until nothing is planned any more.'),
    // biome-ignore lint/suspicious/noThenProperty: the word in the file; no promise is made of it
    then: expectationsSchema.describe(
      'What has come of it. Each message of the campaign that was sent must be named.',
    ),
  })
  .meta({
    id: 'specification',
    title: 'A specification',
    description:
      'One example of what a campaign is to do: given somebody, when this happens, then that is sent.',
  })

export type Specification = z.infer<typeof specificationSchema>

/** `campaigns/<id>.test.yaml` */
export const specificationsFileSchema = z.strictObject({
  campaign: identifierSchema.describe(
    'The campaign that it is about: the name of its file without `.test.yaml`.',
  ),
  description: z.string().optional().describe('What its author thought of.'),
  specifications: z
    .array(specificationSchema)
    .min(1)
    .describe('Each is played by itself, with somebody of its own.'),
})

export type SpecificationsFile = z.infer<typeof specificationsFileSchema>
