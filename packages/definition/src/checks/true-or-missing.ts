import { type Leaf, leavesOf } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Fault } from '../fault.ts'
import { conditionsOf } from './campaign-fields.ts'
import { holdsIn } from './cases.ts'
import { about, type Loaded } from './parts.ts'

/** What asks that nobody stands to the person so: that is no `false`, it is nothing at all. */
export function askedForFalseIn(campaign: Loaded<CampaignFile>): Fault[] {
  return conditionsOf(campaign.value).flatMap(({ condition, path }) =>
    leavesOf(condition, path)
      .filter(({ leaf }) => leaf.field.startsWith('relation.') && neverHolds(leaf))
      .map(({ leaf: { field }, path: at }) => {
        const message = `this never holds: ${field} is true, or nothing at all; for whom there is nobody, expected "not: { field: ${field}, op: eq, value: true }"`
        return about(campaign, at, { message })
      }),
  )
}

function neverHolds(leaf: Leaf): boolean {
  return !holdsIn(leaf, new Map([[leaf.field, true]])) && !holdsIn(leaf, new Map())
}
