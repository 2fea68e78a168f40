import { z } from 'zod'
import { type Condition, conditionSchema, happenedIn, leavesOf } from '../condition.ts'
import { maxAgeSchema } from './max-age.ts'
import type { TriggerKind } from './trigger-kind.ts'

export type BecomesTrigger = { becomes: Condition; maxAge: string }

const becomesTriggerSchema = z.strictObject({
  becomes: conditionSchema.describe(
    'What begins to hold of the person: it asks what has `happened`, and for what profiles say of them.',
  ),
  maxAge: maxAgeSchema,
})

export const becomesTrigger: TriggerKind<BecomesTrigger> = {
  key: 'becomes',
  meaning:
    'Starts when a condition begins to hold for a person: by a touchpoint that it counts, by a profile, or by itself, at the midnight of the organisation at which a day leaves the window of a `happened`. As long as it goes on holding nothing starts again, and nothing starts for whom it holds when the campaign is published, or when two records become one person. There is no `event` and no `entity`.',
  explanation: {
    nl: ({ becomes }, words) => `wacht tot dit gaat kloppen: ${words.condition(becomes)}`,
    en: ({ becomes }, words) => `waits until this begins to hold: ${words.condition(becomes)}`,
  },
  schema: becomesTriggerSchema,
  parts: ({ becomes }) => ({
    types: [],
    where: { path: ['becomes'], condition: becomes },
    becomes: {
      types: [
        ...new Set([
          ...happenedIn(becomes).map(({ happened }) => happened.touchpoint),
          ...(leavesOf(becomes).length > 0 ? ['person.upserted.v1'] : []),
        ]),
      ],
    },
  }),
  // Whether it has begun to hold is looked at where somebody changes, or time goes on (becoming.ts).
  decide: () => null,
}
