import { relationKinds } from './words.ts'

/** Who a message can go to, seen from the person whom it is about. */
export const recipientWords = ['person', ...relationKinds] as const
export type RecipientWord = (typeof recipientWords)[number]
