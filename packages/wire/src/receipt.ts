import { z } from 'zod'

/**
 * What a provider tells us about messages it accepted: `POST /v1/receipts/{provider}`. The raw body
 * is signed in the header `x-wegwijs-receipt-signature` (signature.ts, `signBody`).
 */
export const receiptSignatureHeader = 'x-wegwijs-receipt-signature'

export const receiptStatuses = [
  'delivered',
  'bounced',
  'complained',
  'opened',
  'clicked',
  'replied',
  'answered',
] as const
export type ReceiptStatus = (typeof receiptStatuses)[number]

export const receiptSchema = z.strictObject({
  /** The provider's id of this receipt: the same one again is the same receipt. */
  receiptId: z.string().min(1).max(200),
  /** The intent id that we gave with the message. */
  reference: z.uuid(),
  status: z.enum(receiptStatuses),
  at: z.iso.datetime({ offset: true }),
  /** A code such as `mailbox_full`; never an address, never text of the message. */
  detail: z.string().min(1).max(200).optional(),
  /** Of `answered`: the name of the answer, from a provider that shows the answers as buttons. */
  answer: z.string().min(1).max(64).optional(),
})
export type Receipt = z.output<typeof receiptSchema>

export const maxReceiptsPerRequest = 500

export const receiptsSchema = z.strictObject({
  receipts: z.array(receiptSchema).min(1).max(maxReceiptsPerRequest),
})
export type Receipts = z.output<typeof receiptsSchema>

/** `delivered` becomes `message.delivered.v1`. */
export function messageType(status: ReceiptStatus): `message.${ReceiptStatus}.v1` {
  return `message.${status}.v1`
}
