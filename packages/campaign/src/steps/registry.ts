import { z } from 'zod'
import type { Condition } from '../condition.ts'
import { type BranchStep, branchStepSchema } from './branch.ts'
import { type MessageStep, messageStepSchema } from './message.ts'
import { type WaitStep, waitStepSchema } from './wait.ts'

/** Every kind of step a campaign can be made of; a new kind is a file of its own and a line here. */
export type Step = MessageStep | WaitStep | BranchStep<Step>

export const stepsSchema: z.ZodType<Step[]> = z
  .array(z.lazy(() => stepSchema))
  .min(1)
  .max(100)

// Made once, not by each call of a getter: what walks the schema would walk for ever.
const stepSchema: z.ZodType<Step> = z
  .union([messageStepSchema, waitStepSchema, branchStepSchema(stepsSchema)])
  .meta({ id: 'step', title: 'A step', description: 'One of the kinds of steps.' })

/** The ways into a step that holds others; `when` null is the way that is always open. */
export function stepsInside(step: Step): { when: Condition | null; steps: readonly Step[] }[] {
  if (!('branch' in step)) return []
  return step.branch.map((arm) =>
    'when' in arm ? { when: arm.when, steps: arm.steps } : { when: null, steps: arm.otherwise },
  )
}
