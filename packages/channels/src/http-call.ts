import type { Pool } from 'undici'
import type { Bounds } from './bounded-send.ts'

/** How far a call came. `answer` has the body as far as it arrived. */
export type HttpCall =
  | { kind: 'answered'; status: number; headers: HttpHeaders; body: string }
  | { kind: 'not_sent'; cause: unknown }
  | { kind: 'sent_without_answer'; cause: unknown }

export type HttpHeaders = Record<string, string | string[] | undefined>

/** An answer to a message is a few lines. */
const maxAnswerLength = 64 * 1024

/**
 * One POST, told apart by what matters: was a byte written, and was it answered. It is the
 * dispatcher's own call, because undici's `request` does not tell whether it began to write.
 *
 * A call that is aborted, or whose time is over, while it waits for a connection is not sent. One whose status arrived
 * is answered, even if its body breaks off.
 */
export function post(
  pool: Pool,
  request: { path: string; headers: Record<string, string>; body: string },
  { signal, isOver }: Bounds,
): Promise<HttpCall> {
  if (signal.aborted) return Promise.resolve({ kind: 'not_sent', cause: signal.reason })
  const { promise, resolve } = Promise.withResolvers<HttpCall>()
  const progress: Progress = { began: false, body: '' }
  const settle = (call: HttpCall) => {
    signal.removeEventListener('abort', abort)
    resolve(call)
  }
  const abort = () => {
    progress.stop?.(asError(signal.reason))
    settle(endOf(progress, signal.reason))
  }
  signal.addEventListener('abort', abort, { once: true })
  pool.dispatch(
    { ...request, method: 'POST' },
    {
      onRequestStart: (controller) => {
        // Called before the first byte is written; aborting here writes none.
        if (isOver()) return controller.abort(asError(signal.reason))
        progress.began = true
        progress.stop = (reason) => controller.abort(reason)
      },
      onResponseStart: (_controller, status, headers) => {
        if (status >= 200) progress.answer = { status, headers }
      },
      onResponseData: (controller, chunk) => {
        progress.body += chunk.toString('utf8')
        if (progress.body.length > maxAnswerLength) controller.abort(new Error('answer too long'))
      },
      onResponseEnd: () => settle(endOf(progress, undefined)),
      onResponseError: (_controller, error) => settle(endOf(progress, error)),
    },
  )
  return promise
}

type Progress = {
  began: boolean
  answer?: { status: number; headers: HttpHeaders }
  body: string
  stop?: (reason: Error) => void
}

function endOf({ began, answer, body }: Progress, cause: unknown): HttpCall {
  if (answer !== undefined) return { kind: 'answered', ...answer, body }
  return began ? { kind: 'sent_without_answer', cause } : { kind: 'not_sent', cause }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted')
}
