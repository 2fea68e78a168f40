import { Temporal } from 'temporal-polyfill'
import { z } from 'zod'
import type { Instant } from '../instant.ts'

const shape =
  /^(?<local>\d{4}-\d{2}-\d{2}[ T](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?) ?(?<offset>Z|[+-]\d{2}:\d{2})?$/

/** What the clocks of the organisation show, or, with an offset, of any place: `2026-03-14 09:30`. */
export const localMomentSchema = z
  .string()
  .refine(isLocalMoment, 'expected a moment such as "2026-03-14 09:30"')
  .meta({ title: 'moment' })

export function isLocalMoment(text: string): boolean {
  const { local = '' } = shape.exec(text)?.groups ?? {}
  try {
    Temporal.PlainDateTime.from(local.replace(' ', 'T'), { overflow: 'reject' })
    return local !== ''
  } catch {
    return false
  }
}

/**
 * The instant at which the clocks of a zone show it. In the night in which they go forward some times
 * are `skipped`, in the one in which they go back some come `twice`: those need their offset.
 */
export function resolveLocalMoment(
  text: string,
  timeZone: string,
): { instant: Instant } | { fault: 'skipped' | 'twice'; ways: readonly string[] } {
  const { local = '', offset } = shape.exec(text)?.groups ?? {}
  const plain = Temporal.PlainDateTime.from(local.replace(' ', 'T'))
  if (offset !== undefined) {
    return { instant: toText(Temporal.Instant.from(`${plain.toString()}${offset}`)) }
  }
  const [earlier, later] = (['earlier', 'later'] as const).map((disambiguation) =>
    plain.toZonedDateTime(timeZone, { disambiguation }),
  )
  if (!earlier || !later || earlier.epochMilliseconds === later.epochMilliseconds) {
    return { instant: toText(plain.toZonedDateTime(timeZone).toInstant()) }
  }
  const isSkipped = !earlier.toPlainDateTime().equals(plain)
  const ways = [earlier, later].map((each) => showLocalMoment(toText(each.toInstant()), timeZone))
  return { fault: isSkipped ? 'skipped' : 'twice', ways }
}

/** The instant of a moment that was found to be one. Throws RangeError on any other. */
export function instantOf(text: string, timeZone: string): Instant {
  const resolved = resolveLocalMoment(text, timeZone)
  if ('instant' in resolved) return resolved.instant
  throw new RangeError(`${text} is ${resolved.fault} in ${timeZone}`)
}

/** `2026-03-14 09:30`, as the clocks of a zone show it; with the offset when they show it twice. */
export function showLocalMoment(instant: Instant, timeZone: string): string {
  const zoned = Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone)
  const plain = zoned.toPlainDateTime()
  const isTwice = (['earlier', 'later'] as const).some(
    (disambiguation) =>
      plain.toZonedDateTime(timeZone, { disambiguation }).epochMilliseconds !==
      zoned.epochMilliseconds,
  )
  const smallestUnit = zoned.second === 0 ? 'minute' : 'second'
  const text = plain.toString({ smallestUnit }).replace('T', ' ')
  return isTwice ? `${text} ${zoned.offset}` : text
}

function toText(instant: Temporal.Instant): Instant {
  return instant.toString({ fractionalSecondDigits: 3 })
}
