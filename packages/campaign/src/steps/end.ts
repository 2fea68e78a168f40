import { z } from 'zod'
import type { StepKind } from './step-kind.ts'

const endStepSchema = z.strictObject({
  end: z.literal(true).describe('Always `true`.'),
})
export type EndStep = z.infer<typeof endStepSchema>

export const endStep: StepKind<EndStep> = {
  key: 'end',
  meaning:
    'Ends the campaign for this person here, wherever it stands. What was planned is still sent: an exit or a goal is what takes messages back.',
  shortest: { end: true },
  explanation: {
    nl: () => 'eindigde de campagne hier voor deze persoon',
    en: () => 'the campaign ended here for the person',
  },
  schema: () => endStepSchema,
  parts: () => ({ ends: true }),
  decide: () => ({ endWith: 'completed' }),
}
