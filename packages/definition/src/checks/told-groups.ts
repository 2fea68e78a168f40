import type { Specification, SpecificationsFile } from '@wegwijs/campaign/definition/specification'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import { type Fault, unknownName } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { about, aboutKey, isMended, type Loaded, type Parts } from './parts.ts'
import { stepsOf } from './walk.ts'

type Looked = { loaded: Loaded<SpecificationsFile>; parts: Parts }
type Campaign = Parts['campaigns'][number]

/** Who is in an arm, or held out, must be able to be so: of nobody else it could be played. */
export function checkGroups(
  { loaded, parts }: Looked,
  given: Specification['given'],
  path: Path,
): Fault[] {
  const campaign = parts.campaigns.find(({ value }) => value.id === loaded.value.campaign)
  if (!campaign) return []
  return [
    ...checkArms(loaded, campaign, given.arms ?? {}, [...path, 'arms']),
    ...(given['held out'] && !mayHoldOut(campaign, parts)
      ? [aboutKey(loaded, [...path, 'held out'], nobodyHeldOut(campaign))]
      : []),
  ]
}

function checkArms(
  loaded: Loaded<SpecificationsFile>,
  campaign: Campaign,
  given: Readonly<Record<string, string>>,
  path: Path,
): Fault[] {
  const splits = stepsOf(campaign.value.steps).flatMap(({ step, path: at }) => {
    const { divides } = partsOf(step)
    return divides ? [{ ...divides, isMended: isMended(campaign, at) }] : []
  })
  const names = splits.map(({ split }) => split)
  return Object.entries(given).flatMap(([name, arm]) => {
    const here = [...path, name]
    const divided = splits.find(({ split }) => split === name)
    if (!divided) {
      // The one that is meant may be among the steps that cannot be read.
      return isMended(campaign, ['steps'])
        ? []
        : [aboutKey(loaded, here, unknownName('split', name, names))]
    }
    if (divided.arms.includes(arm) || divided.isMended) return []
    return [about(loaded, here, unknownName('arm', arm, divided.arms))]
  })
}

/** Also where it cannot be read. */
function mayHoldOut(campaign: Campaign, { policies }: Parts): boolean {
  if (isMended(campaign, ['class']) || isMended(campaign, ['holdOut'])) return true
  const { class: own, holdOut } = campaign.value
  if (own === 'care') return false
  if (holdOut !== undefined || !policies || isMended(policies, ['holdOut'])) return true
  return policies.value.holdOut?.classes.includes(own) ?? false
}

function nobodyHeldOut({ value: { id, class: own } }: Campaign) {
  const why =
    own === 'care'
      ? 'of care nobody ever is'
      : `it has no "holdOut", and that of policies.yaml is not for ${own}`
  return { message: `nobody can be held out of "${id}": ${why}`, found: 'held out' }
}
