import { sql } from 'kysely'
import { businessNow, isRehearsal } from './business-clock.ts'
import type { Querying } from './database.ts'
import { type Durability, readDurability } from './durability.ts'
import { type ReachStanding, readReach } from './reach.ts'
import type { IntentState } from './schema.ts'
import { listOperationalStops, type OperationalStop } from './stops.ts'
import { query } from './transaction.ts'

/** What operations look at: states, what waits and for how long, positions, what needs a person. */
export type Status = {
  businessNow: string
  rehearsal: boolean
  durability: Durability
  /** Revision of the definition in force, or null. */
  revision: number | null
  people: number
  events: number
  messages: Readonly<Partial<Record<IntentState, number>>>
  /** Why messages that were not sent were not, the most frequent first. */
  unsent: readonly { state: IntentState; reason: string; count: number }[]
  enrolments: Readonly<Partial<Record<'running' | 'completed' | 'exited', number>>>
  campaigns: readonly CampaignStatus[]
  waiting: readonly Waiting[]
  positions: readonly PositionStatus[]
  deadLetters: { open: number; replayed: number; byClass: Readonly<Record<string, number>> }
  /** Of how many appointments and stays, by type, a newer version waits among the dead letters. */
  unapplied: Readonly<Record<string, number>>
  stops: readonly OperationalStop[]
  /** Campaigns that say how far they reach, in the period of now. */
  reach: readonly ReachStanding[]
}

export type CampaignStatus = {
  id: string
  state: 'live' | 'ended'
  version: number | null
  running: number
  messages: number
}

/**
 * One stage in which work can wait. `oldest` is business time for `timers` and `planned` (since when
 * it is due), and real time elsewhere; `seconds` is how long ago that is, 0 when nothing waits.
 */
export type Waiting = {
  stage: 'timers' | 'planned' | 'queued' | 'sending' | 'outbox'
  lane: string | null
  /** Of the outbox: Kafka may refuse one and take the others. */
  topic: string | null
  count: number
  oldest: string | null
  seconds: number
}

export type PositionStatus = {
  topic: string
  partition: number
  nextOffset: string
  applied: number
  duplicates: number
  deadLettered: number
  updatedAt: string
}

/** @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable) */
export async function readStatus(db: Querying): Promise<Status> {
  return query(async () => ({
    businessNow: await businessNow(db),
    rehearsal: await isRehearsal(db),
    durability: await readDurability(db),
    ...(await readTotals(db)),
    messages: await countBy<IntentState>(db, 'intent'),
    unsent: await readUnsent(db),
    enrolments: await countBy<'running' | 'completed' | 'exited'>(db, 'enrolment'),
    campaigns: await readCampaigns(db),
    waiting: await readWaiting(db),
    positions: await readPositions(db),
    deadLetters: await readDeadLetters(db),
    unapplied: await readUnapplied(db),
    stops: await listOperationalStops(db),
    reach: await readReach(db),
  }))
}

async function readTotals(db: Querying): Promise<Pick<Status, 'revision' | 'people' | 'events'>> {
  const { rows } = await sql<Pick<Status, 'revision' | 'people' | 'events'>>`
    select (select max(revision) from definition) as revision,
      (select count(*)::int from person where merged_into is null) as people,
      (select count(*)::int from event) as events
  `.execute(db)
  return rows[0] ?? { revision: null, people: 0, events: 0 }
}

async function countBy<State extends string>(
  db: Querying,
  table: 'intent' | 'enrolment',
): Promise<Partial<Record<State, number>>> {
  const { rows } = await sql<{ state: State; count: number }>`
    select state, count(*)::int as count from ${sql.table(table)} group by state order by state
  `.execute(db)
  const counts: Partial<Record<State, number>> = {}
  for (const { state, count } of rows) counts[state] = count
  return counts
}

async function readUnsent(db: Querying): Promise<Status['unsent']> {
  const { rows } = await sql<Status['unsent'][number]>`
    select state, reason, count(*)::int as count from intent
    where state in ('skipped', 'cancelled', 'expired', 'failed', 'held') and reason is not null
    group by state, reason order by count(*) desc, state, reason
  `.execute(db)
  return rows
}

async function readCampaigns(db: Querying): Promise<CampaignStatus[]> {
  const { rows } = await sql<CampaignStatus>`
    select campaign_id as id, state, live_version as version,
      (select count(*)::int from enrolment where enrolment.campaign_id = campaign.campaign_id
        and enrolment.state = 'running') as running,
      coalesce(planned.count, 0) as messages
    from campaign left join (
      select campaign_id, count(*)::int as count from intent group by campaign_id
    ) as planned using (campaign_id)
    order by campaign_id
  `.execute(db)
  return rows
}

async function readWaiting(db: Querying): Promise<Waiting[]> {
  const { rows } = await sql<Waiting>`
    with waiting as (
      select 1 as place, 'timers' as stage, null as lane, null as topic, count(*) as count,
        min(due_at) as oldest, business_now() as now
      from timer where due_at <= business_now()
      union all
      select 2, 'planned', lane, null, count(*), min(due_at), business_now()
      from intent where state = 'planned' and due_at <= business_now() group by lane
      union all
      select 3, 'queued', lane, null, count(*), min(queued_at), clock_timestamp()
      from intent where state = 'queued' group by lane
      union all
      select 4, 'sending', lane, null, count(*), min(touched_at), clock_timestamp()
      from intent where state = 'sending' group by lane
      union all
      select 5, 'outbox', null, topic, count(*), min(created_at), clock_timestamp()
      from outbox where published_at is null group by topic
    )
    select stage, lane, topic, count::int, oldest,
      coalesce(greatest(0, extract(epoch from now - oldest)), 0)::float8 as seconds
    from waiting order by place, lane, topic
  `.execute(db)
  return rows
}

async function readPositions(db: Querying): Promise<PositionStatus[]> {
  const rows = await db
    .selectFrom('consumer_position')
    .selectAll()
    .orderBy('topic')
    .orderBy('partition')
    .execute()
  return rows.map((row) => ({
    topic: row.topic,
    partition: row.partition,
    nextOffset: row.next_offset,
    applied: Number(row.applied),
    duplicates: Number(row.duplicates),
    deadLettered: Number(row.dead_lettered),
    updatedAt: row.updated_at,
  }))
}

async function readDeadLetters(db: Querying): Promise<Status['deadLetters']> {
  const { rows } = await sql<{ error_class: string; open: number; replayed: number }>`
    select error_class, (count(*) filter (where replayed_at is null))::int as open,
      (count(*) filter (where replayed_at is not null))::int as replayed
    from dead_letter group by error_class order by error_class
  `.execute(db)
  const sum = (pick: (row: (typeof rows)[number]) => number) =>
    rows.reduce((total, row) => total + pick(row), 0)
  return {
    open: sum((row) => row.open),
    replayed: sum((row) => row.replayed),
    byClass: Object.fromEntries(
      rows.filter((row) => row.open > 0).map((row) => [row.error_class, row.open]),
    ),
  }
}

/** What hangs on them waits (`entity_unapplied`). */
async function readUnapplied(db: Querying): Promise<Status['unapplied']> {
  const { rows } = await sql<{ type: string; count: number }>`
    select entity_type as type, count(*)::int as count from entity
    where unapplied_version > version
    group by entity_type order by entity_type`.execute(db)
  return Object.fromEntries(rows.map(({ type, count }) => [type, count]))
}
