import { createHmac, timingSafeEqual } from 'node:crypto'
import type { TouchpointEvent } from './touchpoint-event.ts'

/**
 * `message.*` events come back to us over the same topic as everybody's. The signature proves that
 * Wegwijs wrote them: HMAC-SHA256 in hex over id, source, type, subject, the intent id and, where it has them, the
 * answer, the task and its outcome, each prefixed with its length in bytes, with WEGWIJS_SECRET.
 */
export function signEvent(event: TouchpointEvent, secret: string): TouchpointEvent {
  return { ...event, signature: eventSignature(event, secret) }
}

/** True when the event carries the signature that `secret` gives. */
export function verifyEvent(event: TouchpointEvent, secret: string): boolean {
  return isSame(event.signature, eventSignature(event, secret))
}

function eventSignature(event: TouchpointEvent, secret: string): string {
  const intentId = typeof event.data.intentId === 'string' ? event.data.intentId : ''
  const hmac = createHmac('sha256', secret)
  const { answer, taskId, outcome } = event.data
  const said = [answer, taskId, outcome].filter((part) => typeof part === 'string')
  for (const part of [event.id, event.source, event.type, event.subject, intentId, ...said]) {
    hmac.update(`${Buffer.byteLength(part)}:`).update(part)
  }
  return hmac.digest('hex')
}

/** HMAC-SHA256 in hex over the bytes of an HTTP body as they were sent. */
export function signBody(body: Buffer | string, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex')
}

export function verifyBody(
  body: Buffer | string,
  signature: string | undefined,
  secret: string,
): boolean {
  return isSame(signature, signBody(body, secret))
}

/** Takes the same time for every wrong signature, so that none can be found byte by byte. */
function isSame(given: string | undefined, expected: string): boolean {
  if (given === undefined) return false
  const [givenBytes, expectedBytes] = [Buffer.from(given), Buffer.from(expected)]
  return givenBytes.length === expectedBytes.length && timingSafeEqual(givenBytes, expectedBytes)
}
