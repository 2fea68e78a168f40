import { z } from 'zod'
import { sensitivities } from './words.ts'

/** What a data field may hold. `instant` is a moment with an offset; `date` a calendar day. */
export const fieldTypes = ['text', 'number', 'boolean', 'instant', 'date'] as const
export type FieldType = (typeof fieldTypes)[number]

/** One field of a touchpoint's data or of a person. */
export const fieldSchema = z.strictObject({
  type: z.enum(fieldTypes),
  sensitivity: z.enum(sensitivities),
  required: z.boolean().default(false),
  values: z.array(z.string()).min(1).optional(),
  description: z.string().optional(),
})
export type Field = z.infer<typeof fieldSchema>

export const fieldNameSchema = z
  .string()
  .regex(/^[a-z][A-Za-z0-9]{0,63}$/, 'expected a field name such as "startsAt"')

export const fieldsSchema = z.record(fieldNameSchema, fieldSchema)
