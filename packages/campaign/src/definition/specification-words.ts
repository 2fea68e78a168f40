import { z } from 'zod'
import { type ReasonCode, reasons } from '../reasons.ts'
import { fieldNameSchema } from './field.ts'
import { channelNames, identifierSchema, localeNames, timeZoneSchema } from './words.ts'

export const reasonSchema = z
  .enum(Object.keys(reasons) as [ReasonCode, ...ReasonCode[]])
  .meta({ title: 'reason' })

/** `evening-before`, or of another campaign `appointment-moved/moved`. */
export const messageNameSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]*(\/[a-z][a-z0-9-]*)?$/,
    'expected a message such as "reminder", or "other-campaign/reminder"',
  )
  .meta({ title: 'message' })

const valueSchema = z.union([z.string(), z.number(), z.boolean()])

export const personShape = {
  persona: identifierSchema
    .optional()
    .describe(
      'Assigned to them. Without it, it is found by the conditions of `personas.yaml`, as of everybody.',
    ),
  age: z.number().int().min(0).max(120).optional().describe('In years.'),
  language: z
    .enum(localeNames)
    .optional()
    .describe('Without it, the one of the organisation counts.'),
  'time zone': timeZoneSchema
    .optional()
    .describe('Without it, the one of the organisation counts.'),
  'reached by': z
    .array(z.enum(channelNames))
    .optional()
    .describe('The channels on which we have an address of them; without it, all.'),
  prefers: z
    .enum(channelNames)
    .optional()
    .describe('The channel that they like best; without it, the order of their persona counts.'),
  fields: z
    .record(fieldNameSchema, valueSchema)
    .optional()
    .describe('What is known of them: fields of `attributes.yaml`.'),
}

/** What a specification says of a touchpoint beside its name and its moment. */
export const touchpointShape = {
  entity: z
    .string()
    .regex(/^[a-z][a-z0-9-]*\/.+$/, 'expected an entity such as "appointment/A-1"')
    .optional()
    .describe('Which one, when there are several; without it, always the same.'),
  version: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe('Of the entity; without it, each is newer than the one before.'),
  data: z
    .record(fieldNameSchema, valueSchema)
    .optional()
    .describe(
      'Its data; moments as the clocks of the organisation show them. What is not said of an entity is as it was said before.',
    ),
}

/** How a specification calls somebody else: `mother`. */
export const otherNameSchema = identifierSchema.meta({ title: 'somebody else' })
