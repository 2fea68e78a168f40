const seconds = /^\d{1,9}$/

/**
 * Milliseconds that a Retry-After header asks for, from `now` (ISO instant): a number of seconds or
 * an HTTP date. Undefined when there is none or it is neither.
 */
export function retryAfterMs(
  header: string | string[] | undefined,
  now: string,
): number | undefined {
  const value = (Array.isArray(header) ? header[0] : header)?.trim()
  if (value === undefined || value === '') return undefined
  if (seconds.test(value)) return Number(value) * 1_000
  const difference = Date.parse(value) - Date.parse(now)
  return Number.isNaN(difference) ? undefined : Math.max(0, difference)
}
