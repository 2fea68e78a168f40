import type { CompiledCampaign } from './compiled-campaign.ts'
import type { Draft } from './draft.ts'
import type { Enrolment } from './state.ts'
import { type StepNode, stepsBehind } from './step-node.ts'
import { partsOf } from './steps/registry.ts'
import { isPlanned } from './steps/unplanned-message.ts'

/*
 * Messages that a run has passed and of which it planned nothing, since their moment had no data or had passed,
 * or nobody was to get them. A newer version of the entity may tell them: the run keeps their ids
 * (steps/unplanned-message.ts).
 */

/** The steps of them that are behind the run, and of which it has still planned nothing. */
export function unplannedSteps(
  draft: Draft,
  enrolment: Enrolment,
  { nodes }: CompiledCampaign,
): StepNode[] {
  const { unplanned = [], step } = enrolment
  const open = unplanned.filter((id) => !isPlanned(draft, enrolment, id))
  if (open.length === 0) return []
  const at = nodes.get(step ?? '')
  const ahead = at ? stepsBehind(at, nodes) : new Set<StepNode>()
  return [...nodes.values()].filter(
    (node) => open.includes(partsOf(node.step).message?.id ?? '') && !ahead.has(node),
  )
}

/** The same run without those that it comes to again, or that are taken from it. */
export function withoutUnplanned(
  enrolment: Enrolment,
  isGone: (messageId: string) => boolean,
): Enrolment {
  const { unplanned, ...rest } = enrolment
  const left = unplanned?.filter((id) => !isGone(id)) ?? []
  return left.length === 0 ? rest : { ...rest, unplanned: left }
}
