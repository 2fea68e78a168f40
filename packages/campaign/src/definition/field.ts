import { z } from 'zod'
import { localisedTextSchema, sensitivities } from './words.ts'

/** What a data field may hold. `instant` is a moment with an offset; `date` a calendar day. */
export const fieldTypes = ['text', 'number', 'boolean', 'instant', 'date'] as const
export type FieldType = (typeof fieldTypes)[number]

/** One field of a touchpoint's data or of a person. */
export const fieldSchema = z
  .strictObject({
    type: z
      .enum(fieldTypes)
      .describe(
        'What it holds. `instant` is a moment with an offset, such as `2026-03-14T09:30:00+01:00`; `date` a calendar day, such as `2026-03-14`.',
      ),
    sensitivity: z
      .enum(sensitivities)
      .describe(
        'How much it tells about a person. `health` names a department, a diagnosis or a treatment: such a field is never shown where the channel does not bear it, and marketing may not choose people by it.',
      ),
    required: z
      .boolean()
      .default(false)
      .describe(
        'Every event has it; one without it is refused. A template may show a required field without an `{{#if}}` around it.',
      ),
    values: z
      .array(z.string())
      .min(1)
      .optional()
      .describe('The only values that it may have; for a `text`.'),
    label: localisedTextSchema
      .optional()
      .describe('What people call it, such as `age`; explanations do. Without it, its name.'),
    unit: localisedTextSchema
      .optional()
      .describe('What a `number` counts, such as `years`; stands behind it in explanations.'),
    valueLabels: z
      .record(z.string(), localisedTextSchema)
      .optional()
      .describe('What people call its `values`, by value. Without it, what the value says.'),
    description: z.string().optional().describe('What it means, for who reads this file.'),
  })
  .meta({
    id: 'field',
    title: 'A field',
    description: 'One field of the data of a touchpoint, or of what is known of a person.',
  })
export type Field = z.infer<typeof fieldSchema>

export const fieldNameSchema = z
  .string()
  .regex(/^[a-z][A-Za-z0-9]{0,63}$/, 'expected a field name such as "startsAt"')

export const fieldsSchema = z.record(fieldNameSchema, fieldSchema)
