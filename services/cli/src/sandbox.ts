import { type Environment, resolveConfig } from '@wegwijs/runtime/env'
import { fail } from '@wegwijs/runtime/failure'

/** Where the sandbox's own page is: as told, or beside the SMS provider that it plays. */
export function sandboxUrl(environment: Environment, given: string | undefined): string {
  if (given !== undefined) return given
  const { smsUrl, sandboxHttpPort } = resolveConfig(
    environment,
    ['WEGWIJS_SANDBOX_HTTP_PORT'],
    ['WEGWIJS_SMS_URL'],
  )
  return smsUrl === undefined ? `http://127.0.0.1:${sandboxHttpPort}` : new URL(smsUrl).origin
}

/**
 * What the sandbox has still to say, asked of its page.
 *
 * @throws WEGWIJS_SANDBOX_SILENT (retryable)
 */
export function sandboxStatus(url: string): () => Promise<{ pending: number }> {
  const status = new URL('/status', url)
  return async () => {
    let answer: unknown
    try {
      const response = await fetch(status, { signal: AbortSignal.timeout(5_000) })
      answer = await response.json()
    } catch (error) {
      throw fail('WEGWIJS_SANDBOX_SILENT', { url: status.origin }, error)
    }
    const { receiptsPending, underWay } = answer as Record<string, unknown>
    if (typeof receiptsPending !== 'number' || typeof underWay !== 'number') {
      throw fail('WEGWIJS_SANDBOX_SILENT', { url: status.origin })
    }
    return { pending: receiptsPending + underWay }
  }
}
