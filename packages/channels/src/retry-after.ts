const seconds = /^\d{1,9}$/

/**
 * Milliseconds that a Retry-After header asks for, from `nowMs` (since 1970): a number of seconds or
 * an HTTP date. Undefined when there is none or it is neither.
 */
export function retryAfterMs(
  header: string | string[] | undefined,
  nowMs: number,
): number | undefined {
  const value = (Array.isArray(header) ? header[0] : header)?.trim()
  if (value === undefined || value === '') return undefined
  if (seconds.test(value)) return Number(value) * 1_000
  const difference = Date.parse(value) - nowMs
  return Number.isNaN(difference) ? undefined : Math.max(0, difference)
}
