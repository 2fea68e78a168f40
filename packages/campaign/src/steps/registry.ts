import { z } from 'zod'
import { type BranchStep, branchStepSchema } from './branch.ts'
import { type MessageStep, messageStepSchema } from './message.ts'
import { type WaitStep, waitStepSchema } from './wait.ts'

/** Every kind of step a campaign can be made of; a new kind is a file of its own and a line here. */
export type Step = MessageStep | WaitStep | BranchStep

export const stepSchema: z.ZodType<Step> = z.lazy(() =>
  z.union([messageStepSchema, waitStepSchema, branchStepSchema(stepsSchema)]),
)

export const stepsSchema: z.ZodType<Step[]> = z.array(stepSchema).min(1).max(100)
