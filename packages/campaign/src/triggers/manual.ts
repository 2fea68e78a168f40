import { z } from 'zod'
import { maxAgeSchema } from './max-age.ts'
import type { TriggerKind } from './trigger-kind.ts'

const manualTriggerSchema = z.strictObject({
  manual: z.literal(true).describe('Always `true`.'),
  maxAge: maxAgeSchema,
})
export type ManualTrigger = z.infer<typeof manualTriggerSchema>

export const manualTrigger: TriggerKind<ManualTrigger> = {
  key: 'manual',
  meaning:
    'Starts when a member of staff, or another system, puts the person in: by `wegwijs events send --type person.enrolled.v1`, or by the same event over HTTP or Kafka, whose data names the campaign. Audience, entry and all limits hold as for everybody. There is no `event` and no `entity`.',
  explanation: {
    nl: () => 'wacht tot een medewerker of een ander systeem iemand toevoegt',
    en: () => 'waits until a member of staff or another system puts somebody in',
  },
  schema: manualTriggerSchema,
  parts: () => ({ types: ['person.enrolled.v1'] }),
  decide: (_, { event, campaignId }) => (event.data.campaign === campaignId ? null : false),
}
