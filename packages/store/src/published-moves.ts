import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import {
  behindAll,
  type MoveFault,
  nameOfStep,
  placedSteps,
  type StepMap,
  stepMapOf,
} from '@wegwijs/campaign/move'
import { fail } from '@wegwijs/runtime/failure'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import type { PublishedCampaign } from './publication.ts'
import { readStoredCampaign } from './stored-definition.ts'

/** People of an older version whom publishing a campaign takes along, and to which step from which. */
export type PublishedMove = {
  campaignId: string
  from: number
  to: number
  before: CampaignFile
  after: CampaignFile
  steps: StepMap
}

/**
 * The moves that publishing comes to. Every step at which people may wait leads somewhere, whether or not
 * anybody waits there now: somebody may until it is applied.
 *
 * @throws WEGWIJS_MOVE_INCOMPLETE when one does not, or when a move names what is not there
 */
export async function movesOf(
  tx: Querying,
  published: readonly PublishedCampaign[],
): Promise<PublishedMove[]> {
  const moving = published.flatMap(({ campaign, change, version }) =>
    campaign.move && change !== 'unchanged'
      ? [{ campaign, from: campaign.move.from, to: version }]
      : [],
  )
  if (moving.length === 0) return []
  const { rows } = await sql<{ campaign_id: string; version: number; content: unknown }>`
    select v.campaign_id, v.version, v.content from campaign_version v
    join unnest(${moving.map(({ campaign }) => campaign.id)}::text[],
      ${moving.map(({ from }) => from)}::int[]) as moved (campaign_id, version)
      using (campaign_id, version)`.execute(tx)
  const known = new Map(
    rows.map(({ campaign_id: campaignId, version, content }) => [
      campaignId,
      readStoredCampaign({ campaignId, version, content }),
    ]),
  )
  return moving.map(({ campaign, from, to }) => {
    const before = known.get(campaign.id)
    if (!before)
      throw fail('WEGWIJS_MOVE_INCOMPLETE', {
        campaign: campaign.id,
        problem: `there is no version ${from}`,
      })
    const { steps, faults } = stepMapOf(before, campaign)
    if (faults.length > 0) {
      const problem = faults.map((fault) => inWords(fault, from)).join('; ')
      throw fail('WEGWIJS_MOVE_INCOMPLETE', { campaign: campaign.id, problem })
    }
    return { campaignId: campaign.id, from, to, before, after: campaign, steps }
  })
}

function inWords(fault: MoveFault, from: number): string {
  const { step } = fault
  switch (fault.problem) {
    case 'unknown':
      return `version ${from} has no step "${step}"`
    case 'unknown_target':
      return `the new version has no step "${step}"`
    case 'no_counterpart':
      return `people may wait at step "${step}" of version ${from}, and nothing says where they go on`
    case 'ways_missing': {
      const ways = fault.missing.map((way) => `"${way}"`).join(', ')
      return `who waits at step "${step}" of version ${from} may still come to ${ways}, which that step does not have in the new version`
    }
  }
}

/** How many people are at which step, and at which they go on. */
export type PlannedMove = {
  from: number
  steps: { from: string; to: string | null; people: number }[]
  /** Where those go on who are through: null takes them out, and without it they take no step. */
  through?: string | null
}

export async function plannedMoves(
  tx: Querying,
  moves: readonly PublishedMove[],
): Promise<Map<string, PlannedMove>> {
  if (moves.length === 0) return new Map()
  const { rows } = await sql<{ campaign_id: string; step: string; people: number }>`
    select e.campaign_id, e.step, count(*)::int as people from enrolment e
    join unnest(${moves.map(({ campaignId }) => campaignId)}::text[],
      ${moves.map(({ from }) => from)}::int[]) as moved (campaign_id, version)
      using (campaign_id, version)
    where e.state = 'running' group by e.campaign_id, e.step order by e.step`.execute(tx)
  return new Map(
    moves.map(({ campaignId, from, before, after, steps }) => {
      const own = rows.filter((row) => row.campaign_id === campaignId)
      const to = (path: string) => {
        const target = steps.get(path) ?? null
        return target === null ? null : nameIn(after, target)
      }
      const planned = own.map(({ step, people }) => ({
        from: nameIn(before, step),
        to: to(step),
        people,
      }))
      const through = steps.has(behindAll) ? { through: to(behindAll) } : {}
      return [campaignId, { from, steps: planned, ...through }]
    }),
  )
}

function nameIn({ steps }: CampaignFile, path: string): string {
  const placed = placedSteps(steps).find((each) => each.path === path)
  return placed ? nameOfStep(placed) : path
}
