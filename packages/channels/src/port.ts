export type ChannelName = 'email' | 'sms' | 'app'

/** `from` and the mailbox in `OutgoingMessage.to` are one mailbox each, never a list. */
export type EmailContent = {
  kind: 'email'
  /** `name <mailbox>` or a bare mailbox; only the organisation's own configuration fills it. */
  from: string
  subject: string
  html: string
  text: string
}

export type SmsContent = {
  kind: 'sms'
  /** Alphanumeric sender (at most 11 characters) or an E.164 number. */
  from: string
  text: string
}

export type AppContent = { kind: 'app'; title: string; body: string; url?: string }

/** One message as it is handed to a provider: rendered, claimed and checked a moment ago. */
export type OutgoingMessage = {
  intentId: string
  /** The same on every attempt at one intent, so that a provider can fold repeats. */
  idempotencyKey: string
  /** Counts from 1. */
  attempt: number
  /** Of the claim under which it is handed over; only the last one of an intent has it. */
  fence: number
  /** A marked resend after an unknown outcome; the person may get it twice (P2). */
  duplicate: boolean
  channel: ChannelName
  /** A mailbox, a phone number (E.164 or national), or the person's address in the app. */
  to: string
  personId: string
  locale: string
  content: EmailContent | SmsContent | AppContent
  /** RFC 5322 Message-ID with its angle brackets, derived from the intent: equal on every attempt. */
  messageId: string
  /** ISO instant in business time; a provider that can is asked not to deliver after it. */
  expiresAt: string
  /** From now until `expiresAt`, when business time is not the time of day (a rehearsal). */
  validForSeconds?: number
  traceparent?: string
}

/**
 * What became of one hand-over. `reason` is a short code without personal data.
 *
 * - `accepted`: the provider answered yes.
 * - `refused`: the provider, or our own check, answered a definite no; a repeat gets the same.
 * - `deferred`: certainly not sent, and a later attempt may succeed.
 * - `unknown`: the provider may have it. Whether to repeat is the message class's choice (P2).
 */
export type Outcome =
  | { kind: 'accepted'; reference?: string }
  | {
      kind: 'refused'
      reason: string
      /** Our own check said no and the provider was not asked: nothing was heard of it. */
      unasked?: boolean
    }
  | {
      kind: 'deferred'
      reason: string
      retryAfterMs?: number
      /** It says nothing about other messages: a mailbox is full, or listed grey. */
      about?: 'message'
    }
  | { kind: 'unknown'; reason: string }

export type Channel = {
  name: ChannelName
  /** Name of the provider as it stands in stops and receipts, such as `smtp`. */
  provider: string
  /** A repeat with the same idempotency key is harmless: an unknown outcome may be retried. */
  idempotent: boolean
  /**
   * Never rejects: every fault is an outcome. Aborting before the first byte of the message was
   * written gives `deferred`, after it `unknown`.
   */
  send(message: OutgoingMessage, signal: AbortSignal): Promise<Outcome>
  /** True only if the other side said that it is a Wegwijs sandbox; false when it cannot be asked. */
  isSandbox(): Promise<boolean>
  close(): Promise<void>
}
