import { Temporal } from 'temporal-polyfill'
import { z } from 'zod'

/** The words that more than one file of a definition uses. */

export const channelNames = ['app', 'email', 'sms'] as const
export type ChannelName = (typeof channelNames)[number]

/** Of what lies in an inbox nobody reports that it has arrived: it is there as soon as it is sent. */
export const arrivesWhenSent: ReadonlySet<ChannelName> = new Set(['app'])

/** Queue classes, the most urgent first. */
export const laneNames = ['transactional', 'standard', 'bulk'] as const
export type LaneName = (typeof laneNames)[number]

/** What a campaign is for; it decides legal basis, lane and what an unknown outcome may lead to. */
export const campaignClasses = ['care', 'service', 'marketing', 'research'] as const
export type CampaignClass = (typeof campaignClasses)[number]

/** How much a text or a field tells about a person, the least first. */
export const sensitivities = ['neutral', 'personal', 'health'] as const
export type Sensitivity = (typeof sensitivities)[number]

/** True when content of class `content` may travel over something that bears at most `limit`. */
export function allowsSensitivity(limit: Sensitivity, content: Sensitivity): boolean {
  return sensitivities.indexOf(content) <= sensitivities.indexOf(limit)
}

/** How one person stands to another for whom they may hear, or act. */
export const relationKinds = ['caregiver', 'representative', 'parent'] as const
export type RelationKind = (typeof relationKinds)[number]

/** What somebody may hear of for another person. */
export const relationScopes = ['appointments', 'care', 'news'] as const
export type RelationScope = (typeof relationScopes)[number]

/** How much each of them may tell at most: of somebody's health only whoever may hear of their care. */
export const scopeBears: Readonly<Record<RelationScope, Sensitivity>> = {
  appointments: 'personal',
  care: 'health',
  news: 'neutral',
}

export const localeNames = ['nl', 'en'] as const
export type LocaleName = (typeof localeNames)[number]

export const identifierSchema = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'expected a name such as "welcome-home"')
  .max(64)
  .meta({ title: 'name' })

export const touchpointTypeSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+\.v[1-9][0-9]*$/,
    'expected a type such as "care.appointment.booked.v1"',
  )
  .max(128)
  .meta({ title: 'touchpoint' })

/** A field as conditions name it. */
export const fieldReferenceSchema = z
  .string()
  .regex(
    /^(person|event|entity|enrolment|journey|relation|consent)\.[a-z][A-Za-z0-9.-]*$/,
    'expected a field such as "event.recommends"',
  )
  .meta({ title: 'field' })

/** A text in each language of the organisation. */
export const localisedTextSchema = z
  .strictObject({
    nl: z.string().min(1).describe('In Dutch.'),
    en: z.string().min(1).describe('In English.'),
  })
  .meta({ id: 'text-in-each-language', title: 'A text in each language' })

export const durationSchema = z
  .string()
  .refine(isDuration, 'expected an ISO 8601 duration such as "P2D" or "PT12H"')
  .meta({ title: 'duration' })

export const positiveDurationSchema = durationSchema
  .refine(
    (text) => !isDuration(text) || Temporal.Duration.from(text).sign > 0,
    'expected a duration longer than nothing',
  )
  .meta({ title: 'duration' })

/** Of a campaign about an appointment or a stay: of which one a touchpoint is meant. */
export const entityMeantSchema = z
  .enum(['same', 'any'])
  .default('same')
  .describe(
    'Of a campaign about an appointment or a stay: whether a touchpoint about another one counts, too.',
  )
export type EntityMeant = z.infer<typeof entityMeantSchema>

export const timeZoneSchema = z
  .string()
  .refine(isTimeZone, {
    error: 'expected an IANA time zone such as "Europe/Amsterdam"',
    params: { words: 'timeZone' },
  })
  .meta({ title: 'time zone' })

export const localTimeSchema = z
  .string()
  .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'expected a local time such as "10:00"')
  .meta({ title: 'local time' })

export function isDuration(text: string): boolean {
  try {
    Temporal.Duration.from(text)
    return true
  } catch {
    return false
  }
}

function isTimeZone(text: string): boolean {
  // An offset is no zone: it knows no summer, and PostgreSQL reads its sign the other way round.
  if (!/^[A-Za-z]/.test(text)) return false
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text)
    return true
  } catch {
    return false
  }
}
