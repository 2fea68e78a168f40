import { Temporal } from 'temporal-polyfill'
import { z } from 'zod'
import { identifierSchema, localTimeSchema, positiveDurationSchema } from '../definition/words.ts'
import type { Words } from '../explain/words.ts'
import { instantOf, isBeyondAll } from '../instant.ts'
import { type Anchored, anchoredTo, onSchema } from '../moment.ts'
import { maxAgeSchema } from './max-age.ts'
import type { Coming, DateFacts, TriggerKind } from './trigger-kind.ts'

const around = {
  before: positiveDurationSchema.optional().describe('How long before that date, such as `P1D`.'),
  after: positiveDurationSchema.optional().describe('How long after that date, such as `P1Y`.'),
  at: localTimeSchema
    .optional()
    .describe(
      'Local time of the person on that day, such as `"10:00"`. Without it, the time of the moment itself; a calendar day has none, and needs it.',
    ),
  on: onSchema.describe(
    '`working-day` moves over weekends, public holidays and closed days, a list of weekdays to the nearest of them: forward with `after`, else backward.',
  ),
}

const notBoth = ({ before, after }: { before?: string | undefined; after?: string | undefined }) =>
  before === undefined || after === undefined

const ofEntitySchema = z
  .strictObject({
    entity: identifierSchema.describe(
      'The type of entity whose date it is, such as `appointment`.',
    ),
    field: z
      .string()
      .regex(/^[a-z][A-Za-z0-9]*$/, 'expected a field of the entity such as "startsAt"')
      .describe('Its field, such as `startsAt`.'),
    ...around,
  })
  .refine(notBoth, 'expected before or after, not both')
  .describe('A date of an appointment, a stay or the like.')

const ofPersonSchema = z
  .strictObject({
    field: z
      .string()
      .regex(/^person\.[a-z][A-Za-z0-9]*$/, 'expected a field such as "person.operationOn"')
      .describe('A field of the person, such as `person.operationOn`.'),
    ...around,
    every: z.literal('year').optional().describe('It comes back every year, like a birthday.'),
  })
  .refine(notBoth, 'expected before or after, not both')
  .describe('A date of the person.')

const dateTriggerSchema = z.strictObject({
  date: z.union([ofEntitySchema, ofPersonSchema]).describe('Which date, and how far from it.'),
  maxAge: maxAgeSchema,
})
export type DateTrigger = z.infer<typeof dateTriggerSchema>
type Said = DateTrigger['date']

export const dateTrigger: TriggerKind<DateTrigger> = {
  key: 'date',
  meaning:
    'Starts when a date comes: some time before, on or after a moment of an appointment or a stay, or a day or moment that is known of the person, once or every year. Whether somebody enters is asked when that moment comes, with what is known then. When the appointment moves, the moment moves with it, at once; when it is cancelled, or the date is taken away, it does not come. Who had entered for a date that has moved into the future leaves, and enters again when the new one comes. A moment that has passed by more than `maxAge` starts nothing. `entity` is the appointment or the stay; there is no `event`.',
  explanation: {
    nl: ({ date }, words) => `wacht op ${inDutch(date, words)}`,
    en: ({ date }, words) => `waits for ${inEnglish(date, words)}`,
  },
  schema: dateTriggerSchema,
  parts: ({ date }) => ({
    types: [],
    ...('entity' in date ? { entity: { path: ['date', 'entity'], type: date.entity } } : {}),
    date: {
      path: ['date', 'field'],
      field: fieldOf(date),
      span: spanOf(date),
      latestAfter: date.after ?? 'PT0S',
      hasTime: date.at !== undefined,
      isYearly: isYearly(date),
    },
  }),
  decide: () => null,
  comesAt({ date }, facts) {
    const anchored = anchorOf(date, facts)
    if (anchored === null) return null
    return isYearly(date)
      ? nextYearly(date, anchored, facts)
      : { moment: instantOf(anchored.momentOf(0)), day: null }
  },
}

function inDutch(date: Said, words: Words): string {
  const { before, after, at } = date
  const span = before ?? after
  const side = before === undefined ? 'na' : 'voor'
  const distance = span === undefined ? '' : `${words.duration(span)} ${side} `
  return `${distance}${words.field(fieldOf(date))}${at === undefined ? '' : ` om ${at}`}`
}

function inEnglish(date: Said, words: Words): string {
  const { before, after, at } = date
  const span = before ?? after
  const side = before === undefined ? 'after' : 'before'
  const distance = span === undefined ? '' : `${words.duration(span)} ${side} `
  return `${distance}${words.field(fieldOf(date))}${at === undefined ? '' : ` at ${at}`}`
}

function isYearly(date: Said): boolean {
  return 'every' in date && date.every !== undefined
}

function fieldOf(date: Said): string {
  return 'entity' in date ? `entity.${date.field}` : date.field
}

function spanOf({ before, after }: Said) {
  if (before !== undefined) return { path: ['date', 'before'], duration: before }
  return after === undefined ? null : { path: ['date', 'after'], duration: after }
}

function anchorOf(date: Said, { value, timeZone, isWorkingDay }: DateFacts): Anchored | null {
  const { before, after, at, on } = date
  const span = before === undefined ? after : `-${before}`
  const around = { span, at, on, days: after === undefined ? (-1 as const) : (1 as const) }
  return anchoredTo(value, around, { timeZone, isWorkingDay })
}

/** The first that is not before `from`: one of the years around it, moved as far as is said. None before all years. */
function nextYearly(
  date: Said,
  { year, dayOf, momentOf }: Anchored,
  { from, timeZone }: DateFacts,
): Coming | null {
  const ofYear = (years: number): Coming => ({
    moment: instantOf(momentOf(years)),
    day: dayOf(years).toString(),
  })
  const span = Temporal.Duration.from(date.before ?? date.after ?? 'PT0S')
  if (isBeyondAll(span)) return date.before === undefined ? ofYear(0) : null
  const spanYears = Math.ceil(
    span.total({ unit: 'years', relativeTo: Temporal.PlainDate.from('2000-01-01') }),
  )
  const wantedYear = Temporal.Instant.from(from).toZonedDateTimeISO(timeZone).year
  for (let years = Math.max(0, wantedYear - year - spanYears - 1); ; years += 1) {
    const coming = ofYear(years)
    if (coming.moment >= from) return coming
  }
}
