import { z } from 'zod'
import { conditionSchema } from '../condition.ts'
import { touchpointTypeSchema } from '../definition/words.ts'
import { maxAgeSchema } from './max-age.ts'
import type { TriggerKind } from './trigger-kind.ts'

const touchpointTriggerSchema = z.strictObject({
  touchpoint: touchpointTypeSchema.describe('The touchpoint that starts it.'),
  where: conditionSchema.optional().describe('Only events for which this holds start it.'),
  maxAge: maxAgeSchema,
})
export type TouchpointTrigger = z.infer<typeof touchpointTriggerSchema>

export const touchpointTrigger: TriggerKind<TouchpointTrigger> = {
  key: 'touchpoint',
  meaning:
    'Starts when a touchpoint happens. Its data is `event` in conditions and templates, and what it says of an appointment or a stay is `entity`, in the newest version that is known.',
  explanation: {
    nl: ({ touchpoint, where }, words) =>
      `wacht op ${words.touchpoint(touchpoint)}${where ? `, en alleen als klopt: ${words.condition(where)}` : ''}`,
    en: ({ touchpoint, where }, words) =>
      `waits for ${words.touchpoint(touchpoint)}${where ? `, and only where this holds: ${words.condition(where)}` : ''}`,
  },
  schema: touchpointTriggerSchema,
  parts: ({ touchpoint, where }) => ({
    types: [touchpoint],
    touchpoint: { path: ['touchpoint'], type: touchpoint },
    ...(where ? { where: { path: ['where'], condition: where } } : {}),
  }),
  decide: (_, { whereHolds, facts }) =>
    whereHolds && !whereHolds(facts) ? { reason: 'trigger_false', leaves: true } : null,
}
