import type { ChannelName, LaneName } from '@wegwijs/campaign/definition/words'
import { newUuid } from '@wegwijs/runtime/derived-id'
import {
  channels,
  deliveryJobId,
  lanes,
  maxIntentsPerJob,
  queueName,
} from '@wegwijs/wire/delivery-job'
import { sql } from 'kysely'
import type { Querying, Store } from './database.ts'
import { alone, query } from './transaction.ts'
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
  /** The most messages of one queue that one call releases. */
  batch: number
}

/**
 * Moves due messages to `queued`, the longest due first, in jobs of one queue each. Rows that
 * somebody else has locked are left for the next call, so schedulers never wait for each other.
 * Returns the jobs to add; when there are any, call again.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function releaseDue(store: Store, options: ReleaseOptions): Promise<ReleasedJob[]> {
  const released = options.lanes ?? lanes
  const jobPrefix = deliveryJobId(newUuid())
  const { rows } = await alone(
    store.db,
    sql<{ lane: LaneName; channel: ChannelName } & JobRow>`
      with due_until as materialized (select due_now() as instant),
      room as materialized (
        select lane, channel, least(${options.batch}::bigint, ${options.perQueue}::bigint - waiting) as free
        from unnest(${[...released]}::text[]) as lane cross join unnest(${[...channels]}::text[]) as channel
        cross join due_until cross join lateral (
          select count(*) as waiting from (
            select from intent q where q.state = 'queued' and q.lane = lane.lane
              and q.channels[q.channel_index + 1] = channel.channel limit ${options.perQueue}
          ) as queued
        ) as held
        where exists (select from intent d where d.state = 'planned' and d.lane = lane.lane
          and d.channels[d.channel_index + 1] = channel.channel and d.due_at <= due_until.instant)
      ), due as materialized (
        select i.person_id, i.intent_id, room.lane, room.channel,
          (row_number() over (partition by room.lane, room.channel order by i.due_at, i.intent_id) - 1)
            / ${maxIntentsPerJob} as part
        from room cross join due_until cross join lateral (
          select person_id, intent_id, due_at from intent p
          where p.state = 'planned' and p.lane = room.lane
            and p.channels[p.channel_index + 1] = room.channel and p.due_at <= due_until.instant
          order by p.due_at limit greatest(room.free, 0) for update skip locked
        ) as i
      ), released as (
        update intent i set state = 'queued',
          job_id = ${jobPrefix} || '-' || due.lane || '-' || due.channel || '-' || due.part,
          queued_at = clock_timestamp(), touched_at = clock_timestamp()
        from due where i.person_id = due.person_id and i.intent_id = due.intent_id
        returning i.intent_id, i.job_id, due.lane, due.channel, i.due_at
      )
      select lane, channel, job_id as "jobId", array_agg(intent_id order by due_at, intent_id) as intents
      from released group by lane, channel, job_id
      order by array_position(${[...released]}::text[], lane), min(due_at)`,
  )
  return rows.map(jobOf)
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
 * Makes messages due now that an operational stop holds back, at most `limit`: one of the stops was
 * lifted. Those that another stop still holds are put off again by their claim. Returns how many.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function recallHeldBack(store: Store, limit: number): Promise<number> {
  const moved = await alone(
    store.db,
    sql`
      with locked as (
        select person_id, intent_id from intent
        where state = 'planned' and right(reason, 8) = '_stopped'
        limit ${limit} for update skip locked
      )
      update intent i set due_at = least(i.due_at, (select business_now())), reason = null,
        touched_at = clock_timestamp()
      from locked where i.person_id = locked.person_id and i.intent_id = locked.intent_id`,
  )
  return Number(moved.numAffectedRows ?? 0n)
}

/** Whoever claims by an older definition has noticed that there is a newer one within this time. */
const OLD_DEFINITION_S = 10

/**
 * Makes messages due now that a definition before the one in force put off, since a contact budget had no
 * room or the hour was quiet; at most `limit`. What the definition in force still holds back is put off
 * again by its claim. Looks at everything put off before it was applied, and once more a little later: a
 * worker may have judged by the one before until then. Returns how many.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function recallPutOff(store: Store, limit: number): Promise<number> {
  const moved = await alone(
    store.db,
    sql`
      with applied as materialized (
        select max(applied_at) as at, max(applied_at) + make_interval(secs => ${OLD_DEFINITION_S}) as known_at
        from definition
      ), locked as (
        select person_id, intent_id from intent
        where state = 'planned' and reason in ('budget_used', 'quiet_hours')
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
