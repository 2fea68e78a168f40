const CANONICAL_LENGTH = '2026-01-01T00:00:00.000Z'.length

const RFC_3339 =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])([Tt])((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(\.\d+)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/**
 * An RFC 3339 time as ISO 8601 in UTC with exactly three decimals, so that the order of the texts is
 * the order of the moments. Finer decimals are cut off; a leap second becomes the last millisecond
 * before it. Undefined when the text is not RFC 3339 or names a day that does not exist.
 */
export function normaliseTime(text: string): string | undefined {
  const match = RFC_3339.exec(text)
  if (match === null) return undefined
  const [, year, month, day, separator, hourMinute, second, fraction = '', zone = ''] = match
  if (Number(day) > daysInMonth(Number(year), Number(month))) return undefined
  // Most publishers write it as we do; then it is right as it stands, and Date costs the most here.
  const canonical = separator === 'T' && zone === 'Z' && fraction.length === 4 && second !== '60'
  if (canonical) return text
  const seconds = second === '60' ? '59.999' : `${second}${fraction.slice(0, 4)}`
  const date = `${year}-${month}-${day}T${hourMinute}:${seconds}${zone.toUpperCase()}`
  const instant = new Date(date).toISOString()
  // A zone can carry a time over the first or last year that four digits hold.
  return instant.length === CANONICAL_LENGTH ? instant : undefined
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}
