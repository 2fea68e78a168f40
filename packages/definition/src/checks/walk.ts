import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'

export type StepAt = { step: Step; path: (string | number)[] }

/** Every step of a campaign with the path to it in its file, in the order of the text. */
export function stepsOf(steps: readonly Step[], path: (string | number)[] = ['steps']): StepAt[] {
  return steps.flatMap((step, index) => {
    const at = [...path, index]
    const inside = (partsOf(step).arms ?? []).flatMap((arm) =>
      stepsOf(arm.steps, [...at, ...arm.path]),
    )
    return [{ step, path: at }, ...inside]
  })
}
