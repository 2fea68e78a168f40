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
  id: identifierSchema,
  name: z.string().min(1),
  description: z.string().optional(),
  journey: identifierSchema,
  class: z.enum(campaignClasses),
  trigger: z.strictObject({
    touchpoint: touchpointTypeSchema,
    where: conditionSchema.optional(),
    /** Events older than this change what we know, but start nothing. */
    maxAge: positiveDurationSchema.default('P1D'),
  }),
  audience: z
    .strictObject({
      personas: z.array(identifierSchema).min(1).optional(),
      where: conditionSchema.optional(),
    })
    .default({}),
  entry: z.enum(entryRules).default('once-per-journey'),
  exit: z.array(z.strictObject({ touchpoint: touchpointTypeSchema })).default([]),
  steps: stepsSchema,
})
export type CampaignFile = z.infer<typeof campaignFileSchema>
