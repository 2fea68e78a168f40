import type { AnswerMode } from './faults.ts'

/**
 * The lines of the sandbox's own files: what it accepted, whatever it answered afterwards. This is
 * the truth that system tests hold the ledger against, so a line is on disk before the answer.
 */
export type AcceptedEmail = {
  channel: 'email'
  /** Place in its file, from 1. */
  seq: number
  /** Real time, ISO. */
  receivedAt: string
  /** Null for a mail that is not from Wegwijs. */
  intentId: string | null
  messageId: string | null
  /** Marked as a possible duplicate by its sender. */
  duplicate: boolean
  from: string
  to: string
  subject: string
  html: string
  text: string
}

export type AcceptedSms = {
  channel: 'sms'
  seq: number
  receivedAt: string
  intentId: string
  idempotencyKey: string | null
  duplicate: boolean
  from: string
  to: string
  text: string
  validitySeconds: number | null
  /** The id that the sandbox gave it. */
  reference: string
}

/** A repeat of an idempotency key: answered as the first time, and no message. */
export type RepeatedSms = {
  seq: number
  receivedAt: string
  intentId: string
  idempotencyKey: string
  /** Marked as a possible duplicate by its sender: this time, whatever the first one was. */
  duplicate: boolean
  /** The id that the first one got. */
  reference: string
}

/** A message that was not simply accepted: each time that one met a fault (faults.ts). */
export type MetFault = {
  receivedAt: string
  channel: 'email' | 'sms'
  mode: AnswerMode
  intentId: string
}

export type AcceptedMessage = AcceptedEmail | AcceptedSms

/** Names of the files in the sandbox's directory, one JSON value a line. */
export const fileNames = {
  email: 'email.ndjson',
  sms: 'sms.ndjson',
  repeatedSms: 'sms-repeated.ndjson',
  metFaults: 'faults-met.ndjson',
  receiptsSent: 'receipts-sent.ndjson',
} as const
