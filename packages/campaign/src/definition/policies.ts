import { Temporal } from 'temporal-polyfill'
import { z } from 'zod'
import { recipientWords } from './recipient-words.ts'
import {
  identifierSchema,
  isDuration,
  laneNames,
  localeNames,
  localisedTextSchema,
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

/** What is of one length on every calendar, and not so long that nothing is ever forgotten. */
function isWindow(text: string): boolean {
  if (!isDuration(text)) return true
  const duration = Temporal.Duration.from(text)
  if (duration.years !== 0 || duration.months !== 0) return false
  return (
    duration.total({ unit: 'days', relativeTo: '1970-01-01T00:00:00Z[UTC]' }) <= longestWindowDays
  )
}

/** The longest span of a contact budget. */
export const longestWindowDays = 366

const budgetSchema = z
  .strictObject({
    id: identifierSchema.describe('Name of the budget, unique within the file.'),
    most: z.number().int().min(1).max(1_000).describe('So many messages a person may get.'),
    per: positiveDurationSchema
      .refine(isWindow, 'expected weeks, days, hours or minutes, such as "P7D", up to "P366D"')
      .describe(
        'Within any span of this length, wherever it begins. A day is 24 hours; months and years are of no one length.',
      ),
    classes: z
      .array(z.enum(['service', 'marketing', 'research']))
      .min(1)
      .describe('Of which classes messages count, all of them together. Care never counts.'),
    personas: z
      .array(identifierSchema)
      .min(1)
      .optional()
      .describe('Whom it holds for, such as `[busy-parent]`; everybody when it is not there.'),
  })
  .meta({
    id: 'contact-budget',
    title: 'A contact budget',
    description:
      'How much a person may get, over all campaigns and channels. What would be one too many waits until the oldest message that counts is long enough ago, or expires. What was surely not handed over does not count.',
  })
export type Budget = z.infer<typeof budgetSchema>

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
    tracking: z
      .enum(['allowed', 'none'])
      .optional()
      .describe(
        'Whether it may be kept that somebody opened a message or followed a link in it. `none`, and leaving it out: what a provider tells of that is thrown away where it comes in.',
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

const teamSchema = z
  .strictObject({
    id: identifierSchema.describe('What tasks name, such as `home-nurses`.'),
    name: localisedTextSchema.describe('What people call it.'),
  })
  .meta({ id: 'team', title: 'A team', description: 'People who do tasks.' })
const ageRuleSchema = z
  .strictObject({
    under: z.number().int().min(1).max(120).describe('Below this age, in years.'),
    to: z
      .array(z.enum(recipientWords))
      .min(1)
      .describe('Who gets them, such as `[parent]`, or `[person, parent]`.'),
  })
  .meta({
    id: 'age-rule',
    title: 'A rule of age',
    description:
      'Who is written to about somebody of some age. It is decided by the age at the moment for which a message is planned, and looked at again when it is sent.',
  })

export const expectedCountry = 'expected a country whose holidays are known, such as "NL"'

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
    .regex(/^[A-Z]{2}$/, expectedCountry)
    .describe(
      'Country whose public holidays are no working days, as ISO 3166-1 alpha-2 (`NL`), by the list of [date-holidays](https://github.com/commenthol/date-holidays). Days off that it does not call public are working days: of the Netherlands Good Friday and 5 May, also in the years in which many have that off. Whoever is closed then says so under `closedDays`.',
    ),
  closedDays: z
    .array(z.iso.date('expected a day such as "2026-12-24"'))
    .default([])
    .describe(
      "Days of the organisation's own on which nobody works, as `YYYY-MM-DD`, each year anew.",
    ),
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
  teams: z.array(teamSchema).optional().describe('Who does the tasks of campaigns.'),
  ages: z
    .array(ageRuleSchema)
    .min(1)
    .refine(
      (rules) => rules.every(({ under }, index) => under > (rules[index - 1]?.under ?? 0)),
      'expected the youngest first, each age once',
    )
    .optional()
    .describe(
      'Who gets messages about children, where a message does not say itself. Whoever is older than the last rule, and of whom no age is known, gets them themselves.',
    ),
  budgets: z
    .array(budgetSchema)
    .optional()
    .describe('How much a person may get within a span of time. Every budget has to have room.'),
})
export type PoliciesFile = z.infer<typeof policiesFileSchema>
