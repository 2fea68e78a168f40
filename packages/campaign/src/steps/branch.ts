import { z } from 'zod'
import { type Condition, conditionSchema } from '../condition.ts'

/** Takes the first arm whose condition holds, else `otherwise`, else none; then goes on after the branch. */
export interface BranchStep<Step> {
  branch: BranchArm<Step>[]
}
export type BranchArm<Step> = { when: Condition; steps: Step[] } | { otherwise: Step[] }

export function branchStepSchema<Step>(steps: z.ZodType<Step[]>): z.ZodType<BranchStep<Step>> {
  return z.strictObject({
    branch: z
      .array(z.union([z.strictObject({ when: conditionSchema, steps }), z.strictObject({ otherwise: steps })]))
      .min(1)
      .refine(
        (arms) => arms.every((arm, index) => 'when' in arm || index === arms.length - 1),
        'expected "otherwise" as the last arm, at most once',
      ),
  })
}
