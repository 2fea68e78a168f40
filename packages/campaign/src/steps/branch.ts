import { z } from 'zod'
import { type Condition, conditionSchema } from '../condition.ts'
import { noteOf } from '../draft.ts'
import type { LabelledTrace, Words } from '../explain/words.ts'
import { factsOf } from '../facts.ts'
import type { Step } from './step.ts'
import type { StepKind } from './step-kind.ts'

export type BranchStep = {
  branch: ({ when: Condition; steps: Step[] } | { otherwise: Step[] })[]
}

export const branchStep: StepKind<BranchStep> = {
  key: 'branch',
  meaning:
    'Takes the first arm whose condition holds, else `otherwise`, else none; then goes on after the branch.',
  shortest: {
    branch: [{ when: { field: 'person.age', op: 'gte', value: 65 }, steps: [{ end: true }] }],
  },
  explanation: {
    nl: ({ branch }, { detail, traces }, words) => {
      const arm = branch[Number(detail?.arm ?? -1)]
      const because = takenBecause(arm, traces, Number(detail?.arm), words)
      const why = because === '' ? '' : `, want ${because}`
      if (!arm) return `werd bij een vertakking geen enkele weg gekozen${why}`
      return 'when' in arm
        ? `werd bij een vertakking weg ${Number(detail?.arm) + 1} gekozen${why}`
        : `werd bij een vertakking de weg voor alle anderen gekozen${why}`
    },
    en: ({ branch }, { detail, traces }, words) => {
      const arm = branch[Number(detail?.arm ?? -1)]
      const because = takenBecause(arm, traces, Number(detail?.arm), words)
      const why = because === '' ? '' : `, because ${because}`
      if (!arm) return `no arm of a branch was taken${why}`
      return 'when' in arm
        ? `arm ${Number(detail?.arm) + 1} of a branch was taken${why}`
        : `the arm of a branch for everybody else was taken${why}`
    },
  },
  schema: (steps) =>
    z.strictObject({
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
        .superRefine((arms, check) => {
          const message = 'expected "otherwise" as the last arm, at most once'
          arms.slice(0, -1).forEach((arm, index) => {
            if (!('when' in arm)) check.addIssue({ code: 'custom', path: [index], message })
          })
        })
        .describe('The arms, the first that fits counts.'),
    }),
  parts: ({ branch }) => ({
    arms: branch.map((arm, index) =>
      'when' in arm
        ? {
            path: ['branch', index, 'steps'],
            label: `arm ${index + 1}`,
            when: { path: ['branch', index, 'when'], condition: arm.when },
            steps: arm.steps,
          }
        : {
            path: ['branch', index, 'otherwise'],
            label: 'otherwise',
            when: null,
            steps: arm.otherwise,
          },
    ),
  }),
  decide(_, { draft, context, enrolment, node }) {
    const facts = factsOf(draft, context, enrolment)
    const taken = node.arms.findIndex((arm) => arm.holds(facts))
    noteOf(draft, enrolment, 'branch_taken', {
      detail: { step: node.path, arm: taken < 0 ? null : taken },
    })
    return { goTo: node.arms[taken]?.first ?? node.next }
  },
}

/** Of the arm that was taken what held; of everybody else what did not. */
function takenBecause(
  arm: BranchStep['branch'][number] | undefined,
  traces: readonly LabelledTrace[],
  index: number,
  words: Words,
): string {
  const told = arm && 'when' in arm ? traces.slice(index, index + 1) : traces
  return told.map(({ trace }) => words.because(trace)).join('; ')
}
