import type { CampaignVersion } from './compiled-campaign.ts'
import { type Condition, compileCondition, happenedIn } from './condition.ts'
import { type CompiledCounts, type Count, countsOf } from './counts.ts'
import type { DefinitionBundle } from './definition/bundle.ts'
import type { CampaignFile } from './definition/campaign.ts'
import { everyStep, partsOf } from './steps/registry.ts'
import { triggerPartsOf } from './triggers/registry.ts'

/**
 * What the record counts, with the text by which it is known that it still counts that; and why the rest of it
 * cannot be read.
 */
export type KeptCounts = { counts: readonly Count[]; mark: string; unread?: readonly Error[] }

/** `isThrough`: nobody takes a step of it any more, and what ends it may still withdraw what it has planned. */
type AskingVersion = Pick<CampaignVersion, 'file'> & { readonly isThrough?: boolean }

/** What the conditions of a definition, and of these versions of campaigns, ask for. */
export function countsOfDefinition(
  { personas, policies }: Pick<DefinitionBundle, 'personas' | 'policies'>,
  versions: readonly AskingVersion[],
): Count[] {
  const conditions = [
    ...personas.personas.flatMap(({ when }) => when ?? []),
    ...versions.flatMap(({ file, isThrough }) =>
      isThrough ? conditionsOfExits(file) : conditionsIn(file),
    ),
  ]
  const asked = conditions.flatMap((condition) => happenedIn(condition))
  return countsOf(
    asked.map(({ happened }) => happened),
    policies.timeZone,
  )
}

function conditionsOfExits({ exit }: CampaignFile): Condition[] {
  return exit.flatMap(({ where }) => where ?? [])
}

/** Every condition of a campaign. */
function conditionsIn(file: CampaignFile): Condition[] {
  const { trigger, audience, goal, steps } = file
  return [
    triggerPartsOf(trigger).where?.condition,
    audience.where,
    ...conditionsOfExits(file),
    goal?.where,
    ...everyStep(steps).flatMap((step) => {
      const { arms = [], conditions = [] } = partsOf(step)
      return [
        ...arms.map(({ when }) => when?.condition),
        ...conditions.map((each) => each.condition),
      ]
    }),
  ].filter((condition) => condition !== undefined)
}

export function compileCounts({ counts, mark, unread = [] }: KeptCounts): CompiledCounts {
  const ready = counts.map(({ key, touchpoint, where, days }) => ({
    touchpoint,
    count: { key, days, holds: where && compileCondition(where) },
  }))
  const byTouchpoint = Map.groupBy(ready, ({ touchpoint }) => touchpoint)
  return {
    mark,
    unread,
    keys: new Set(counts.map(({ key }) => key)),
    byTouchpoint: new Map(
      [...byTouchpoint].map(([type, own]) => [type, own.map(({ count }) => count)]),
    ),
  }
}
