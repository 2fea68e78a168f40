import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { type HeldOutReason, heldOutReasons } from '@wegwijs/campaign/reasons'
import { sql } from 'kysely'
import type { Store } from './database.ts'
import { query } from './transaction.ts'

export type Goal = NonNullable<CampaignFile['goal']>

/**
 * How often it began for some people, and how often they reached the goal since. `open` are those who have
 * not, and for whom the time of the goal is not over yet. All are times, not people: whoever may enter
 * again counts again.
 */
export type GoalCount = { times: number; reached: number; open: number }

export type ArmCount = GoalCount & { arm: string }

/** Who gets nothing, so that the effect can be measured. */
export type HeldOut = {
  /** Of this campaign: its own effect. */
  ofCampaign: GoalCount
  /** Of all campaigns of some classes (`holdOut` of policies.yaml): the effect of all of them together. */
  ofAll: GoalCount
}

/** What came of one version of a campaign: of those who are in it now, also when they moved to it. */
export type Outcome = {
  campaign: string
  name: string
  version: number
  isLive: boolean
  /** Null for a campaign that says nothing of what it is for: nobody reaches it then. */
  goal: Goal | null
  entered: GoalCount
  heldOut: HeldOut
  /** By the name of the split; an arm into which nobody came is not there. */
  splits: { split: string; arms: ArmCount[] }[]
}

type OutcomeRow = Pick<Outcome, 'campaign' | 'name' | 'version' | 'isLive' | 'goal'> & {
  heldOut: HeldOutReason | null
  split: string | null
  arm: string | null
  times: string | null
  reached: string | null
  open: string | null
}

/**
 * What came of a campaign, or of all of them, version by version, the newest first: one statement, however
 * many people there are. It reads every run that there ever was, so it is for somebody who asks; what was
 * decided may be forgotten by then. Empty when the campaign was never published.
 */
export async function readOutcomes(store: Store, campaignId?: string): Promise<Outcome[]> {
  const asked = campaignId ?? null
  return query(async () => {
    const { rows } = await sql<OutcomeRow>`
      with run as (
        select e.campaign_id, e.version, e.arms,
          case when e.reason = any(${[...heldOutReasons]}::text[]) then e.reason end as held_out,
          e.goal_at is not null as reached,
          coalesce(e.goal_at is null and e.entered_at + (v.content #>> '{goal,within}')::interval
            > business_now(), false) as open
        from enrolment e
        join campaign_version v on v.campaign_id = e.campaign_id and v.version = e.version
        where (${asked}::text is null or e.campaign_id = ${asked})
          -- They go on as another run of the same person, which counts.
          and e.reason is distinct from 'date_moved' and e.reason is distinct from 'merged_duplicate'
      ), part as (
        select campaign_id, version, held_out, null as split, null as arm, reached, open from run
        union all
        select campaign_id, version, null, taken.split, taken.arm, reached, open
        from run cross join lateral jsonb_each_text(run.arms) as taken (split, arm)
      ), counted as (
        select campaign_id, version, held_out, split, arm, count(*) as times,
          count(*) filter (where reached) as reached, count(*) filter (where open) as open
        from part group by campaign_id, version, held_out, split, arm
      )
      select v.campaign_id as campaign, v.content ->> 'name' as name, v.version,
        c.state = 'live' and c.live_version = v.version as "isLive",
        nullif(v.content -> 'goal', 'null'::jsonb) as goal,
        n.held_out as "heldOut", n.split, n.arm, n.times, n.reached, n.open
      from campaign_version v
      join campaign c on c.campaign_id = v.campaign_id
      left join counted n on n.campaign_id = v.campaign_id and n.version = v.version
      where ${asked}::text is null or v.campaign_id = ${asked}
      order by v.campaign_id, v.version desc, n.split nulls first, n.arm`.execute(store.db)
    const versions = Map.groupBy(rows, ({ campaign, version }) => `${campaign}/${version}`)
    return [...versions.values()].flatMap((own) => (own[0] ? [outcomeOf(own[0], own)] : []))
  })
}

function outcomeOf(
  { campaign, name, version, isLive, goal }: OutcomeRow,
  rows: readonly OutcomeRow[],
): Outcome {
  const whole = (reason: HeldOutReason | null) =>
    countOf(rows.find(({ split, heldOut }) => split === null && heldOut === reason))
  const ofSplits = Map.groupBy(
    rows.filter(({ split }) => split !== null),
    ({ split }) => split ?? '',
  )
  const splits = [...ofSplits].map(([split, arms]) => ({
    split,
    arms: arms.map((row) => ({ arm: row.arm ?? '', ...countOf(row) })),
  }))
  const heldOut = { ofCampaign: whole('held_out'), ofAll: whole('held_out_of_all') }
  const counts = { entered: whole(null), heldOut, splits }
  return { campaign, name, version, isLive, goal, ...counts }
}

function countOf(row: OutcomeRow | undefined): GoalCount {
  const { times, reached, open } = row ?? { times: 0, reached: 0, open: 0 }
  return { times: Number(times), reached: Number(reached), open: Number(open) }
}
