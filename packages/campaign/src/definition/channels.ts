import { z } from 'zod'
import { identifierSchema, sensitivities } from './words.ts'

const channelSchema = {
  /** Name of the provider, also what `wegwijs stop provider` takes and receipts are posted under. */
  provider: identifierSchema,
  /** The most telling content that may travel over it. */
  sensitivity: z.enum(sensitivities),
}

/** `channels.yaml`: what may travel over each channel, and under whose name. Hosts and passwords are configuration. */
export const channelsFileSchema = z.strictObject({
  email: z.strictObject({ ...channelSchema, from: z.string().min(3) }).optional(),
  sms: z.strictObject({ ...channelSchema, from: z.string().min(1).max(11) }).optional(),
  app: z.strictObject({ ...channelSchema }).optional(),
})
export type ChannelsFile = z.infer<typeof channelsFileSchema>
