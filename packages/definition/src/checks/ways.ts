import { layOut, type StepNode } from '@wegwijs/campaign/step-node'
import { kindOf, partsOf } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'

/** Which steps somebody may come to behind which, whichever way they go. */
export type Ways = {
  /** Whether anybody comes to a step: not where all have left before it. */
  mayComeTo(step: Step): boolean
  /** Whether somebody who comes to a step may have come past another one before. */
  mayComeBehind(step: Step, past: Step): boolean
  /**
   * Whether one run may come to it more than once: it stands behind a question, or a message over one channel
   * after the other, that begins anew when the appointment moves.
   */
  mayComeAgain(step: Step): boolean
}

export function waysThrough(steps: readonly Step[]): Ways {
  const { first, nodes } = layOut(steps)
  const behind = new Map(
    [...nodes.values()].map((node) => [node.step, new Set(stepsAfter(node, nodes))]),
  )
  const isBehind = (step: Step, past: Step) => behind.get(past)?.has(step) ?? false
  const start = nodes.get(first ?? '')?.step
  const beginAnew = [...behind.keys()].filter((step) => kindOf(step).beginsAnew)
  return {
    mayComeTo: (step) => start !== undefined && (step === start || isBehind(step, start)),
    mayComeBehind: (step, past) =>
      isBehind(step, past) ||
      beginAnew.some((each) => isBehind(step, each) && isBehind(past, each)),
    mayComeAgain: (step) => beginAnew.some((each) => isBehind(step, each)),
  }
}

function stepsAfter(from: StepNode, nodes: ReadonlyMap<string, StepNode>): Step[] {
  const behind = new Set<StepNode>()
  const ahead = [from]
  for (let at = ahead.pop(); at; at = ahead.pop()) {
    const { ends = false } = partsOf(at.step)
    for (const path of [ends ? null : at.next, ...at.arms.map(({ first }) => first)]) {
      const node = nodes.get(path ?? '')
      if (!node || behind.has(node)) continue
      behind.add(node)
      ahead.push(node)
    }
  }
  return [...behind].map(({ step }) => step)
}
