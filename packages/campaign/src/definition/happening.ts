import { z } from 'zod'
import { localMomentSchema } from '../specification/local-moment.ts'
import { expectationSchema } from './expectation.ts'
import {
  messageNameSchema,
  otherNameSchema,
  personShape,
  touchpointShape,
} from './specification-words.ts'
import {
  campaignClasses,
  channelNames,
  identifierSchema,
  relationScopes,
  touchpointTypeSchema,
} from './words.ts'

const who = otherNameSchema
  .optional()
  .describe('Whom it is about, by the name under `with`; without it, the person.')

const at = localMomentSchema.describe('When.')

export const expectationsSchema = z.array(expectationSchema).min(1)

const then = expectationsSchema
  .optional()
  .describe('What holds right after it. Here not every message need be named.')

export const whenSchema = z
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
        to: otherNameSchema
          .optional()
          .describe(
            'Whose: `person`, or a name under `with`. It must be said where several people got it.',
          ),
        over: z
          .enum(channelNames)
          .optional()
          .describe('Over which channel it went, when it went over several.'),
        words: z.string().min(1).optional().describe('What they replied, such as STOP.'),
        then,
      })
      .describe(
        'A provider reports about a message. Of a message that stands here, to them and over that channel, it reports nothing else.',
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
        then: expectationsSchema.describe('What holds at this moment.'),
      })
      .describe('Nothing happens; we only look.'),
  ])
  .meta({
    id: 'happening',
    title: 'What happens',
    description: 'One thing that happens, in the order in which we hear of it.',
  })

export type Happening = z.infer<typeof whenSchema>
