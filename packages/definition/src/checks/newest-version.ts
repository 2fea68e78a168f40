import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Field } from '@wegwijs/campaign/definition/field'
import type { Touchpoint } from '@wegwijs/campaign/definition/touchpoints'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { VariableUse } from '@wegwijs/template/template'
import { type Fault, faultAt } from '../fault.ts'
import { about, type Loaded } from './parts.ts'
import { stepsOf } from './walk.ts'

/**
 * A campaign that begins anew by each version of an appointment while the runs before go on: all of them tell the newest
 * version, as soon as it is known.
 */
export function toldByEachVersionIn(
  campaign: Loaded<CampaignFile>,
  trigger: Touchpoint | null,
): Fault[] {
  const { entry, exit, goal, atOnce, steps } = campaign.value
  if (entry !== 'every-time' || atOnce === 1 || !trigger?.entity) return []
  const { type, entity } = trigger
  if ([...exit, ...(goal ? [goal] : [])].some(({ touchpoint }) => touchpoint === type)) return []
  if (!stepsOf(steps).some(({ step }) => isTold(partsOf(step)))) return []
  const message = `a newer version of the ${entity} begins anew, and the run before goes on: both tell what is newest; expected "exit: [{ touchpoint: ${type} }]", or "entry: once-per-entity"`
  return [about(campaign, ['entry'], { message, found: entry })]
}

function isTold({ message, team }: ReturnType<typeof partsOf>): boolean {
  return message !== undefined || team !== undefined
}

/** What the event said by which the campaign began, where the newest version may say something else. */
export function warningOfOldVersion(use: VariableUse, fields: ReadonlyMap<string, Field>): Fault[] {
  const newest = use.path.replace(/^event\./, 'entity.')
  if (newest === use.path || !fields.has(newest)) return []
  const message = `${use.path} stays what the event said by which the campaign began, also when a newer version says something else; expected ${newest}`
  return [faultAt(use.file, use, { message, found: use.path })]
}
