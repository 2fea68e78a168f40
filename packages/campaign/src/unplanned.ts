import type { CompiledCampaign } from './compiled-campaign.ts'
import type { Draft } from './draft.ts'
import { ledBackBy, versionOf } from './led-back.ts'
import type { Enrolment } from './state.ts'
import { type StepNode, stepsBehind } from './step-node.ts'
import { partsOf } from './steps/registry.ts'

/*
 * Messages that a run has passed and of which it planned nothing, since their moment had no data or had passed,
 * or nobody was to get them. A newer version of the entity may tell them: the run keeps their ids
 * (steps/unplanned-message.ts).
 */

/**
 * The steps of them that are behind the run, and of which it has still planned nothing, or nothing since it was
 * last led back to what stands before them.
 */
export function unplannedSteps(
  draft: Draft,
  enrolment: Enrolment,
  campaign: CompiledCampaign,
): StepNode[] {
  const { unplanned = [], step } = enrolment
  if (unplanned.length === 0) return []
  const { nodes } = campaign
  const own = [...draft.intents.values()].filter(
    ({ enrolmentId }) => enrolmentId === enrolment.enrolmentId,
  )
  const ledBack = ledBackBy(own, campaign)
  const planned = own.filter((intent) => versionOf(intent) >= (ledBack.get(intent.step) ?? 0))
  const open = unplanned.filter((id) => !planned.some(({ messageId }) => messageId === id))
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
