import type { HttpCall } from './http-call.ts'
import type { Outcome } from './port.ts'
import { retryAfterMs } from './retry-after.ts'

/** Statuses that say something about our account or the address, not about this message. */
const aboutUs = new Set([401, 402, 403, 404, 405])

/** Statuses with which a server says that it did nothing and may later. */
const later = new Set([408, 425, 429, 503])

/**
 * What one call to the provider means for the message.
 *
 * | the provider                                  | the message                              |
 * | --------------------------------------------- | ---------------------------------------- |
 * | answered 2xx                                  | accepted                                 |
 * | answered 408, 425, 429, 503                   | deferred, as long as Retry-After says    |
 * | answered 401, 402, 403, 404, 405, or 3xx      | deferred: mend our account or address    |
 * | answered another 4xx                          | refused                                  |
 * | answered another 5xx                          | unknown: it may have it all the same     |
 * | could not be reached, nothing was written     | deferred                                 |
 * | did not answer                                | unknown                                  |
 *
 * 409 from a provider that honours the key means that the first call with it still runs: deferred; that
 * nobody knows of that one stays as it is. What is unknown is tried again under the same key where a
 * repeat is harmless, and never goes to another channel (P2).
 */
export function outcomeOfCall(
  call: HttpCall,
  { idempotent, nowMs }: { idempotent: boolean; nowMs: number },
): Outcome {
  if (call.kind !== 'answered') {
    const kind = call.kind === 'not_sent' ? 'deferred' : 'unknown'
    return { kind, reason: `sms_${reasonOf(call.cause)}` }
  }
  if (call.status < 300) return acceptedWith(call.body)
  const kind = kindOfStatus(call.status, idempotent)
  const reason = `sms_${call.status}`
  const waitMs = retryAfterMs(call.headers['retry-after'], nowMs)
  return kind === 'deferred' && waitMs !== undefined
    ? { kind, reason, retryAfterMs: waitMs }
    : { kind, reason }
}

function kindOfStatus(status: number, idempotent: boolean): 'refused' | 'deferred' | 'unknown' {
  if (status < 400 || aboutUs.has(status) || later.has(status)) return 'deferred'
  if (status === 409 && idempotent) return 'deferred'
  return status < 500 ? 'refused' : 'unknown'
}

/** The provider's own id of the message, if it gives one that we can read. */
function acceptedWith(body: string): Outcome {
  try {
    const answer: unknown = JSON.parse(body)
    if (typeof answer === 'object' && answer !== null && 'reference' in answer) {
      const { reference } = answer
      if (typeof reference === 'string' && reference.length <= 200) {
        return { kind: 'accepted', reference }
      }
    }
  } catch {
    // Accepted is what the status says.
  }
  return { kind: 'accepted' }
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const name = cause instanceof Error ? cause.name : ''
  return reasons[code] ?? reasons[name] ?? 'failed'
}

const reasons: Record<string, string> = {
  AbortError: 'aborted',
  EAI_AGAIN: 'dns_failed',
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_lost',
  ENOTFOUND: 'dns_failed',
  EPIPE: 'connection_lost',
  ETIMEDOUT: 'timed_out',
  TimeoutError: 'timed_out',
  UND_ERR_BODY_TIMEOUT: 'timed_out',
  UND_ERR_CLOSED: 'closed',
  UND_ERR_CONNECT_TIMEOUT: 'timed_out',
  UND_ERR_DESTROYED: 'closed',
  UND_ERR_HEADERS_TIMEOUT: 'timed_out',
  UND_ERR_SOCKET: 'connection_lost',
}
