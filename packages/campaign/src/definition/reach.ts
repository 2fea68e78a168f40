import { Temporal } from 'temporal-polyfill'
import { z } from 'zod'
import { isDuration, positiveDurationSchema } from './words.ts'

const LONGEST_PERIOD_DAYS = 366
const LONGEST_PERIOD_MINUTES = LONGEST_PERIOD_DAYS * 24 * 60
/** PostgreSQL adds what somebody has let go to it, as an integer. */
const MOST = 1_000_000_000

/** Whole days or weeks, or hours and minutes: what begins at a moment that everybody can tell. */
function isPeriod(text: string): boolean {
  if (!isDuration(text)) return true
  const { years, months, weeks, days, hours, minutes, seconds, milliseconds } =
    Temporal.Duration.from(text)
  const [inDays, inMinutes] = [weeks * 7 + days, hours * 60 + minutes]
  if (years + months + seconds + milliseconds !== 0) return false
  if (inDays > LONGEST_PERIOD_DAYS || inMinutes > LONGEST_PERIOD_MINUTES) return false
  return inDays > 0 !== inMinutes > 0
}

const per = positiveDurationSchema
  .refine(
    isPeriod,
    'expected days or weeks, or hours and minutes, such as "P1D" or "PT6H", up to "P366D"',
  )
  .describe(
    'In each period of this length: days and weeks begin at midnight of the organisation, weeks on a Monday.',
  )

/** How many messages of a campaign go out before somebody is asked. */
export const reachSchema = z
  .union([
    z
      .strictObject({
        most: z
          .number()
          .int()
          .min(1)
          .max(MOST)
          .describe('So many messages go out; more wait for a word.'),
        per,
      })
      .describe('At most so many.'),
    z
      .strictObject({
        expected: z
          .tuple([z.number().int().min(0), z.number().int().min(1).max(MOST)])
          .refine(([from, to]) => from <= to, 'expected the smaller number first')
          .describe('From how many to how many messages are expected to go out.'),
        per,
      })
      .describe('At most the larger number; of fewer than the smaller one `wegwijs status` warns.'),
  ])
  .meta({
    id: 'reach',
    title: 'How far a campaign reaches',
    description:
      'How many of its messages go out within a period. What is more waits, and somebody is asked. Counted when it is released to be sent: what the last check then refuses has had its place, and what is tried again takes no other one.',
  })
export type Reach = z.infer<typeof reachSchema>

/** The most that go out without a word, and the fewest that are expected. */
export function bandOf(reach: Reach): { least: number; most: number } {
  if ('most' in reach) return { least: 0, most: reach.most }
  const [least, most] = reach.expected
  return { least, most }
}
