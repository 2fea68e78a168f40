import { z } from 'zod'

/**
 * What somebody wrote back by SMS: `POST /v1/replies/{provider}`. The raw body is signed as receipts
 * are (receipt.ts).
 */
export const replySchema = z.strictObject({
  /** The provider's id of this message: the same one again is the same reply. */
  replyId: z.string().min(1).max(200),
  /** Whose number it is, in E.164: `+31612345678`. */
  from: z.string().regex(/^\+[1-9]\d{6,14}$/),
  text: z.string().max(1_600),
  at: z.iso.datetime({ offset: true }),
  /** The message that it answers, where the provider knows: the id that we gave with it. */
  reference: z.uuid().optional(),
})
export type Reply = z.output<typeof replySchema>

export const maxRepliesPerRequest = 500
