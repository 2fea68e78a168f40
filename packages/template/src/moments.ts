import { Temporal } from 'temporal-polyfill'
import type { MomentFormat } from './syntax.ts'

/** For whom a moment is written: a language and a zone of the clock on that person's wall. */
export type Reader = { locale: string; timeZone: string }

const options: Record<MomentFormat, Intl.DateTimeFormatOptions> = {
  date: { day: 'numeric', month: 'long', year: 'numeric' },
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  weekday: { weekday: 'long' },
  dateTime: {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  },
}

/** British English, since its dates run as the Dutch do: day, month, year, and a clock of 24 hours. */
const dialects: Record<string, string> = { nl: 'nl-NL', en: 'en-GB' }

const dateOnly = /^\d{4}-\d{2}-\d{2}$/

/**
 * Writes an instant (`2026-03-03T08:30:00Z`, any offset) or, for `date` and `weekday`, a day without
 * a time (`2026-03-03`) in the reader's language and zone. Undefined when it is neither: a time
 * without an offset is refused, since guessing the zone sends people to hospital at the wrong hour.
 */
export function writeMoment(
  value: unknown,
  format: MomentFormat,
  reader: Reader,
): string | undefined {
  if (typeof value !== 'string') return undefined
  const locale = dialects[reader.locale] ?? reader.locale
  try {
    if (dateOnly.test(value)) {
      if (format !== 'date' && format !== 'weekday') return undefined
      const day = Temporal.PlainDate.from(value).toZonedDateTime('UTC')
      return writerOf(locale, 'UTC', format).format(day.epochMilliseconds)
    }
    const { epochMilliseconds } = Temporal.Instant.from(value)
    return writerOf(locale, reader.timeZone, format).format(epochMilliseconds)
  } catch {
    return undefined
  }
}

const mostWriters = 500
const writers = new Map<string, Intl.DateTimeFormat>()

/** Remembered: to make one costs more than to write the whole e-mail around it. */
function writerOf(locale: string, timeZone: string, format: MomentFormat): Intl.DateTimeFormat {
  const key = `${locale} ${timeZone} ${format}`
  const known = writers.get(key)
  if (known) return known
  const writer = new Intl.DateTimeFormat(locale, { ...options[format], timeZone })
  if (writers.size >= mostWriters) writers.clear()
  writers.set(key, writer)
  return writer
}
