import { z } from 'zod'
import { fieldsSchema } from './field.ts'
import {
  laneNames,
  localeNames,
  localTimeSchema,
  positiveDurationSchema,
  timeZoneSchema,
} from './words.ts'

const quietHoursSchema = z
  .strictObject({
    from: localTimeSchema.describe('Local time of the person from which it is quiet.'),
    until: localTimeSchema.describe('Local time at which it ends, on the same day or the next.'),
  })
  .refine(({ from, until }) => from !== until, 'expected two different times')
export type QuietHours = z.infer<typeof quietHoursSchema>

/** What a class of campaigns may do. */
const classPolicySchema = z
  .strictObject({
    lane: z
      .enum(laneNames)
      .describe(
        'Queue of its messages: `transactional` overtakes `standard`, which overtakes `bulk`.',
      ),
    consent: z
      .enum(['implied', 'required'])
      .describe(
        '`implied`: may be sent unless the person withdrew it. `required`: only with a recorded consent.',
      ),
    // P2
    unknownOutcome: z
      .enum(['at-most-once', 'at-least-once'])
      .describe(
        'What becomes of a message whose hand-over ended without an answer. `at-most-once`: it is held for a person to look at. `at-least-once`: it is sent again once, marked, under the same key.',
      ),
    expires: positiveDurationSchema.describe(
      'How long after its due time a message is still worth sending, when it does not say itself.',
    ),
    quietHours: quietHoursSchema
      .optional()
      .describe(
        'When nobody is written to, such as from `"21:00"` until `"08:00"`: what would be due then waits for the end, or expires.',
      ),
  })
  .meta({
    id: 'class-policy',
    title: 'What a class may do',
    description: 'What holds for every message of the campaigns of one class.',
  })
export type ClassPolicy = z.infer<typeof classPolicySchema>

/** `policies.yaml` */
export const policiesFileSchema = z.strictObject({
  organisation: z
    .strictObject({
      name: z.string().min(1).describe('Shown by templates as `organisation.name`.'),
      phone: z.string().min(1).describe('Shown by templates as `organisation.phone`.'),
      website: z.string().min(1).describe('Shown by templates as `organisation.website`.'),
    })
    .describe('What every template may show of the organisation.'),
  timeZone: timeZoneSchema.describe(
    'IANA zone of everybody whose own zone is not known, such as `Europe/Amsterdam`.',
  ),
  locale: z.enum(localeNames).describe('Language of everybody whose own language is not known.'),
  holidays: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .describe('Country whose public holidays are no working days, as ISO 3166-1 alpha-2 (`NL`).'),
  closedDays: z
    .array(z.iso.date())
    .default([])
    .describe("Days of the organisation's own on which nobody works, as `YYYY-MM-DD`."),
  classes: z
    .strictObject({
      care: classPolicySchema.describe('What belongs to the care itself.'),
      service: classPolicySchema.describe('What helps around the care: appointments, surveys.'),
      marketing: classPolicySchema.describe('What the organisation would like people to know.'),
      research: classPolicySchema.describe('What asks people to take part in research.'),
    })
    .describe('What each class of campaigns may do.'),
  holdOut: z
    .strictObject({
      percent: z.number().int().min(1).max(50).describe('How many of a hundred people.'),
      classes: z
        .array(z.enum(['service', 'marketing', 'research']))
        .min(1)
        .describe('Of which classes they get nothing. Care is never held back.'),
    })
    .optional()
    .describe(
      'People who get nothing of some classes, always the same ones, so that the effect of all campaigns together can be measured.',
    ),
  person: fieldsSchema
    .default({})
    .describe(
      'What is known of a person beside name, year of birth, language, zone and addresses; conditions and templates name it as `person.…`.',
    ),
})
export type PoliciesFile = z.infer<typeof policiesFileSchema>
