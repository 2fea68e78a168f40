import { Temporal } from 'temporal-polyfill'
import { z } from 'zod'
import type { Condition } from './condition.ts'
import { isDuration, touchpointTypeSchema } from './definition/words.ts'

/**
 * The leaf of a condition that asks what has happened to a person:
 * `{ happened: { touchpoint: care.appointment.missed.v1, within: P90D, times: { atLeast: 2 } } }`.
 *
 * - Every event of that type counts which was taken in about the person, once however often it came (P2),
 *   on the day on which it happened and in whatever order it came. The one that is being decided counts,
 *   too. So does one of an older version of an appointment: it happened.
 * - `within: P30D` is today and the 30 days before it, whole days of the organisation's calendar.
 * - `where` looks at nothing but the data of the event, as it was when it was taken in.
 * - Of two people who turn out to be one, both counts are added up.
 *
 * Nobody looks through a history to answer: a count for each day is kept with the person (counts.ts).
 */
export type Happened = {
  touchpoint: string
  within: string
  times?: Times | undefined
  where?: Condition | undefined
}
export type HappenedLeaf = { happened: Happened }

export type Times = {
  atLeast?: number | undefined
  atMost?: number | undefined
  exactly?: number | undefined
}

/** History is kept for thirteen months (services/scheduler): a longer window would count too few. */
const LONGEST_WINDOW_DAYS = 366

const mostTimes = 1_000
const number = (atLeast: number) => z.number().int().min(atLeast).max(mostTimes).optional()

const timesSchema = z
  .strictObject({
    atLeast: number(1).describe('So often, or more.'),
    atMost: number(0).describe('So often, or less; never counts, too.'),
    exactly: number(0).describe('Just so often.'),
  })
  .refine(isSaid, 'expected atLeast, atMost or both, or exactly')
  .refine(
    ({ atLeast = 0, atMost = mostTimes }) => atLeast <= atMost,
    'expected atLeast to be no more than atMost',
  )

function isSaid({ atLeast, atMost, exactly }: Times): boolean {
  const isRange = atLeast !== undefined || atMost !== undefined
  return isRange !== (exactly !== undefined)
}

/** `conditions` is the schema of conditions that it may hold. */
export function happenedSchema(conditions: z.ZodType<Condition>): z.ZodType<HappenedLeaf> {
  return z
    .strictObject({
      happened: z
        .strictObject({
          touchpoint: touchpointTypeSchema.describe('What happened.'),
          within: z
            .string()
            .refine(
              (text) => daysIn(text) !== null,
              `expected whole days or weeks such as "P30D", up to "P${LONGEST_WINDOW_DAYS}D"`,
            )
            .describe(
              'How far back: `P30D` is today and the 30 days before it, whole days on the calendar of the organisation.',
            ),
          times: timesSchema
            .optional()
            .describe('How often, such as `{ atLeast: 3 }`; without it, at least once.'),
          where: conditions
            .optional()
            .describe(
              'Only those of which this holds; it asks for `event` alone, which is their data.',
            ),
        })
        .describe('What happened, how often, and since when.'),
    })
    .describe(
      'Holds when something has happened so often of late to the person. The event that is being decided counts, too.',
    )
}

/** The days of a window before today; null for what is no such window. */
export function daysIn(within: string): number | null {
  if (!isDuration(within)) return null
  const duration = Temporal.Duration.from(within)
  const days = duration.weeks * 7 + duration.days
  // Years and months are of no one length, and hours are no days.
  const isWhole = duration.with({ weeks: 0, days: 0 }).blank
  return isWhole && days >= 1 && days <= LONGEST_WINDOW_DAYS ? days : null
}

/** Whether something that happened so many times did so as often as asked for. */
export function isAsOften(count: number, times: Times = { atLeast: 1 }): boolean {
  const { exactly, atLeast = 0, atMost = Number.POSITIVE_INFINITY } = times
  return exactly === undefined ? count >= atLeast && count <= atMost : count === exactly
}
