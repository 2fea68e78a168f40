import type { CompiledCampaign } from './compiled-campaign.ts'
import type { CampaignFile } from './definition/campaign.ts'
import { hangsOnEntity } from './moment.ts'
import type { Intent } from './state.ts'
import { type StepNode, stepsBehind } from './step-node.ts'
import { turnOf } from './steps/message-status.ts'
import { everyStep, kindOf, partsOf } from './steps/registry.ts'

/**
 * By the path of each step, the version of the entity of which a question before it, or a cascade, was last told anew:
 * what an older version planned there followed another answer. Nobody is led through a version that cannot be read.
 */
export function ledBackBy(
  own: readonly Intent[],
  { nodes, unclear }: CompiledCampaign,
): ReadonlyMap<string, number> {
  const versions = new Map<string, number>()
  if (unclear || new Set(own.map(versionOf)).size < 2) return versions
  const messageOf = new Map(own.map(({ intentId, messageId }) => [intentId, messageId]))
  for (const intent of own) {
    const node = nodes.get(intent.step)
    const isInPlaceOfOwn = messageOf.get(intent.insteadOf ?? '') === intent.messageId
    if (!node || isInPlaceOfOwn || !leadsBack(node, intent)) continue
    for (const { path } of stepsBehind(node, nodes))
      versions.set(path, Math.max(versions.get(path) ?? 0, versionOf(intent)))
  }
  return versions
}

/**
 * Its own moment lay ahead when it was planned. One that is only planned again where the run has passed it, such as
 * what waits of a cascade over its last channel, leads nobody back: what stands behind it has been told (P1).
 */
function leadsBack({ step, kind }: StepNode, intent: Intent): boolean {
  const { send } = partsOf(step).message ?? {}
  const { dueAt, dueSince = dueAt, plannedAt } = intent
  const laysAhead = send !== undefined && hangsOnEntity(send) && dueSince > plannedAt
  return laysAhead && turnOf(intent) === 0 && kind.beginsAnew?.(intent) != null
}

/** Whether who is through may come to stand at a step again, since the moment of that hangs on the entity. */
export function mayLeadBack({ steps }: CampaignFile): boolean {
  return everyStep(steps).some((step) => {
    const { send } = partsOf(step).message ?? {}
    return kindOf(step).beginsAnew !== undefined && send !== undefined && hangsOnEntity(send)
  })
}

/** Of the entity; 0 of a message that hangs on none. */
export function versionOf({ entity }: Intent): number {
  return entity?.version ?? 0
}
