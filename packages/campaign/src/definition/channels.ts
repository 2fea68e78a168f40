import { z } from 'zod'
import { identifierSchema, sensitivities } from './words.ts'

const channelSchema = {
  provider: identifierSchema.describe(
    'Name of the provider: what `wegwijs stop provider` takes, and under which receipts are posted.',
  ),
  sensitivity: z
    .enum(sensitivities)
    .describe(
      'The most telling content that may travel over it. A template that tells more is refused.',
    ),
}

/** `channels.yaml`: what may travel over each channel, and under whose name. Hosts and passwords are configuration. */
export const channelsFileSchema = z.strictObject({
  email: z
    .strictObject({
      ...channelSchema,
      from: z.string().min(3).describe('Name and address of the sender.'),
    })
    .optional()
    .describe('E-mail, when the organisation sends any.'),
  sms: z
    .strictObject({
      ...channelSchema,
      from: z.string().min(1).max(11).describe('The name that the telephone shows as sender.'),
    })
    .optional()
    .describe('Text messages, when the organisation sends any. They light up on a locked screen.'),
  app: z
    .strictObject({ ...channelSchema })
    .optional()
    .describe('The inbox of the app or portal, when the organisation has one.'),
})
export type ChannelsFile = z.infer<typeof channelsFileSchema>
