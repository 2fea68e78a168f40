import { z } from 'zod'
import { attributesFileSchema } from './attributes.ts'
import { campaignFileSchema } from './campaign.ts'
import { channelsFileSchema } from './channels.ts'
import { journeysFileSchema } from './journeys.ts'
import { personasFileSchema } from './personas.ts'
import { policiesFileSchema } from './policies.ts'
import { touchpointsFileSchema } from './touchpoints.ts'
import { channelNames, identifierSchema, localeNames, sensitivities } from './words.ts'

/** A variable that a template asks for; `optional` when it is only shown if it is there. */
const templateVariableSchema = z.strictObject({ path: z.string(), optional: z.boolean() })

/**
 * A template as it is stored: its texts, ready to render, per channel and language. The core does
 * not look inside `content`; `hash` names exactly these texts, for ever.
 */
export const templateBundleSchema = z.strictObject({
  id: identifierSchema,
  hash: z.string().min(1),
  channels: z.partialRecord(
    z.enum(channelNames),
    z.strictObject({
      sensitivity: z.enum(sensitivities),
      variables: z.array(templateVariableSchema),
      content: z.partialRecord(z.enum(localeNames), z.record(z.string(), z.string())),
    }),
  ),
})
export type TemplateBundle = z.infer<typeof templateBundleSchema>

/** A whole definition: every file of the organisation's folder, read and found consistent. */
export const definitionBundleSchema = z.strictObject({
  touchpoints: touchpointsFileSchema,
  personas: personasFileSchema,
  journeys: journeysFileSchema,
  attributes: attributesFileSchema,
  policies: policiesFileSchema,
  channels: channelsFileSchema,
  campaigns: z.array(campaignFileSchema),
  templates: z.array(templateBundleSchema),
})
export type DefinitionBundle = z.infer<typeof definitionBundleSchema>
