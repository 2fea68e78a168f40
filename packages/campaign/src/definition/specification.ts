import { z } from 'zod'
import { type ReasonCode, reasons } from '../reasons.ts'
import { localMomentSchema } from '../specification/local-moment.ts'
import { fieldNameSchema } from './field.ts'
import {
  campaignClasses,
  channelNames,
  identifierSchema,
  localeNames,
  relationKinds,
  relationScopes,
  timeZoneSchema,
  touchpointTypeSchema,
} from './words.ts'

/**
 * What a campaign is to do, in examples: `campaigns/<id>.test.yaml` stands beside `campaigns/<id>.yaml`
 * and is no part of what is applied. Moments are what the clocks of the organisation show.
 */

const reasonSchema = z
  .enum(Object.keys(reasons) as [ReasonCode, ...ReasonCode[]])
  .meta({ title: 'reason' })

/** `evening-before`, or of another campaign `appointment-moved/moved`. */
const messageNameSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]*(\/[a-z][a-z0-9-]*)?$/,
    'expected a message such as "reminder", or "other-campaign/reminder"',
  )
  .meta({ title: 'message' })

const valueSchema = z.union([z.string(), z.number(), z.boolean()])

const personShape = {
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
const touchpointShape = {
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

const pastSchema = z
  .strictObject({
    at: localMomentSchema.describe('When it happened.'),
    happens: touchpointTypeSchema.describe('The touchpoint.'),
    ...touchpointShape,
  })
  .describe('A touchpoint that happened before.')

/** How a specification calls somebody else: `mother`. */
const otherNameSchema = identifierSchema.meta({ title: 'somebody else' })

const otherSchema = z
  .strictObject({
    ...personShape,
    is: z.enum(relationKinds).describe('How they stand to the person.'),
    may: z.array(z.enum(relationScopes)).min(1).describe('What they may hear of.'),
  })
  .meta({
    id: 'given-other',
    title: 'Somebody else in a specification',
    description: 'Who stands to the person, and what they may hear of, before anything happens.',
  })

const who = otherNameSchema
  .optional()
  .describe('Whom it is about, by the name under `with`; without it, the person.')

const receiver = otherNameSchema
  .optional()
  .describe(
    'Who gets it: `person`, or a name under `with`. Without it, it does not matter to whom it goes.',
  )

export const providerWords = ['delivered', 'bounced', 'answered', 'nothing'] as const
export type ProviderWord = (typeof providerWords)[number]

const givenSchema = z
  .strictObject({
    ...personShape,
    'consents to': z
      .array(z.enum(campaignClasses))
      .optional()
      .describe('What they gave their consent for before.'),
    'happened before': z
      .array(pastSchema)
      .min(1)
      .optional()
      .describe(
        'What had happened to them before all else, in its order. It is known, and counts where a condition asks what has happened; it started no campaign.',
      ),
    with: z
      .record(otherNameSchema, otherSchema)
      .optional()
      .describe('Who stands to them, each by a name such as `mother`.'),
    arms: z
      .record(identifierSchema, identifierSchema)
      .optional()
      .describe('Which arm of a split they are in, by the id of the split.'),
    'held out': z
      .boolean()
      .optional()
      .describe('They are of those who get nothing, so that the effect can be measured.'),
    'provider tells': z
      .record(messageNameSchema, z.enum(providerWords))
      .optional()
      .describe(
        'What the provider reports of a message as soon as it has it; of any other it reports that it was delivered. Of the app nobody reports.',
      ),
  })
  .meta({
    id: 'given',
    title: 'Who a specification is about',
    description:
      'The person as they are before anything happens; that they are so starts no campaign. Of whom nothing is said we know a name and an address on every channel.',
  })
export type Given = z.infer<typeof givenSchema>

const at = localMomentSchema.describe('When.')

const expectationSchema = z
  .union([
    z.enum(['nothing', 'nothing else']),
    z
      .strictObject({
        sent: messageNameSchema.describe('This message was handed over.'),
        to: receiver,
        at: localMomentSchema.optional().describe('At this moment.'),
        over: z.enum(channelNames).optional().describe('Over this channel.'),
        saying: z
          .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
          .optional()
          .describe('A text that is in it, or several that all are.'),
      })
      .describe('A message that was sent.'),
    z
      .strictObject({
        withdrawn: messageNameSchema.describe('This message was taken back before it was sent.'),
        to: receiver,
        'planned for': localMomentSchema
          .optional()
          .describe('It had been planned for this moment.'),
        at: localMomentSchema.optional().describe('It was taken back at this moment.'),
        because: reasonSchema.optional().describe('For this reason.'),
      })
      .describe('A message that was planned, and taken back.'),
    z
      .strictObject({
        'not sent': messageNameSchema.describe(
          'This message came to its moment and could not be sent.',
        ),
        to: receiver,
        'planned for': localMomentSchema
          .optional()
          .describe('It had been planned for this moment.'),
        because: reasonSchema.optional().describe('For this reason.'),
      })
      .describe('A message that was due, and was skipped, expired, failed or is held.'),
    z
      .strictObject({
        planned: messageNameSchema.describe('This message is planned, and waits for its moment.'),
        to: receiver,
        for: localMomentSchema.optional().describe('For this moment.'),
      })
      .describe('A message that is still to come at the moment of asking.'),
    z
      .strictObject({ entered: localMomentSchema.describe('They entered the campaign then.') })
      .describe('Somebody entered.'),
    z
      .strictObject({
        'did not enter': reasonSchema.describe('They were not let in, for this reason.'),
        at: localMomentSchema.optional().describe('At this moment.'),
      })
      .describe('Somebody was not let in.'),
    z
      .strictObject({
        'waits until': localMomentSchema.describe(
          'The campaign waits for this moment, at the moment of asking.',
        ),
      })
      .describe('What the campaign waits for.'),
    z
      .strictObject({
        'ended because': reasonSchema.describe(
          'Their run through the campaign ended for this reason; `completed` when it went to its end.',
        ),
        at: localMomentSchema.optional().describe('At this moment.'),
      })
      .describe('How it ended.'),
    z
      .strictObject({
        'goal reached': localMomentSchema.describe('What the campaign is for happened then.'),
      })
      .describe('The goal of the campaign was reached.'),
    z
      .strictObject({
        told: touchpointTypeSchema.describe('Other systems were told this.'),
        at: localMomentSchema.optional().describe('At this moment.'),
      })
      .describe('An event that the campaign published.'),
    z
      .strictObject({
        task: messageNameSchema.describe(
          'This task was made, and is open at the moment of asking.',
        ),
        due: localMomentSchema.optional().describe('It is due at this moment.'),
        team: identifierSchema.optional().describe('For this team.'),
      })
      .describe('Somebody has something to do.'),
    z
      .strictObject({
        'task taken back': messageNameSchema.describe('This task was taken back.'),
        because: reasonSchema.optional().describe('For this reason.'),
      })
      .describe('A task that nobody has to do any more.'),
    z
      .strictObject({
        answered: identifierSchema.describe('The name of the answer that counted.'),
        to: messageNameSchema.optional().describe('The question; without it any of the campaign.'),
      })
      .describe('A question was answered.'),
    z
      .strictObject({ persona: identifierSchema.describe('They are of this persona.') })
      .describe('Whom we take them for.'),
  ])
  .meta({
    id: 'expectation',
    title: 'What is expected',
    description:
      'One thing that is to have happened. `nothing`: nobody is written to. `nothing else`: beside what was named nothing came of any message, so that what was withdrawn, not sent or is still planned must be named, too.',
  })
export type Expectation = z.infer<typeof expectationSchema>

const expectations = z.array(expectationSchema).min(1)
const then = expectations
  .optional()
  .describe('What holds right after it. Here not every message need be named.')

const whenSchema = z
  .union([
    z
      .strictObject({
        at: at.describe('When it happened.'),
        happens: touchpointTypeSchema.describe('The touchpoint.'),
        'heard at': localMomentSchema
          .optional()
          .describe('When its publisher told us; without it, at once.'),
        ...touchpointShape,
        then,
      })
      .describe('A touchpoint happens.'),
    z
      .strictObject({
        at,
        'enrolled in': identifierSchema.describe(
          'The campaign that staff, or another system, puts them into.',
        ),
        then,
      })
      .describe('Somebody is put into a campaign by hand.'),
    z
      .strictObject({
        at,
        who,
        'consents to': z.enum(campaignClasses).describe('They give their consent for this.'),
        over: z.enum(channelNames).optional().describe('For this channel only.'),
        then,
      })
      .describe('Somebody gives a consent.'),
    z
      .strictObject({
        at,
        who,
        'opts out of': z
          .enum([...campaignClasses, 'all'])
          .describe('They do not want this any more.'),
        over: z.enum(channelNames).optional().describe('Over this channel only.'),
        then,
      })
      .describe('Somebody withdraws a consent.'),
    z
      .strictObject({
        at,
        who,
        becomes: z
          .strictObject(personShape)
          .describe('What is different from now on; all else stays as it was.'),
        then,
      })
      .describe('Other things are known of them.'),
    z
      .strictObject({
        at,
        'its date comes': z
          .literal(true)
          .describe('The date comes that starts the campaign, at this very moment.'),
        then,
      })
      .describe('The date comes for which the campaign waits.'),
    z
      .strictObject({ at, who, dies: z.literal(true).describe('We hear that they died.'), then })
      .describe('Somebody dies.'),
    z
      .strictObject({
        at,
        'may hear': otherNameSchema.describe('Who may hear of the person from now on.'),
        of: z.array(z.enum(relationScopes)).min(1).describe('Of what.'),
        then,
      })
      .describe('A relation is granted, or granted otherwise.'),
    z
      .strictObject({
        at,
        'may hear no more': otherNameSchema.describe('Who may not hear of the person any more.'),
        then,
      })
      .describe('A relation ends.'),
    z
      .strictObject({
        at,
        'provider tells': z
          .enum(['delivered', 'bounced', 'complained', 'replied', 'opened', 'clicked'])
          .describe('What the provider reports.'),
        of: messageNameSchema.describe('The message; its newest when there are several.'),
        over: z
          .enum(channelNames)
          .optional()
          .describe('Over which channel it went, when it went over several.'),
        words: z.string().min(1).optional().describe('What they replied, such as STOP.'),
        then,
      })
      .describe(
        'A provider reports about a message. Of a message that stands here, over that channel, it reports nothing else.',
      ),
    z
      .strictObject({
        at,
        'is done': messageNameSchema.describe('The task; its newest when there are several.'),
        outcome: identifierSchema.describe('What came of it.'),
        then,
      })
      .describe('Somebody does a task.'),
    z
      .strictObject({
        at,
        'they answer': z
          .string()
          .min(1)
          .describe('The name of an answer, or a word that they write back, such as `ja`.'),
        to: messageNameSchema
          .optional()
          .describe('The question; without it the newest of the campaign that was asked.'),
        then,
      })
      .describe('Somebody answers a question.'),
    z
      .strictObject({
        at,
        // biome-ignore lint/suspicious/noThenProperty: the word in the file; no promise is made of it
        then: expectations.describe('What holds at this moment.'),
      })
      .describe('Nothing happens; we only look.'),
  ])
  .meta({
    id: 'happening',
    title: 'What happens',
    description: 'One thing that happens, in the order in which we hear of it.',
  })
export type Happening = z.infer<typeof whenSchema>

const specificationSchema = z
  .strictObject({
    name: z.string().min(1).describe('What it says, in a sentence; once in a file.'),
    given: givenSchema.default({}).describe('Who it is about.'),
    when: z.array(whenSchema).min(1).describe('What happens, one after the other.'),
    until: localMomentSchema
      .optional()
      .describe('How long time goes on; without it, until nothing is planned any more.'),
    // biome-ignore lint/suspicious/noThenProperty: the word in the file; no promise is made of it
    then: expectations.describe(
      'What has come of it. Each message of the campaign that was sent must be named.',
    ),
  })
  .meta({
    id: 'specification',
    title: 'A specification',
    description:
      'One example of what a campaign is to do: given somebody, when this happens, then that is sent.',
  })
export type Specification = z.infer<typeof specificationSchema>

/** `campaigns/<id>.test.yaml` */
export const specificationsFileSchema = z.strictObject({
  campaign: identifierSchema.describe(
    'The campaign that it is about: the name of its file without `.test.yaml`.',
  ),
  description: z.string().optional().describe('What its author thought of.'),
  specifications: z
    .array(specificationSchema)
    .min(1)
    .describe('Each is played by itself, with somebody of its own.'),
})
export type SpecificationsFile = z.infer<typeof specificationsFileSchema>
