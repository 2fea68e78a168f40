import { z } from 'zod'
import { localMomentSchema } from '../specification/local-moment.ts'
import {
  messageNameSchema,
  otherNameSchema,
  personShape,
  touchpointShape,
} from './specification-words.ts'
import {
  campaignClasses,
  identifierSchema,
  relationKinds,
  relationScopes,
  touchpointTypeSchema,
} from './words.ts'

const pastSchema = z
  .strictObject({
    at: localMomentSchema.describe('When it happened.'),
    happens: touchpointTypeSchema.describe('The touchpoint.'),
    ...touchpointShape,
  })
  .describe('A touchpoint that happened before.')

const otherSchema = z
  .strictObject({
    ...personShape,
    is: z.enum(relationKinds).describe('How they stand to the person.'),
    may: z.array(z.enum(relationScopes)).min(1).describe('What they may hear of.'),
  })
  .meta({
    id: 'given-other',
    title: 'Somebody else in a specification',
    description: 'Who stands to the person, and what they may hear of, before anything happens.',
  })

export const providerWords = ['delivered', 'bounced', 'answered', 'nothing'] as const

export type ProviderWord = (typeof providerWords)[number]

export const givenSchema = z
  .strictObject({
    ...personShape,
    'consents to': z
      .array(z.enum(campaignClasses))
      .optional()
      .describe('What they gave their consent for before.'),
    'happened before': z
      .array(pastSchema)
      .min(1)
      .optional()
      .describe(
        'What had happened to them before all else, in its order. It is known, and counts where a condition asks what has happened; it started no campaign.',
      ),
    with: z
      .record(otherNameSchema, otherSchema)
      .optional()
      .describe('Who stands to them, each by a name such as `mother`.'),
    arms: z
      .record(identifierSchema, identifierSchema)
      .optional()
      .describe('Which arm of a split they are in, by the id of the split.'),
    'held out': z
      .boolean()
      .optional()
      .describe('They are of those who get nothing, so that the effect can be measured.'),
    'provider tells': z
      .record(messageNameSchema, z.enum(providerWords))
      .optional()
      .describe(
        'What the provider reports of a message as soon as it has it; of any other it reports that it was delivered. Of the app nobody reports.',
      ),
  })
  .meta({
    id: 'given',
    title: 'Who a specification is about',
    description:
      'The person as they are before anything happens; that they are so starts no campaign. Of whom nothing is said we know a name and an address on every channel.',
  })

export type Given = z.infer<typeof givenSchema>
