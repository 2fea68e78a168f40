import type { OutcomeRates } from '@wegwijs/dry-run/outcome-model'
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
  return async () => {
    const { receiptsPending, underWay } = await ask(url, '/status')
    if (typeof receiptsPending !== 'number' || typeof underWay !== 'number') {
      throw fail('WEGWIJS_SANDBOX_SILENT', { url: new URL(url).origin })
    }
    return { pending: receiptsPending + underWay }
  }
}

/**
 * By which shares things come out, as the sandbox has them: who answers, and who does tasks.
 *
 * @throws WEGWIJS_SANDBOX_SILENT (retryable)
 */
export async function sandboxRates(url: string): Promise<OutcomeRates> {
  const { bounced, none, ...more } = await ask(url, '/outcomes')
  if (typeof bounced !== 'number' || typeof none !== 'number') {
    throw fail('WEGWIJS_SANDBOX_SILENT', { url: new URL(url).origin })
  }
  return { bounced, none, ...more }
}

async function ask(url: string, path: string): Promise<Record<string, unknown>> {
  const asked = new URL(path, url)
  try {
    const response = await fetch(asked, { signal: AbortSignal.timeout(5_000) })
    return (await response.json()) as Record<string, unknown>
  } catch (error) {
    throw fail('WEGWIJS_SANDBOX_SILENT', { url: asked.origin }, error)
  }
}
