import { compileCondition, type Predicate } from './condition.ts'
import { kindOf, partsOf } from './steps/registry.ts'
import type { Step } from './steps/step.ts'
import type { StepKind } from './steps/step-kind.ts'

/**
 * One step where it stands: `next` follows it, `arms` are the ways into those that it holds, and
 * `conditions` those that it names beside the ones of its arms.
 */
export type StepNode = {
  path: string
  step: Step
  kind: StepKind<Step>
  next: string | null
  arms: readonly Arm[]
  conditions: readonly Predicate[]
}
type Arm = { holds: Predicate; first: string | null }

/**
 * Gives every step a path (`2`, `2.0.1`: step, arm, step) and says what follows it; `first` is null where there
 * is none. In the order in which they are read: a step before those in its arms.
 */
export function layOut(steps: readonly Step[]): {
  first: string | null
  nodes: ReadonlyMap<string, StepNode>
} {
  const nodes = new Map<string, StepNode>()
  const first = layOutBefore(steps, '', null, nodes)
  return { first, nodes }
}

/** Of steps that `after` follows; returns the path of the first. */
function layOutBefore(
  steps: readonly Step[],
  prefix: string,
  after: string | null,
  nodes: Map<string, StepNode>,
): string | null {
  steps.forEach((step, index) => {
    const path = `${prefix}${index}`
    const next = index + 1 < steps.length ? `${prefix}${index + 1}` : after
    const parts = partsOf(step)
    const arms: Arm[] = []
    const conditions = (parts.conditions ?? []).map(({ condition }) => compileCondition(condition))
    nodes.set(path, { path, step, kind: kindOf(step), next, arms, conditions })
    for (const [number, arm] of (parts.arms ?? []).entries()) {
      const holds = arm.when ? compileCondition(arm.when.condition) : () => true
      arms.push({ holds, first: layOutBefore(arm.steps, `${path}.${number}.`, next, nodes) })
    }
  })
  return steps.length > 0 ? `${prefix}0` : after
}

/** Every step that may still come after this one, whichever way somebody goes. */
export function stepsBehind(
  from: StepNode,
  nodes: ReadonlyMap<string, StepNode>,
): ReadonlySet<StepNode> {
  const behind = new Set<StepNode>()
  const ahead = [from]
  for (let at = ahead.pop(); at; at = ahead.pop()) {
    for (const path of [at.next, ...at.arms.map(({ first }) => first)]) {
      const node = nodes.get(path ?? '')
      if (!node || behind.has(node)) continue
      behind.add(node)
      ahead.push(node)
    }
  }
  return behind
}
