import { Temporal } from 'temporal-polyfill'

/** Epoch milliseconds of a cell, or undefined when it does not say a time as the mapping promises. */
export type LogTime = (cell: string) => number | undefined

const tokens = {
  yyyy: ['year', '\\d{4}'],
  MM: ['month', '\\d{1,2}'],
  dd: ['day', '\\d{1,2}'],
  HH: ['hour', '\\d{1,2}'],
  mm: ['minute', '\\d{2}'],
  ss: ['second', '\\d{2}'],
  SSS: ['millisecond', '\\d{1,3}'],
} as const

/**
 * Reads times in `format` as the clocks of `zone` showed them. An hour that the clocks skipped is
 * the one after it, one that they showed twice the first: the rule of RFC 5545. `iso` reads ISO 8601,
 * with an offset or without one.
 */
export function logTime(format: string, zone: string): LogTime {
  const read = format === 'iso' ? readIso : readFormat(format)
  return (cell) => {
    try {
      const time = read(cell.trim())
      if (time === undefined) return undefined
      if (time instanceof Temporal.Instant) return time.epochMilliseconds
      return time.toZonedDateTime(zone, { disambiguation: 'compatible' }).epochMilliseconds
    } catch (error) {
      if (error instanceof RangeError) return undefined
      throw error
    }
  }
}

type FieldName = (typeof tokens)[keyof typeof tokens][0]

type Time = Temporal.Instant | Temporal.PlainDateTime | undefined

function readIso(text: string): Time {
  if (/(?:Z|[+-]\d{2}:?\d{2})$/i.test(text)) return Temporal.Instant.from(text.replace(' ', 'T'))
  return Temporal.PlainDateTime.from(text.replace(' ', 'T'))
}

function readFormat(format: string): (text: string) => Time {
  const names: FieldName[] = []
  const pattern = format.replace(/yyyy|MM|dd|HH|mm|ss|SSS|[^A-Za-z]/g, (part) => {
    if (!Object.hasOwn(tokens, part)) return part.replace(/[^\s\w]/g, '\\$&')
    const [name, digits] = tokens[part as keyof typeof tokens]
    names.push(name)
    return `(${digits})`
  })
  const whole = new RegExp(`^${pattern}$`)
  return (text) => {
    const match = whole.exec(text)
    if (match === null) return undefined
    const fields: { [Name in FieldName]?: number } = {}
    for (const [index, name] of names.entries()) fields[name] = Number(match[index + 1])
    return Temporal.PlainDateTime.from(fields as Temporal.PlainDateTimeLike, { overflow: 'reject' })
  }
}
