import { z } from 'zod'
import { conditionSchema } from '../condition.ts'
import { stepsSchema } from '../steps/registry.ts'
import { triggerSchema } from '../triggers/registry.ts'
import { moveSchema } from './move.ts'
import { reachSchema } from './reach.ts'
import {
  campaignClasses,
  entityMeantSchema,
  identifierSchema,
  positiveDurationSchema,
  touchpointTypeSchema,
} from './words.ts'

/** How often one person may go through a campaign. */
const entryRules = ['once', 'once-per-journey', 'once-per-entity', 'every-time'] as const

const touchpointThat = (does: string) =>
  z.strictObject({
    touchpoint: touchpointTypeSchema.describe(`The touchpoint that ${does}.`),
    where: conditionSchema
      .optional()
      .describe('Only one of which this holds; `event` is its data.'),
    entity: entityMeantSchema,
  })

/** What an organisation expects of a campaign, so that what came of it can be held against it. */
const goalSchema = touchpointThat('is hoped for').extend({
  within: positiveDurationSchema.describe('How long after somebody entered it still counts.'),
  assumption: z
    .strictObject({
      what: z.string().min(1).describe('What is measured, such as "no-show".'),
      from: z.number().describe('How it is without the campaign.'),
      to: z.number().describe('How it should become with it.'),
      unit: z.string().min(1).default('%').describe('Of both figures.'),
    })
    .optional()
    .describe('What is expected; reports compare it with what happened.'),
})

/** `campaigns/<id>.yaml` */
export const campaignFileSchema = z.strictObject({
  id: identifierSchema.describe('The name of its file without `.yaml`.'),
  name: z.string().min(1).describe('What people call it.'),
  description: z.string().optional().describe('What it is for, and what its author thought of.'),
  journey: identifierSchema.describe('The journey that it goes along with.'),
  class: z
    .enum(campaignClasses)
    .describe('What it is for: decides which consent it needs, its queue, and when it expires.'),
  trigger: triggerSchema.describe('What starts it.'),
  audience: z
    .strictObject({
      personas: z
        .array(identifierSchema)
        .min(1)
        .optional()
        .describe('Only people of these personas; without it, of all.'),
      where: conditionSchema.optional().describe('Only people for whom this holds.'),
    })
    .default({})
    .describe('Whom it is for; everybody, when it is left out.'),
  entry: z
    .union([
      z.enum(entryRules),
      z
        .strictObject({
          again: positiveDurationSchema.describe('How long after entering before it is again.'),
        })
        .describe('Again after some time.'),
    ])
    .default('once-per-journey')
    .describe('How often one person may go through it.'),
  atOnce: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe(
      'How many runs of one person there may be at the same time; without it, any number. A run that is through its steps counts as long as a message of it may still go out.',
    ),
  exit: z
    .array(touchpointThat('ends it'))
    .default([])
    .describe('What ends it for a person at once: waits end, messages not yet sent are withdrawn.'),
  goal: goalSchema
    .optional()
    .describe('What it is for. Who reaches it leaves at once, as by an exit, and is counted.'),
  reach: reachSchema
    .optional()
    .describe('How many of its messages go out within a period before somebody is asked.'),
  holdOut: z
    .number()
    .int()
    .min(1)
    .max(50)
    .optional()
    .describe(
      'How many of a hundred people get nothing of it, always the same ones, so that its effect can be measured. Never for care.',
    ),
  move: moveSchema
    .optional()
    .describe(
      'Takes people who are in an older version along to this one; without it they stay on theirs.',
    ),
  steps: stepsSchema.describe('What happens, one step after the other.'),
})
export type CampaignFile = z.infer<typeof campaignFileSchema>
