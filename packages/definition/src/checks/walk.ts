import type { Step } from '@wegwijs/campaign/steps/registry'

export type StepAt = { step: Step; path: (string | number)[] }

/** Every step of a campaign with the path to it in its file, in the order of the text. */
export function stepsOf(steps: readonly Step[], path: (string | number)[] = ['steps']): StepAt[] {
  return steps.flatMap((step, index) => {
    const at = [...path, index]
    if (!('branch' in step)) return [{ step, path: at }]
    const inside = step.branch.flatMap((arm, position) =>
      'when' in arm
        ? stepsOf(arm.steps, [...at, 'branch', position, 'steps'])
        : stepsOf(arm.otherwise, [...at, 'branch', position, 'otherwise']),
    )
    return [{ step, path: at }, ...inside]
  })
}
