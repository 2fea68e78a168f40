import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { Fault } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { type Loaded, type Parts, repeated } from './parts.ts'
import { stepsOf } from './walk.ts'

/**
 * A channel or somebody who is named twice in one list: the second time says nothing, and was meant to be
 * another. The schemas let it pass, since versions were published with it.
 */
export function checkRepeats({ campaigns, personas, policies }: Parts): Fault[] {
  return [
    ...campaigns.flatMap(repeatsIn),
    ...(personas?.value.personas ?? []).flatMap(({ channels }, index) =>
      personas ? repeatedWords(personas, 'channel', channels, ['personas', index, 'channels']) : [],
    ),
    ...(policies?.value.ages ?? []).flatMap(({ to }, index) =>
      policies ? repeatedWords(policies, 'recipient', to, ['ages', index, 'to']) : [],
    ),
  ]
}

function repeatsIn(campaign: Loaded<CampaignFile>): Fault[] {
  return stepsOf(campaign.value.steps).flatMap(({ step, path }) => {
    const { message } = partsOf(step)
    if (!message) return []
    const at = [...path, ...Object.keys(step)]
    const { channels, to } = message
    return [
      ...(Array.isArray(channels)
        ? repeatedWords(campaign, 'channel', channels, [...at, 'channels'])
        : []),
      ...(Array.isArray(to) ? repeatedWords(campaign, 'recipient', to, [...at, 'to']) : []),
    ]
  })
}

function repeatedWords(
  loaded: Loaded<unknown>,
  kind: string,
  words: readonly string[],
  path: Path,
): Fault[] {
  return repeated(
    loaded,
    kind,
    words.map((name, index) => ({ name, path: [...path, index] })),
  )
}
