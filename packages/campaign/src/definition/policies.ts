import { z } from 'zod'
import { fieldsSchema } from './field.ts'
import { laneNames, localeNames, positiveDurationSchema, timeZoneSchema } from './words.ts'

/** What a class of campaigns may do. */
const classPolicySchema = z.strictObject({
  lane: z.enum(laneNames),
  /** `implied`: may be sent unless withdrawn. `required`: only with a recorded consent. */
  consent: z.enum(['implied', 'required']),
  /** What becomes of a message whose hand-over ended without an answer (P2). */
  unknownOutcome: z.enum(['at-most-once', 'at-least-once']),
  /** How long after its due time a message is still worth sending, when it does not say itself. */
  expires: positiveDurationSchema,
})
export type ClassPolicy = z.infer<typeof classPolicySchema>

/** `policies.yaml` */
export const policiesFileSchema = z.strictObject({
  organisation: z.strictObject({
    name: z.string().min(1),
    phone: z.string().min(1),
    website: z.string().min(1),
  }),
  timeZone: timeZoneSchema,
  locale: z.enum(localeNames),
  /** Country whose public holidays are not working days, as ISO 3166-1 alpha-2. */
  holidays: z.string().regex(/^[A-Z]{2}$/),
  /** Days of the organisation's own on which nobody works, as YYYY-MM-DD. */
  closedDays: z.array(z.iso.date()).default([]),
  classes: z.strictObject({
    care: classPolicySchema,
    service: classPolicySchema,
    marketing: classPolicySchema,
    research: classPolicySchema,
  }),
  /** What is known of a person beside name, year of birth, language, zone and addresses. */
  person: fieldsSchema.default({}),
})
export type PoliciesFile = z.infer<typeof policiesFileSchema>
