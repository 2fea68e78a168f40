import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { differencesBetween } from '@wegwijs/campaign/definition/differences'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import type { LiveCampaign, Publication } from './publication.ts'
import type { PublishedMove } from './published-moves.ts'
import type { Rollout } from './rollouts.ts'
import { fileIfReadable } from './stored-definition.ts'

/** A definition and the one that it replaces. */
type Replacement = { before: DefinitionBundle | null; after: DefinitionBundle }

/** What publishing comes to for people who are there already. */
export function rolloutsOf(
  { published, ended }: Publication,
  replacement: Replacement,
): Pick<Rollout, 'campaignId' | 'work' | 'version' | 'toVersion'>[] {
  const hasOtherDays = daysOf(replacement.before) !== daysOf(replacement.after)
  return [
    ...published.flatMap(({ campaign, live }) => {
      const before = live && fileIfReadable(live.content)
      const isSame = before !== null && hasSameTrigger(before, campaign)
      if (waitsForDate(campaign))
        return isSame && !hasOtherDays ? [] : [workFor(campaign.id, 'dates')]
      return live && mayHaveTimers(live) ? [workFor(campaign.id, 'forget')] : []
    }),
    ...ended.flatMap((live) => (mayHaveTimers(live) ? [workFor(live.campaignId, 'forget')] : [])),
  ]
}

/** Of what cannot be read nobody knows that it has none, and to forget none does no harm. */
function mayHaveTimers({ content }: LiveCampaign): boolean {
  const file = fileIfReadable(content)
  return file === null || waitsForDate(file)
}

export function rolloutOf({ campaignId, from, to }: PublishedMove) {
  return { campaignId, work: 'move' as const, version: from, toVersion: to }
}

function workFor(campaignId: string, work: 'dates' | 'forget') {
  return { campaignId, work, version: null, toVersion: null }
}

function waitsForDate({ trigger }: CampaignFile): boolean {
  const { date, becomes } = triggerPartsOf(trigger)
  return date !== undefined || becomes !== undefined
}

function hasSameTrigger(one: CampaignFile, other: CampaignFile): boolean {
  const [before, after] = [one, other].map(({ trigger }) => JSON.parse(JSON.stringify(trigger)))
  return differencesBetween(before, after).length === 0
}

/** By what it is worked out when a date comes: clocks and working days. */
function daysOf(definition: DefinitionBundle | null): string {
  if (!definition) return ''
  const { timeZone, holidays, closedDays } = definition.policies
  return JSON.stringify([timeZone, holidays, closedDays])
}
