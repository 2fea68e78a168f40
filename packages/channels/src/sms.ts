import { systemClock } from '@wegwijs/runtime/clock'
import type { CountryCode } from 'libphonenumber-js'
import { Pool } from 'undici'
import { type SendClock, sendWithin } from './bounded-send.ts'
import { post } from './http-call.ts'
import { parsePhone, parseSender } from './phone.ts'
import type { Channel, Outcome, OutgoingMessage } from './port.ts'
import { outcomeOfCall } from './sms-outcome.ts'

export type SmsOptions = {
  /** The provider's base address: messages are posted to `{url}/messages`. */
  url: string
  /** Sent as bearer token. */
  token: string
  /** The provider's name in stops and receipts. */
  provider?: string
  /** Whether the provider answers a repeat of an Idempotency-Key without sending again. */
  honoursIdempotencyKey: boolean
  /** Where the provider is asked to post receipts. */
  statusUrl?: string
  /** Where numbers without a country code belong. */
  country?: CountryCode
  connections?: number
  connectTimeoutMs?: number
  /** A whole hand-over, the wait for a connection included; shorter than the lease of delivery. */
  sendTimeoutMs?: number
  /** A connection that was not used for so long is not used again. */
  idleMs?: number
  clock?: SendClock
}

/** Providers refuse a validity that is over before the network has tried once. */
const shortestValiditySeconds = 60

/**
 * SMS through a provider with a JSON interface:
 * `POST {url}/messages {to, from, text, reference, statusUrl?, validitySeconds}` with the intent id as
 * reference, and the idempotency key in the header Idempotency-Key.
 */
export function createSmsChannel(options: SmsOptions): Channel {
  const { provider = 'sms-http', connectTimeoutMs = 5_000, sendTimeoutMs = 15_000 } = options
  const { honoursIdempotencyKey: idempotent, clock = systemClock, idleMs = 20_000 } = options
  const base = new URL(options.url)
  const path = (name: string) => `${base.pathname.replace(/\/$/, '')}/${name}`
  const pool = new Pool(base.origin, {
    connections: options.connections ?? 32,
    // One call at a time on a connection: with more, a lost connection leaves several unknown.
    pipelining: 1,
    // One that was idle for long may be closed just as it is written to: nobody knows then whether
    // the provider has the message. What the provider says of its own limit counts if it is shorter.
    keepAliveTimeout: Math.min(idleMs, 4_000),
    keepAliveMaxTimeout: idleMs,
    allowH2: false,
    connect: { timeout: connectTimeoutMs },
    headersTimeout: sendTimeoutMs,
    bodyTimeout: sendTimeoutMs,
  })
  const authorization = `Bearer ${options.token}`

  return {
    name: 'sms',
    provider,
    idempotent,
    async send(message, signal) {
      const body = bodyOf(message, options, clock)
      if ('kind' in body) return body
      const headers = {
        authorization,
        'content-type': 'application/json',
        'idempotency-key': message.idempotencyKey,
        ...(message.duplicate ? { 'x-wegwijs-possible-duplicate': 'yes' } : {}),
        ...(message.traceparent === undefined ? {} : { traceparent: message.traceparent }),
      }
      const request = { path: path('messages'), headers, body: JSON.stringify(body) }
      const call = await sendWithin({ ms: sendTimeoutMs, signal, clock }, (bounds) =>
        post(pool, request, bounds),
      )
      return outcomeOfCall(call, { idempotent, nowMs: clock.epochMs() })
    },
    async isSandbox() {
      try {
        const { statusCode, body } = await pool.request({
          path: path('sandbox'),
          method: 'GET',
          headers: { authorization },
          signal: AbortSignal.timeout(connectTimeoutMs),
        })
        const answer: unknown = JSON.parse((await body.text()).slice(0, 1_000))
        return statusCode === 200 && isSandboxAnswer(answer)
      } catch {
        return false
      }
    },
    async close() {
      if (!pool.closed) await pool.close()
    },
  }
}

/** The message as the provider takes it; else the refusal. */
function bodyOf(message: OutgoingMessage, options: SmsOptions, clock: SendClock) {
  const { content } = message
  const { country = 'NL', statusUrl } = options
  if (content.kind !== 'sms') return refused('not_an_sms')
  const to = parsePhone(message.to, country)
  if (to === undefined) return refused('number_invalid')
  const from = parseSender(content.from, country)
  if (from === undefined) return refused('sender_invalid')
  return {
    to,
    from,
    text: content.text,
    reference: message.intentId,
    ...(statusUrl === undefined ? {} : { statusUrl }),
    validitySeconds: validityOf(message, clock),
  }
}

function validityOf(message: OutgoingMessage, clock: SendClock): number {
  const untilExpiry = (Date.parse(message.expiresAt) - clock.epochMs()) / 1_000
  const seconds = Math.floor(message.validForSeconds ?? untilExpiry)
  return Math.max(shortestValiditySeconds, Number.isNaN(seconds) ? 0 : seconds)
}

function isSandboxAnswer(answer: unknown): boolean {
  return (
    typeof answer === 'object' &&
    answer !== null &&
    'sandbox' in answer &&
    answer.sandbox === 'wegwijs'
  )
}

/** By our own check, before anything was opened or written. */
function refused(reason: string): Outcome {
  return { kind: 'refused', reason, unasked: true }
}
