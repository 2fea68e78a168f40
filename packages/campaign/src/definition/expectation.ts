import { z } from 'zod'
import { localMomentSchema } from '../specification/local-moment.ts'
import { messageNameSchema, otherNameSchema, reasonSchema } from './specification-words.ts'
import { channelNames, identifierSchema, touchpointTypeSchema } from './words.ts'

const receiver = otherNameSchema
  .optional()
  .describe(
    'Who gets it: `person`, or a name under `with`. Without it, it does not matter to whom it goes.',
  )

export const expectationSchema = z
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
