import { fieldNameSchema } from '@wegwijs/campaign/definition/field'
import { timeZoneSchema, touchpointTypeSchema } from '@wegwijs/campaign/definition/words'
import { z } from 'zod'

/**
 * How a log of another system is read as touchpoint events: `mappings/<name>.yaml`.
 *
 * Columns are named as the log's first line names them. A row whose activity is not listed is told
 * as unreadable: a log is mapped whole or its reader hears what is missing.
 */
const columnSchema = z.string().min(1)

const timeTokens = ['yyyy', 'MM', 'dd', 'HH', 'mm', 'ss', 'SSS'] as const

/** Tokens of Unicode TR 35 (`yyyy/MM/dd HH:mm:ss.SSS`) between other characters, or `iso`. */
const timeFormatSchema = z
  .string()
  .refine(
    (format) =>
      format === 'iso' ||
      (!/[A-Za-z]/.test(withoutTokens(format)) &&
        ['yyyy', 'MM', 'dd'].every((token) => format.includes(token))),
    'expected "iso" or a format such as "yyyy/MM/dd HH:mm:ss.SSS"',
  )

/** A column of the row, or the same value for every row. Columns are converted to the field's type; an empty cell is no value. */
const dataSourceSchema = z.union([
  columnSchema,
  z
    .strictObject({
      value: z.union([z.string(), z.number(), z.boolean()]).describe('The same for every row.'),
    })
    .describe('The same value for every row.'),
])

const activitySchema = z.strictObject({
  type: touchpointTypeSchema.describe('The touchpoint that it is.'),
  data: z
    .record(fieldNameSchema, dataSourceSchema)
    .default({})
    .describe(
      "Fields of the touchpoint from columns, converted to the field's type; an empty cell is no value.",
    ),
})

const personSchema = z.strictObject({
  birthYearFromAge: columnSchema
    .optional()
    .describe(
      "Column with an age in years: the year of birth is the year of the case's first event minus it.",
    ),
  attributes: z
    .record(fieldNameSchema, columnSchema)
    .default({})
    .describe(
      'Person fields of `attributes.yaml` from columns; the first row of a case that has a value counts.',
    ),
  invented: z
    .record(fieldNameSchema, z.record(z.string(), z.number().positive()))
    .default({})
    .describe(
      'Person fields that the log does not know, dealt out over its cases in these proportions, by a hash of the case: a log knows no contact preferences, and personas need them.',
    ),
})

export const logMappingSchema = z.strictObject({
  description: z.string().optional().describe('Which log it is, for who reads this file.'),
  case: columnSchema.describe('Column that says whose event it is.'),
  activity: columnSchema.describe('Column that says what happened.'),
  time: columnSchema.describe(
    'Column that says when, in `timeFormat`, as the clocks of `zone` showed it.',
  ),
  timeFormat: timeFormatSchema.describe('`iso`, or a format such as `yyyy/MM/dd HH:mm:ss.SSS`.'),
  zone: timeZoneSchema.describe('IANA zone of the clocks of the log.'),
  delimiter: z.string().length(1).default(',').describe('What stands between two columns.'),
  source: z
    .string()
    .min(1)
    .max(256)
    .describe("CloudEvents source of the events: one of the definition's publishers."),
  subjectPrefix: z
    .string()
    .default('')
    .describe(
      'Stands before the case in the subject, so that two logs cannot mean the same person.',
    ),
  activities: z
    .record(z.string().min(1), activitySchema)
    .describe('Each activity of the log, and the touchpoint that it is.'),
  person: personSchema.optional().describe('What the log tells of people.'),
})
export type LogMapping = z.infer<typeof logMappingSchema>

function withoutTokens(format: string): string {
  return timeTokens.reduce((rest, token) => rest.replace(token, ''), format)
}
