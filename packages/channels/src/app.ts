import { isRetryable } from '@wegwijs/runtime/failure'
import type { AppContent, Channel, Outcome, OutgoingMessage } from './port.ts'

/**
 * Where app messages wait until the person's app reads them. Putting the message of an intent a
 * second time changes nothing.
 *
 * `unavailable`: it was certainly not put, and may be later.
 *
 * @throws an error that `isRetryable` when nobody knows whether it was put, as when the connection
 *   is lost before the answer; any other when it never can be
 */
export type AppInbox = {
  put(
    message: OutgoingMessage & { content: AppContent },
    signal: AbortSignal,
  ): Promise<'put' | 'unavailable'>
}

/** App messages: ours from end to end, so nothing leaves the house and a rehearsal is harmless. */
export function createAppChannel(inbox: AppInbox, provider = 'app-inbox'): Channel {
  return {
    name: 'app',
    provider,
    idempotent: true,
    async send(message, signal) {
      const { content } = message
      if (content.kind !== 'app') {
        return { kind: 'refused', reason: 'not_an_app_message', unasked: true }
      }
      if (signal.aborted) return { kind: 'deferred', reason: 'app_aborted' }
      return unlessAborted(put(inbox, { ...message, content }, signal), signal)
    },
    isSandbox: async () => true,
    close: async () => undefined,
  }
}

async function put(
  inbox: AppInbox,
  message: OutgoingMessage & { content: AppContent },
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const came = await inbox.put(message, signal)
    return came === 'put'
      ? { kind: 'accepted', reference: message.intentId }
      : { kind: 'deferred', reason: 'app_inbox_unavailable' }
  } catch (error) {
    // P2: as deferred it could go out over the next channel as well, though it stands in the inbox.
    return isRetryable(error)
      ? { kind: 'unknown', reason: 'app_inbox_no_answer' }
      : { kind: 'refused', reason: 'app_inbox_refused' }
  }
}

/** What is being written when it is aborted may still be put, so nothing is known. */
async function unlessAborted(outcome: Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  const { promise: aborted, resolve } = Promise.withResolvers<Outcome>()
  const abort = () => resolve({ kind: 'unknown', reason: 'app_aborted' })
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([outcome, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
