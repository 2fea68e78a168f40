import { bandOf, type Reach, reachSchema } from '@wegwijs/campaign/definition/reach'
import { timeZoneSchema } from '@wegwijs/campaign/definition/words'
import { periodLength } from '@wegwijs/campaign/reach'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { fail, type WegwijsError } from '@wegwijs/runtime/failure'
import { type RawBuilder, sql } from 'kysely'
import type { Querying, Store } from './database.ts'
import type { StopWords } from './stops.ts'
import { unreadable } from './stored-definition.ts'
import { alone, inTransaction, query } from './transaction.ts'
import { wake } from './wake.ts'

/** The band of one campaign, as its live version has it, or its newest where it has ended. */
export type ReachRule = {
  readonly campaignId: string
  readonly reach: Reach
  readonly isLive: boolean
}

/** The bands of a definition, and by which revision they were read. */
export type ReachRules = {
  readonly revision: number | null
  readonly timeZone: string
  readonly rules: readonly ReachRule[]
  /** Why a band cannot be read: nothing of its campaign goes out without somebody's word (P5). */
  readonly unread: readonly WegwijsError[]
}

/**
 * The bands of the live versions. Who is in an earlier version counts under the band of the live one; one that has
 * ended goes on under that of its newest, or ending it would let out what waits for a word (P5). By the schema, not
 * as they are stored: one that cannot be read would end the statement that releases everybody's messages, or let
 * out more than its author declared.
 */
export async function loadReachRules(db: Querying): Promise<ReachRules> {
  const { rows } = await query(() =>
    sql<{
      revision: number
      time_zone: unknown
      campaign_id: string | null
      is_live: boolean | null
      version: number | null
      reach: unknown
    }>`
      select d.revision, d.bundle -> 'policies' -> 'timeZone' as time_zone, c.campaign_id,
        c.live_version is not null as is_live, v.version, v.content -> 'reach' as reach
      from (select * from definition order by revision desc limit 1) as d
      left join campaign c on true
      left join campaign_version v on v.campaign_id = c.campaign_id and v.version = coalesce(c.live_version,
        (select max(version) from campaign_version m where m.campaign_id = c.campaign_id))`.execute(
      db,
    ),
  )
  const [first] = rows
  if (!first) return { revision: null, timeZone: 'UTC', rules: [], unread: [] }
  const zone = timeZoneSchema.safeParse(first.time_zone)
  const unread = zone.error
    ? [unreadable(`policies.timeZone of revision ${first.revision}`, zone.error)]
    : []
  const rules = rows.flatMap(
    ({ campaign_id: campaignId, is_live, version, reach }): ReachRule[] => {
      if (campaignId === null || reach === null) return []
      const { data, error } = reachSchema.safeParse(reach)
      // Of what has ended nobody can mend it.
      if (error && is_live)
        unread.push(unreadable(`reach of version ${version} of campaign ${campaignId}`, error))
      // Nobody knows when a period of an unknown zone begins.
      const known = data && zone.success ? data : nothing
      return [{ campaignId, reach: known, isLive: is_live === true }]
    },
  )
  return { revision: first.revision, timeZone: zone.data ?? 'UTC', rules, unread }
}

const nothing: Reach = { most: 0, per: 'P1D' }

/** The rules as rows `(campaign_id, least, most, begins, ends)`, with the period of now. */
export function reachNow({ rules, timeZone }: ReachRules): RawBuilder<unknown> {
  const rows = rules.map(({ campaignId, reach }) => ({
    campaign_id: campaignId,
    ...bandOf(reach),
    ...periodLength(reach),
  }))
  return sql`
    select b.campaign_id, b.least, b.most, p.begins, p.ends
    from json_to_recordset(${JSON.stringify(rows)}::json)
      as b (campaign_id text, least integer, most integer, days integer, seconds float8)
    cross join lateral reach_period(business_now(), b.days, b.seconds, ${timeZone}) as p`
}

/**
 * How a campaign stands in the period of now: `taken` messages were released of at most `most`, of which
 * `allowed` by somebody's word; `waiting` are held. `below`: in the period before, which is over, fewer
 * than `least` went out (`before`).
 */
export type ReachStanding = {
  campaignId: string
  begins: string
  ends: string
  taken: number
  most: number
  allowed: number
  waiting: number
  askedAt: string | null
  before: number
  least: number
  below: boolean
}

/** Of every live campaign that has a band, and of one that has ended while messages of it wait, by its name. */
export async function readReach(db: Querying): Promise<ReachStanding[]> {
  const rules = await loadReachRules(db)
  if (rules.rules.length === 0) return []
  const { rows } = await query(() =>
    sql<ReachStanding>`
      with band as materialized (${reachNow(rules)})
      select band.campaign_id as "campaignId", band.begins, band.ends, coalesce(now.taken, 0) as taken,
        band.most + coalesce(now.allowed, 0) as most, coalesce(now.allowed, 0) as allowed,
        (select count(*)::integer from intent i where i.state = 'planned' and i.reason = 'reach_used'
          and i.campaign_id = band.campaign_id) as waiting,
        now.asked_at as "askedAt", coalesce(before.taken, 0) as before, band.least,
        coalesce(before.taken, 0) < band.least and since.at <= coalesce(before.begins,
          band.begins - (band.ends - band.begins)) as below
      from band
      left join reach now on now.campaign_id = band.campaign_id and now.begins = band.begins
      left join reach before on before.campaign_id = band.campaign_id and before.ends = band.begins
      cross join lateral (select min(published_at) as at from campaign_version v
        where v.campaign_id = band.campaign_id) as since
      order by band.campaign_id`.execute(db),
  )
  const live = new Set(
    rules.rules.filter(({ isLive }) => isLive).map(({ campaignId }) => campaignId),
  )
  return rows
    .map((row) => ({ ...row, below: row.below && live.has(row.campaignId) }))
    .filter(({ campaignId, waiting }) => live.has(campaignId) || waiting > 0)
}

/**
 * Lets so many more messages of a campaign go out within the period of now, by somebody's word, which is
 * kept. What waits is released at once, the longest planned first; what it does not suffice for waits on.
 * Returns how many were waiting that may go now.
 *
 * @throws WEGWIJS_REACH_UNKNOWN for a campaign that has no band
 */
export async function allowReach(
  store: Store,
  campaignId: string,
  more: number,
  { reason, source }: StopWords,
): Promise<{ released: number; ends: string }> {
  const rules = await loadReachRules(store.db)
  const own = { ...rules, rules: rules.rules.filter((rule) => rule.campaignId === campaignId) }
  if (own.rules.length === 0) throw fail('WEGWIJS_REACH_UNKNOWN', { campaign: campaignId })
  const done = await inTransaction(store.db, async (tx) => {
    const { rows } = await sql<{ begins: string; ends: string; room: number }>`
      insert into reach (campaign_id, begins, ends, allowed)
      select band.campaign_id, band.begins, band.ends, ${more} from (${reachNow(own)}) as band
      on conflict (campaign_id, begins) do update set allowed = reach.allowed + excluded.allowed,
        asked_at = null
      returning begins, ends,
        allowed - taken + (select most from (${reachNow(own)}) as band)::integer as room`.execute(
      tx,
    )
    const [row] = rows
    if (!row) throw fail('WEGWIJS_REACH_UNKNOWN', { campaign: campaignId })
    await sql`
      insert into reach_allowance (allowance_id, campaign_id, begins, more, reason, source, business_at)
      values (${newUuid()}, ${campaignId}, ${row.begins}, ${more}, ${reason}, ${source}, business_now())
    `.execute(tx)
    const recalled = await sql`
      with waiting as (
        select person_id, intent_id from intent
        where state = 'planned' and reason = 'reach_used' and campaign_id = ${campaignId}
        order by planned_for, intent_id limit ${Math.max(0, row.room)} for update skip locked
      )
      update intent i set due_at = least(i.due_at, (select business_now())), reason = null,
        touched_at = clock_timestamp()
      from waiting w where i.person_id = w.person_id and i.intent_id = w.intent_id`.execute(tx)
    return { released: Number(recalled.numAffectedRows ?? 0n), ends: row.ends }
  })
  await wake(store.db, store.namespace, ['intents']).catch(() => {})
  return done
}

/**
 * Makes due what waits for the next period though there is room for it now: its band could not be read when it
 * was put off. With one more than there is room for, so that somebody is asked again.
 */
export async function recallWithinReach(store: Store, rules: ReachRules): Promise<void> {
  if (rules.rules.length === 0) return
  await alone(
    store.db,
    sql`
      with room as materialized (
        select band.campaign_id, band.begins,
          band.most + coalesce(now.allowed, 0) - coalesce(now.taken, 0) as free
        from (${reachNow(rules)}) as band
        left join reach now on now.campaign_id = band.campaign_id and now.begins = band.begins
      ), waiting as (
        select i.person_id, i.intent_id, room.campaign_id, room.begins
        from room cross join lateral (
          select person_id, intent_id from intent
          where state = 'planned' and reason = 'reach_used' and campaign_id = room.campaign_id
          order by planned_for, intent_id
          limit case when room.free > 0 then room.free + 1 else 0 end for update skip locked
        ) as i
      ), asked as (
        update reach r set asked_at = null
        from (select distinct campaign_id, begins from waiting) as w
        where r.campaign_id = w.campaign_id and r.begins = w.begins
      )
      update intent i set due_at = least(i.due_at, (select business_now())), reason = null,
        touched_at = clock_timestamp()
      from waiting w where i.person_id = w.person_id and i.intent_id = w.intent_id`,
  )
}

export type ReachAllowance = {
  campaignId: string
  begins: string
  more: number
  reason: string
  source: string
  at: string
}

/** Who let a campaign go on, the newest first. */
export async function listAllowances(db: Querying, limit: number): Promise<ReachAllowance[]> {
  const { rows } = await query(() =>
    sql<ReachAllowance>`
      select campaign_id as "campaignId", begins, more, reason, source, business_at as at
      from reach_allowance order by recorded_at desc, allowance_id limit ${limit}`.execute(db),
  )
  return rows
}
