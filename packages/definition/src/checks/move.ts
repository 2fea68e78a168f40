import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { nameOfStep, placedSteps, stepNamed } from '@wegwijs/campaign/move'
import { type Fault, unknownName } from '../fault.ts'
import { about, type Loaded } from './parts.ts'

/**
 * Where people of an older version go on must be a step of this one. The steps of the older version are
 * not in the folder: `plan` and `apply` hold a move against those.
 */
export function checkMove(campaign: Loaded<CampaignFile>): Fault[] {
  const { move, steps } = campaign.value
  if (!move) return []
  const placed = placedSteps(steps)
  const names = [...placed.map(nameOfStep), 'end']
  return Object.entries(move.steps).flatMap(([from, to]) => {
    if (to === 'end' || stepNamed(placed, to)) return []
    return [about(campaign, ['move', 'steps', from], unknownName('step', to, names))]
  })
}
