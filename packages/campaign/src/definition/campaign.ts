import { z } from 'zod'
import { conditionSchema } from '../condition.ts'
import { stepsSchema } from '../steps/registry.ts'
import {
  campaignClasses,
  identifierSchema,
  positiveDurationSchema,
  touchpointTypeSchema,
} from './words.ts'

/** How often one person may go through a campaign. */
export const entryRules = ['once', 'once-per-journey', 'once-per-entity', 'every-time'] as const
export type EntryRule = (typeof entryRules)[number]

/** `campaigns/<id>.yaml` */
export const campaignFileSchema = z.strictObject({
  id: identifierSchema.describe('The name of its file without `.yaml`.'),
  name: z.string().min(1).describe('What people call it.'),
  description: z.string().optional().describe('What it is for, and what its author thought of.'),
  journey: identifierSchema.describe('The journey that it goes along with.'),
  class: z
    .enum(campaignClasses)
    .describe('What it is for: decides which consent it needs, its queue, and when it expires.'),
  trigger: z
    .strictObject({
      touchpoint: touchpointTypeSchema.describe('The touchpoint that starts it.'),
      where: conditionSchema.optional().describe('Only events for which this holds start it.'),
      maxAge: positiveDurationSchema
        .default('P1D')
        .describe('An event older than this changes what we know, but starts nothing.'),
    })
    .describe('What starts it.'),
  audience: z
    .strictObject({
      personas: z
        .array(identifierSchema)
        .min(1)
        .optional()
        .describe('Only people of these personas; without it, of all.'),
      where: conditionSchema.optional().describe('Only people for whom this holds.'),
    })
    .default({})
    .describe('Whom it is for; everybody, when it is left out.'),
  entry: z
    .enum(entryRules)
    .default('once-per-journey')
    .describe('How often one person may go through it.'),
  exit: z
    .array(
      z.strictObject({ touchpoint: touchpointTypeSchema.describe('The touchpoint that ends it.') }),
    )
    .default([])
    .describe('What ends it for a person at once: waits end, messages not yet sent are withdrawn.'),
  steps: stepsSchema.describe('What happens, one step after the other.'),
})
export type CampaignFile = z.infer<typeof campaignFileSchema>
