import { z } from 'zod'
import { channelNames, identifierSchema, positiveDurationSchema } from '../definition/words.ts'
import { momentSchema } from '../moment.ts'

/**
 * Plans one message. `channels` are tried in this order until one can be used (the persona's own
 * order when left out). `send` plans it for later; without it, it is due at once. `expires` says
 * how long after its due time it is still worth having; `until` ends it at a moment of the entity.
 */
export const messageStepSchema = z.strictObject({
  message: z.strictObject({
    id: identifierSchema,
    template: identifierSchema,
    channels: z.array(z.enum(channelNames)).min(1).optional(),
    send: momentSchema.optional(),
    expires: positiveDurationSchema.optional(),
    until: z
      .string()
      .regex(/^entity\.[a-z][A-Za-z0-9]*$/, 'expected a moment such as "entity.startsAt"')
      .optional(),
  }),
})
export type MessageStep = z.infer<typeof messageStepSchema>
