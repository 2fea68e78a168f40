/**
 * Runs `send` with a signal that is aborted when `signal` is, and with a TimeoutError after `ms` milliseconds.
 * AbortSignal.any of the two costs five times as much, and its timer goes on, and fires, when the send has ended.
 */
export async function sendWithin<Result>(
  ms: number,
  signal: AbortSignal,
  send: (bounded: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const bounded = new AbortController()
  const abort = () => bounded.abort(signal.reason)
  const expire = () => bounded.abort(new DOMException('the send took too long', 'TimeoutError'))
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  const timer = setTimeout(expire, ms).unref()
  try {
    return await send(bounded.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}
