import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { subtractDuration } from '@wegwijs/campaign/instant'
import { type HeldOutReason, heldOutReasons } from '@wegwijs/campaign/reasons'
import { sql } from 'kysely'
import type { Store } from './database.ts'
import { type ReadCampaign, readAsFarAsItGoes, type StoredCampaign } from './stored-definition.ts'
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
  /** Why not all that the version says can be read; null when it can. */
  unread: string | null
  /** Null for a campaign that says nothing of what it is for: nobody reaches it then. */
  goal: Goal | null
  entered: GoalCount
  heldOut: HeldOut
  /** By the name of the split; an arm into which nobody came is not there. */
  splits: { split: string; arms: ArmCount[] }[]
}

type VersionRow = StoredCampaign & { isLive: boolean; now: string }

type Version = Omit<VersionRow, 'content'> & ReadCampaign

type CountRow = Pick<StoredCampaign, 'campaignId' | 'version'> & {
  heldOut: HeldOutReason | null
  split: string | null
  arm: string | null
  times: string
  reached: string
  open: string
}

/**
 * What came of a campaign, or of all of them, version by version, the newest first: two statements, however
 * many people there are. It reads every run that there ever was, so it is for somebody who asks; what was
 * decided may be forgotten by then. Empty when the campaign was never published.
 */
export async function readOutcomes(store: Store, campaignId?: string): Promise<Outcome[]> {
  return query(async () => {
    const versions = await readVersions(store, campaignId ?? null)
    if (versions.length === 0) return []
    const rows = await readCounts(store, versions)
    const own = Map.groupBy(rows, keyOf)
    return versions.map((version) => outcomeOf(version, own.get(keyOf(version)) ?? []))
  })
}

async function readVersions(store: Store, asked: string | null): Promise<Version[]> {
  const { rows } = await sql<VersionRow>`
    select v.campaign_id as "campaignId", v.version, v.content,
      c.state = 'live' and c.live_version = v.version as "isLive", business_now() as now
    from campaign_version v
    join campaign c on c.campaign_id = v.campaign_id
    where ${asked}::text is null or v.campaign_id = ${asked}
    order by v.campaign_id, v.version desc`.execute(store.db)
  return rows.map(({ content, ...row }) => ({ ...row, ...readAsFarAsItGoes({ ...row, content }) }))
}

async function readCounts(store: Store, versions: readonly Version[]): Promise<CountRow[]> {
  const since = versions.map(({ file: { goal }, now }) =>
    goal ? subtractDuration(now, goal.within, 'UTC') : null,
  )
  const { rows } = await sql<CountRow>`
    with run as (
      select e.campaign_id, e.version, e.arms,
        case when e.reason = any(${[...heldOutReasons]}::text[]) then e.reason end as held_out,
        e.goal_at is not null as reached,
        coalesce(e.goal_at is null and e.entered_at > v.since, false) as open
      from unnest(${versions.map((each) => each.campaignId)}::text[],
          ${versions.map(({ version }) => version)}::integer[], ${since}::timestamptz[])
        as v (campaign_id, version, since)
      join enrolment e on e.campaign_id = v.campaign_id and e.version = v.version
      -- They go on as another run of the same person, which counts.
      where e.reason is distinct from 'date_moved' and e.reason is distinct from 'merged_duplicate'
    ), part as (
      select campaign_id, version, held_out, null as split, null as arm, reached, open from run
      union all
      select campaign_id, version, null, taken.split, taken.arm, reached, open
      from run cross join lateral jsonb_each_text(
        case when jsonb_typeof(run.arms) = 'object' then run.arms end) as taken (split, arm)
    )
    select campaign_id as "campaignId", version, held_out as "heldOut", split, arm, count(*) as times,
      count(*) filter (where reached) as reached, count(*) filter (where open) as open
    from part group by campaign_id, version, held_out, split, arm
    order by split nulls first, arm`.execute(store.db)
  return rows
}

function keyOf({ campaignId, version }: Pick<StoredCampaign, 'campaignId' | 'version'>): string {
  return `${campaignId}/${version}`
}

function outcomeOf(
  { campaignId, version, isLive, file, unclear }: Version,
  rows: readonly CountRow[],
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
  return {
    campaign: campaignId,
    name: file.name,
    version,
    isLive,
    unread: unclear?.why.message ?? null,
    goal: file.goal ?? null,
    entered: whole(null),
    heldOut,
    splits,
  }
}

function countOf(row: CountRow | undefined): GoalCount {
  const { times, reached, open } = row ?? { times: 0, reached: 0, open: 0 }
  return { times: Number(times), reached: Number(reached), open: Number(open) }
}
