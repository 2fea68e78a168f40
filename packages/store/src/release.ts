import type { ChannelName, LaneName } from '@wegwijs/campaign/definition/words'
import { newUuid } from '@wegwijs/runtime/derived-id'
import {
  channels,
  deliveryJobId,
  lanes,
  maxIntentsPerJob,
  queueName,
} from '@wegwijs/wire/delivery-job'
import { type RawBuilder, sql } from 'kysely'
import type { Querying, Store } from './database.ts'
import { type ReachRules, reachNow } from './reach.ts'
import { alone, inTransaction, query, send } from './transaction.ts'
import { wake } from './wake.ts'

/**
 * Messages that are due become jobs. A message that is `queued` names the job that carries it, and
 * that is committed before the job is added to the queue: what the queue then loses, or never got,
 * is found by looking for jobs that it does not know. Whether a message may be sent is not asked
 * here; the claim asks it when its turn has come.
 */
export type ReleasedJob = { queue: string; jobId: string; intents: string[] }

export type ReleaseOptions = {
  /** Only messages of these; of all lanes by default. */
  lanes?: readonly LaneName[]
  /** The most messages that wait in one queue; the rest stays in PostgreSQL (P8). */
  perQueue: number
  /** The most messages of one queue that one round releases; a call has a second one where some are put off. */
  batch: number
  /** How far campaigns may reach; without it, as far as they do. */
  reach?: ReachRules
}

/** A campaign that has reached as far as its band, for the first time in this period. */
export type AskedCampaign = { campaignId: string; begins: string; ends: string; most: number }

/**
 * Moves due messages to `queued`, the longest due first, in jobs of one queue each. Rows that
 * somebody else has locked are left for the next call, so schedulers never wait for each other.
 * Returns the jobs to add; when there are any, call again.
 *
 * What is beyond the band of its campaign is put off until the next period (`reach_used`); `onAsk` is
 * told of campaigns that come to that. However much that is, the others of that queue get their turn in the same
 * call, and so does what has had its place in the band before (P8). Nothing is released by bands that are not those
 * in force. What was planned for the earliest gets the places that are left, of one moment the lower id: of the
 * messages that one round looks at, and in a rehearsal of all that are due.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function releaseDue(
  store: Store,
  options: ReleaseOptions,
  onAsk: (asked: AskedCampaign) => void = () => undefined,
): Promise<ReleasedJob[]> {
  const { reach } = options
  if (!reach || reach.rules.length === 0) return releaseAll(store, options)
  const within = { ...options, reach }
  const round = async (due: Due) => {
    const { jobs, putOff, asked } = await releaseWithin(store, within, due)
    asked.forEach(onAsk)
    return { jobs, putOff }
  }
  const first = await round(dueOf(within, lookedAt))
  if (first.putOff.length === 0) return first.jobs
  const beside = await round(dueBeside(within, first.putOff, lookedAt)).catch((error: unknown) => {
    // What has been released is added to the queue first; the next call meets the failure again.
    if (first.jobs.length === 0) throw error
    return { jobs: [] }
  })
  const jobs = [...first.jobs, ...beside.jobs]
  // When nobody else waits, some more is put off, and the rest with the next call.
  for (let rounds = 2; jobs.length === 0 && rounds < MOST_ROUNDS; rounds += 1) {
    const next = await round(dueOf(within, lookedAt))
    if (next.jobs.length > 0 || next.putOff.length === 0) return next.jobs
  }
  return jobs
}

const MOST_ROUNDS = 20

async function releaseAll(store: Store, options: ReleaseOptions): Promise<ReleasedJob[]> {
  const { reach } = options
  const { rows } = await alone(
    store.db,
    sql<{ lane: LaneName; channel: ChannelName } & JobRow>`
      with ${dueOf(options)}, released as (
        update intent i set ${queuedBy()}
        from due where i.person_id = due.person_id and i.intent_id = due.intent_id
          and ${isInForce(reach)}
        returning i.intent_id, i.job_id, due.lane, due.channel, i.due_at
      )
      ${jobsOf(options)}`,
  )
  return rows.map(jobOf)
}

/** Nobody has told of bands, or these are of the definition in force. */
function isInForce(reach: ReachRules | undefined): RawBuilder<unknown> {
  if (!reach) return sql`true`
  return sql`(select max(revision) from definition) is not distinct from ${reach.revision}::integer`
}

/** The tables `due_until`, `room` and `due`: messages of queues that have room for them, locked. */
type Due = RawBuilder<unknown>

/**
 * `due`: the longest due of each queue. What never changes for a scheduler stands in the text: PostgreSQL then
 * finds a plan for all of it no worse than one for these values, and plans once (decision 5). Planning took longer
 * than releasing some messages.
 */
function dueOf(options: ReleaseOptions, more: RawBuilder<unknown> = sql``): Due {
  const [perQueue, batch] = [sql.lit(options.perQueue), sql.lit(options.batch)]
  return sql`due_until as materialized (select due_now() as instant, ${withoutDisk}),
      room as materialized (
        select lane, channel, least(${batch}::bigint, ${perQueue}::bigint - waiting) as free
        from unnest(${textsOf(options.lanes ?? lanes)}) as lane cross join unnest(${textsOf(channels)}) as channel
        cross join due_until cross join lateral (
          -- The first of the queue itself, or a plan may look through all that is planned of the lane (P8).
          select d.due_at from intent d where d.state = 'planned' and d.lane = lane.lane
            and d.channels[d.channel_index + 1] = channel.channel order by d.due_at limit 1
        ) as first cross join lateral (${waitingIn(options, 'lane.lane', 'channel.channel')}) as held
        where first.due_at <= due_until.instant
      ), due as materialized (
        ${takenFrom(more)} cross join lateral (
          select person_id, intent_id, due_at, planned_for, campaign_id, expires_at, reached from intent p
          where ${isDueIn('p')}
          order by p.due_at limit greatest(room.free, 0) for update skip locked
        ) as i
      )`
}

/**
 * `due`: the longest due of these queues that is not beyond the band of its campaign. Each campaign is looked up
 * in its own index: what is beyond costs nothing, however much that is (P8). Needs the table `band`.
 */
function dueBeside(
  options: ReleaseOptions,
  queues: readonly Queue[],
  more: RawBuilder<unknown>,
): Due {
  const [perQueue, batch] = [sql.lit(options.perQueue), sql.lit(options.batch)]
  return sql`due_until as materialized (select due_now() as instant, ${withoutDisk}),
      room as materialized (
        select queue.lane, queue.channel, least(${batch}::bigint, ${perQueue}::bigint - waiting) as free
        from unnest(${queues.map(({ lane }) => lane)}::text[], ${queues.map(({ channel }) => channel)}::text[])
          as queue (lane, channel)
        cross join lateral (${waitingIn(options, 'queue.lane', 'queue.channel')}) as held
      ), others as materialized (
        select campaign_id from campaign c where not exists (
          select from band where band.campaign_id = c.campaign_id and band.taken >= band.most)
      ), due as materialized (
        ${takenFrom(more)} cross join lateral (
          select p.* from (
            (select n.person_id, n.intent_id, n.due_at from others cross join lateral (
              select person_id, intent_id, due_at from intent n
              where n.campaign_id = others.campaign_id and ${isDueIn('n')}
              order by n.due_at limit greatest(room.free, 0)
            ) as n order by n.due_at limit greatest(room.free, 0))
            union
            (select person_id, intent_id, due_at from intent n where n.reached and ${isDueIn('n')}
              order by n.due_at limit greatest(room.free, 0))
            order by due_at limit greatest(room.free, 0)
          ) as chosen cross join lateral (
            select person_id, intent_id, due_at, planned_for, campaign_id, expires_at, reached from intent o
            where o.person_id = chosen.person_id and o.intent_id = chosen.intent_id
              -- Looked at again if it had to be waited for. Said so that no index of queues fits (P8).
              and (o.state, o.lane, o.channels[o.channel_index + 1], o.due_at)
                is not distinct from ('planned', room.lane, room.channel, chosen.due_at)
            for update skip locked
          ) as p
        ) as i
      )`
}

function waitingIn(options: ReleaseOptions, lane: string, channel: string): RawBuilder<unknown> {
  return sql`select count(*) as waiting from (
            select from intent q where q.state = 'queued' and q.lane = ${sql.raw(lane)}
              and q.channels[q.channel_index + 1] = ${sql.raw(channel)} limit ${sql.lit(options.perQueue)}
          ) as queued`
}

function isDueIn(intent: string): RawBuilder<unknown> {
  const of = sql.raw(intent)
  return sql`${of}.state = 'planned' and ${of}.lane = room.lane
            and ${of}.channels[${of}.channel_index + 1] = room.channel and ${of}.due_at <= due_until.instant`
}

function takenFrom(more: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`select i.person_id, i.intent_id, room.lane, room.channel ${more},
          (row_number() over (partition by room.lane, room.channel order by i.due_at, i.intent_id) - 1)
            / ${sql.lit(maxIntentsPerJob)} as part
        from room cross join due_until`
}

function textsOf(words: readonly string[]): RawBuilder<unknown> {
  return sql`array[${sql.join(words.map((word) => sql.lit(word)))}]::text[]`
}

/**
 * A release commits without waiting for the disk: one that a crash of PostgreSQL takes back was made in vain,
 * and what was due is released again, under another job. Nothing is sent by it before a claim has been
 * written down, and with that everything before it (P1, P2).
 */
const withoutDisk = sql`set_config('synchronous_commit', 'off', true)`

function queuedBy(): RawBuilder<unknown> {
  const jobPrefix = deliveryJobId(newUuid())
  return sql`state = 'queued',
          job_id = ${jobPrefix} || '-' || due.lane || '-' || due.channel || '-' || due.part,
          queued_at = clock_timestamp(), touched_at = clock_timestamp()`
}

function jobsOf(options: ReleaseOptions): RawBuilder<unknown> {
  return sql`select lane, channel, job_id as "jobId", array_agg(intent_id order by due_at, intent_id) as intents
      from released group by lane, channel, job_id
      order by array_position(${textsOf(options.lanes ?? lanes)}, lane), min(due_at)`
}

type Queue = { lane: LaneName; channel: ChannelName }

type Within = {
  jobs: (Queue & JobRow)[] | null
  put_off: Queue[] | null
  asked: AskedCampaign[] | null
}

/**
 * Three statements in one trip (P8). Schedulers come one after the other, so that each counts on from what
 * the one before has counted; a campaign gets its row of this period; then it is released as far as there
 * is room, and what that took is added up, in the same transaction as the messages that took it (P5):
 * whoever is killed has released and counted, or neither.
 */
async function releaseWithin(
  store: Store,
  options: ReleaseOptions & { reach: ReachRules },
  due: Due,
): Promise<{ jobs: ReleasedJob[]; putOff: Queue[]; asked: AskedCampaign[] }> {
  const { reach } = options
  const { answer } = await inTransaction(store.db, async (tx) => {
    const lock = `${store.namespace} reach`
    void send(tx, sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`)
    void send(
      tx,
      sql`insert into reach (campaign_id, begins, ends)
      select band.campaign_id, band.begins, band.ends from (${reachNow(reach)}) as band
      where not exists (select from reach r
        where r.campaign_id = band.campaign_id and r.begins = band.begins)
      on conflict do nothing`,
    )
    return { answer: send(tx, releasedWithin(options, due)) }
  })
  const [row] = (await answer).rows
  return {
    jobs: (row?.jobs ?? []).map(jobOf),
    putOff: row?.put_off ?? [],
    asked: row?.asked ?? [],
  }
}

/** What a round looks at beyond whose it is: of which campaign, when it was planned, and what needs no place. */
const lookedAt = sql`, i.campaign_id, i.due_at, i.planned_for, i.expires_at,
      i.reached or i.expires_at <= business_now() as is_free`

function releasedWithin(
  options: ReleaseOptions & { reach: ReachRules },
  due: Due,
): RawBuilder<Within> {
  const { reach } = options
  return sql<Within>`
    with band as materialized (
      select b.campaign_id, b.begins, b.ends, b.most + r.allowed as most, r.taken, r.asked_at
      from (${reachNow(reach)}) as b
      left join reach r on r.campaign_id = b.campaign_id and r.begins = b.begins
    ), first_of_all as materialized (
      select first.intent_id from band cross join lateral (
        select i.intent_id from intent i
        where exists (select from rehearsal_clock) and i.state = 'planned'
          and i.campaign_id = band.campaign_id and i.due_at <= due_now()
          and not i.reached and i.expires_at > business_now()
        order by i.planned_for, i.intent_id limit greatest(band.most - band.taken, 0)
      ) as first
    ), ${due}, measured as materialized (
      select due.*, band.ends, band.campaign_id is not null and not is_free as takes,
        -- Of a period that began just now nobody knows yet what it has room for: the next call does.
        case when band.taken is null then null
          when exists (select from rehearsal_clock)
            then due.intent_id in (select intent_id from first_of_all)
          else band.taken + row_number() over (partition by band.campaign_id, is_free
            order by due.planned_for, due.intent_id) <= band.most end as fits
      from due left join band using (campaign_id)
      where ${isInForce(reach)}
    ), released as (
      update intent i set ${queuedBy()}, reached = i.reached or due.takes
      from measured due where i.person_id = due.person_id and i.intent_id = due.intent_id
        and (not due.takes or due.fits)
      returning i.intent_id, i.job_id, due.lane, due.channel, i.due_at, i.campaign_id, due.takes
    ), put_off as (
      update intent i set reason = 'reach_used', due_at = least(i.expires_at, due.ends), due_since = null,
        touched_at = clock_timestamp()
      from measured due where i.person_id = due.person_id and i.intent_id = due.intent_id
        and due.takes and due.fits is false
      returning i.campaign_id, due.lane, due.channel
    ), counted as (
      select band.campaign_id, band.begins, band.ends, band.most, band.asked_at,
        (select count(*) from released r where r.campaign_id = band.campaign_id and r.takes) as taken,
        (select count(*) from put_off p where p.campaign_id = band.campaign_id) as put_off
      from band
    ), taken as (
      update reach r set taken = r.taken + c.taken,
        asked_at = case when c.put_off > 0 then coalesce(r.asked_at, business_now()) else r.asked_at end
      from counted c where r.campaign_id = c.campaign_id and r.begins = c.begins
        and (c.taken > 0 or (c.put_off > 0 and c.asked_at is null))
    )
    select (select json_agg(job) from (${jobsOf(options)}) as job) as jobs,
      (select json_agg(queue) from (select distinct lane, channel from put_off) as queue) as put_off,
      (select json_agg(json_build_object('campaignId', campaign_id, 'begins', begins, 'ends', ends,
        'most', most)) from counted where put_off > 0 and asked_at is null) as asked`
}

type JobRow = { jobId: string; intents: string[] }

function jobOf(row: { lane: LaneName; channel: ChannelName } & JobRow): ReleasedJob {
  return { queue: queueName(row.channel, row.lane), jobId: row.jobId, intents: row.intents }
}

/** Where a walk over the queued jobs has come to; null is its beginning and its end. */
export type JobPlace = { lane: string; channel: string; jobId: string } | null

/**
 * One page of the jobs whose messages have been `queued` for at least `minAgeMs` (real time), with
 * those of their messages that still are. Ask the queue which of them it does not know.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function queuedJobs(
  db: Querying,
  page: { after: JobPlace; limit: number; minAgeMs: number },
): Promise<{ jobs: ReleasedJob[]; next: JobPlace }> {
  const { lane, channel, jobId } = page.after ?? { lane: '', channel: '', jobId: '' }
  const { rows } = await query(() =>
    sql<{ lane: LaneName; channel: ChannelName } & JobRow>`
      select lane, channels[channel_index + 1] as channel, job_id as "jobId",
        array_agg(intent_id order by due_at, intent_id) as intents
      from intent
      where state = 'queued' and (lane, channels[channel_index + 1], job_id) > (${lane}, ${channel}, ${jobId})
        and touched_at < clock_timestamp() - make_interval(secs => ${page.minAgeMs / 1000})
      group by lane, channels[channel_index + 1], job_id
      order by lane, channels[channel_index + 1], job_id
      limit ${page.limit}`.execute(db),
  )
  const last = rows.length === page.limit ? rows.at(-1) : undefined
  return {
    jobs: rows.map(jobOf),
    next: last ? { lane: last.lane, channel: last.channel, jobId: last.jobId } : null,
  }
}

/**
 * Takes messages out of the queue again that their worker will not start: it is shutting down. They
 * are released anew, to another one. Returns how many were still queued for that job.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function unqueue(
  store: Store,
  jobId: string,
  intentIds: readonly string[],
): Promise<number> {
  const moved = await alone(
    store.db,
    sql`
      with locked as (
        select person_id, intent_id from intent
        where intent_id = any(${[...intentIds]}::uuid[]) and state = 'queued' and job_id = ${jobId}
        order by intent_id for update
      )
      update intent i set state = 'planned', job_id = null, touched_at = clock_timestamp()
      from locked where i.person_id = locked.person_id and i.intent_id = locked.intent_id`,
  )
  const count = Number(moved.numAffectedRows ?? 0n)
  if (count > 0) await wake(store.db, store.namespace, ['intents']).catch(() => {})
  return count
}

/**
 * Makes messages due now that no operational stop holds back any more, at most `limit`: the one that did was
 * lifted. Those that another stop holds are put off again by their claim. Returns how many.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function recallHeldBack(store: Store, limit: number): Promise<number> {
  const moved = await alone(
    store.db,
    sql`
      with standing as materialized (
        select scope, target from operational_stop s
        where not exists (select from stop_lift l where l.stop_id = s.stop_id)
      ), locked as (
        select person_id, intent_id from intent i
        where state = 'planned' and right(reason, 8) = '_stopped' and not ${isStillStopped}
        limit ${limit} for update skip locked
      )
      update intent i set due_at = least(i.due_at, (select business_now())), reason = null,
        touched_at = clock_timestamp()
      from locked where i.person_id = locked.person_id and i.intent_id = locked.intent_id`,
  )
  return Number(moved.numAffectedRows ?? 0n)
}

/** By the very stop for which it was put off; only the worker who takes it knows of which provider that is. */
const isStillStopped = sql`exists (select from standing where case scope
    when 'all' then reason = 'sending_stopped'
    when 'campaign' then reason = 'campaign_stopped' and target = i.campaign_id
    when 'template' then reason = 'template_stopped' and target = i.template_id
    when 'channel' then reason = 'channel_stopped' and target = i.channels[i.channel_index + 1]
    else false end)`

/** Whoever claims by an older definition has noticed that there is a newer one within this time. */
const OLD_DEFINITION_S = 10

/**
 * Makes messages due now that a definition before the one in force put off, since a contact budget or
 * the band of the campaign had no room, or the hour was quiet; at most `limit`. What the definition in force still holds back is put off
 * again by its claim. Looks at everything put off before it was applied, and once more a little later: a
 * worker may have judged by the one before until then. Returns how many.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function recallPutOff(store: Store, limit: number): Promise<number> {
  const recalled = await recallOf(store, limit, sql`reason in ('budget_used', 'quiet_hours')`)
  return recalled === limit
    ? recalled
    : recalled + (await recallOf(store, limit - recalled, sql`reason = 'reach_used'`))
}

/** Said in the words of the index that holds them. */
async function recallOf(
  store: Store,
  limit: number,
  reasons: RawBuilder<unknown>,
): Promise<number> {
  const moved = await alone(
    store.db,
    sql`
      with applied as materialized (
        select max(applied_at) as at, max(applied_at) + make_interval(secs => ${OLD_DEFINITION_S}) as known_at
        from definition
      ), locked as (
        select person_id, intent_id from intent
        where state = 'planned' and ${reasons}
          and touched_at <= (select case when clock_timestamp() > known_at then known_at else at end from applied)
        order by touched_at limit ${limit} for update skip locked
      )
      update intent i set due_at = least(i.due_at, (select business_now())), reason = null,
        touched_at = clock_timestamp()
      from locked where i.person_id = locked.person_id and i.intent_id = locked.intent_id`,
  )
  return Number(moved.numAffectedRows ?? 0n)
}

/** For how many seconds of business time the oldest due message of each lane has waited. */
export async function oldestDue(db: Querying): Promise<Record<string, number>> {
  const { rows } = await query(() =>
    sql<{ lane: string; seconds: number }>`
      select lane.lane, coalesce((
        select extract(epoch from business_now() - min(oldest.due_at)) from (
          select due_at from unnest(${[...channels]}::text[]) as channel cross join lateral (
            select due_at from intent i where i.state = 'planned' and i.lane = lane.lane
              and i.channels[i.channel_index + 1] = channel.channel order by due_at limit 1
          ) as first
          union all
          select due_at from intent i where i.state = 'queued' and i.lane = lane.lane
        ) as oldest), 0)::float8 as seconds
      from unnest(${[...lanes]}::text[]) as lane`.execute(db),
  )
  return Object.fromEntries(rows.map((row) => [row.lane, Math.max(0, row.seconds)]))
}
