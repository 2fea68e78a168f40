import { z } from 'zod'
import { type Condition, conditionSchema } from '../condition.ts'
import { noteOf } from '../draft.ts'
import { readerOf } from '../facts.ts'
import type { StepResult, StepRun } from './step-run.ts'

/** Takes the first arm whose condition holds, else `otherwise`, else none; then goes on after the branch. */
export interface BranchStep<Step> {
  branch: BranchArm<Step>[]
}
type BranchArm<Step> = { when: Condition; steps: Step[] } | { otherwise: Step[] }

export function branchStepSchema<Step>(steps: z.ZodType<Step[]>): z.ZodType<BranchStep<Step>> {
  return z
    .strictObject({
      branch: z
        .array(
          z.union([
            z
              .strictObject({
                when: conditionSchema.describe('For whom this arm is.'),
                steps: steps.describe('What happens to them.'),
              })
              .describe('An arm for those for whom `when` holds.'),
            z
              .strictObject({ otherwise: steps.describe('What happens to everybody else.') })
              .describe('The arm for everybody else; the last one, at most once.'),
          ]),
        )
        .min(1)
        .refine(
          (arms) => arms.every((arm, index) => 'when' in arm || index === arms.length - 1),
          'expected "otherwise" as the last arm, at most once',
        )
        .describe('The arms, the first that fits counts.'),
    })
    .meta({
      id: 'step-branch',
      title: 'Step: branch',
      description:
        'Takes the first arm whose condition holds, else `otherwise`, else none; then goes on after the branch.',
    })
}

export function runBranch(run: StepRun): StepResult {
  const { draft, context, enrolment, node } = run
  const read = readerOf(draft, context, enrolment)
  const taken = node.arms.findIndex((arm) => arm.holds(read))
  noteOf(draft, enrolment, 'branch_taken', {
    detail: { step: node.path, arm: taken < 0 ? null : taken },
  })
  return { goTo: node.arms[taken]?.first ?? node.next }
}
