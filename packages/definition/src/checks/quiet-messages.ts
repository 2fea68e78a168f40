import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { QuietHours } from '@wegwijs/campaign/definition/policies'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { Fault } from '../fault.ts'
import { about, type Loaded, type Parts } from './parts.ts'
import { stepsOf } from './walk.ts'

/** Messages for a part of the day in which people of their class are left in peace: nobody would ever get them. */
export function checkQuietMessages(campaign: Loaded<CampaignFile>, { policies }: Parts): Fault[] {
  const quietHours = policies?.value.classes[campaign.value.class].quietHours
  if (!quietHours) return []
  return stepsOf(campaign.value.steps).flatMap(({ step, path }) => {
    const { send } = partsOf(step).message ?? {}
    if (!send || !('between' in send) || !send.between) return []
    if (!isAllQuiet(send.between, quietHours)) return []
    const [found] = send.between
    const message = `it would never go out: people of the class "${campaign.value.class}" are left in peace from ${quietHours.from} to ${quietHours.until}`
    return [
      about(campaign, [...path, ...Object.keys(step), 'send', 'between', 0], { message, found }),
    ]
  })
}

function isAllQuiet([opens, closes]: readonly [string, string], { from, until }: QuietHours) {
  return from < until ? from <= opens && closes <= until : from <= opens || closes <= until
}
