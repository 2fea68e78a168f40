import { sql } from 'kysely'
import type { Querying } from './database.ts'
import type { Schema } from './schema.ts'
import { send } from './transaction.ts'

/**
 * What publishing a campaign has still to do for people who are there already, in bounded batches, person
 * after person in the order of their ids:
 *
 * - `dates`: to set the timers of people whose date is known,
 * - `move`: to take those who are in `version` along to `toVersion`,
 * - `forget`: to delete the timers of a campaign that no date starts any more.
 */
export type Rollout = {
  rolloutId: string
  campaignId: string
  work: Schema['rollout']['work']
  /** The version that people are moved from. */
  version: number | null
  toVersion: number | null
  /** Everybody up to here has had their turn. */
  nextPerson: string
  /** For how many it was done since the first of them. */
  people: number
  /** When it was published, business time. */
  since: string
}

type PlannedRollout = Pick<Rollout, 'campaignId' | 'work' | 'version' | 'toVersion'>

/**
 * Whoever decides by the definition in force holds this until their transaction ends; it is asked for
 * before anything is read. So when a publication is committed nobody goes on deciding by the one before,
 * and what is done for people then is done for all of them.
 */
export function holdDefinition(tx: Querying, namespace: string): void {
  void send(tx, sql`select pg_advisory_xact_lock_shared(hashtextextended(${lockOf(namespace)}, 0))`)
}

/**
 * Waits until everybody who decides by the definition before is done. Nobody decides until the commit of
 * a publication, which comes soon; what is counted anew begins by it, too (history-counts.ts).
 */
export async function replaceDefinition(tx: Querying, namespace: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${lockOf(namespace)}, 0))`.execute(tx)
}

function lockOf(namespace: string): string {
  return `${namespace} definition in force`
}

export async function addRollouts(
  tx: Querying,
  rollouts: readonly PlannedRollout[],
): Promise<void> {
  if (rollouts.length === 0) return
  await tx
    .insertInto('rollout')
    .values(
      rollouts.map(({ campaignId, work, version, toVersion }) => ({
        campaign_id: campaignId,
        work,
        version,
        to_version: toVersion,
      })),
    )
    .execute()
}

/** Locks the rollout that is next and that nobody else is at; those of one campaign in their order. */
export async function takeRollout(tx: Querying): Promise<Rollout | null> {
  const { rows } = await sql<Rollout>`
    select rollout_id as "rolloutId", campaign_id as "campaignId", work, version, to_version as "toVersion",
      next_person as "nextPerson", people, since
    from rollout r where not exists (select from rollout o
      where o.campaign_id = r.campaign_id and o.rollout_id < r.rollout_id)
    order by rollout_id limit 1 for update skip locked`.execute(tx)
  return rows[0] ?? null
}

/** Notes that everybody up to `nextPerson` has had their turn, if it has come no further since it was read. */
export async function advanceRollout(
  tx: Querying,
  { rolloutId, nextPerson: before }: Rollout,
  nextPerson: string,
  people: number,
): Promise<void> {
  await sql`update rollout set next_person = ${nextPerson}, people = people + ${people}
    where rollout_id = ${rolloutId} and next_person = ${before}`.execute(tx)
}

/** Lets it begin once more with the first of its people: somebody may have become another one meanwhile. */
export async function restartRollout(tx: Querying, { rolloutId }: Rollout): Promise<void> {
  await sql`update rollout set next_person = default, people = 0
    where rollout_id = ${rolloutId}`.execute(tx)
}

export async function endRollout(tx: Querying, { rolloutId }: Rollout): Promise<void> {
  await sql`delete from rollout where rollout_id = ${rolloutId}`.execute(tx)
}

/** The field of people, or of entities of a type, whose days or moments from `since` on matter. */
export type DatedField = {
  entityType: string | null
  field: string
  /** `YYYY-MM-DD`; null when all do. */
  since: string | null
}

/** The next people of whom such a date is known, or a timer of the campaign set. */
export async function peopleWithDates(
  tx: Querying,
  { campaignId, nextPerson }: Rollout,
  { entityType, field, since }: DatedField,
  limit: number,
): Promise<string[]> {
  // Days and moments are texts of one form each, whose order is that of time.
  const matters = sql`coalesce(${since}::text is null or value >= ${since}::text collate "C", false)`
  const known = entityType
    ? sql`select distinct person_id from entity cross join lateral (select data ->> ${field}::text) as said (value)
        where entity_type = ${entityType} and state = 'active' and person_id > ${nextPerson}::uuid
          and value is not null and ${matters}`
    : sql`select person_id from person cross join lateral (select fields ->> ${field}::text) as said (value)
        where merged_into is null and person_id > ${nextPerson}::uuid and value is not null and ${matters}`
  const { rows } = await sql<{ person_id: string }>`
    select person_id from (
      (${known} order by person_id limit ${limit})
      union
      (select distinct person_id from timer
        where campaign_id = ${campaignId} and person_id > ${nextPerson}::uuid
        order by person_id limit ${limit})
    ) as dated order by person_id limit ${limit}`.execute(tx)
  return rows.map((row) => row.person_id)
}

/** The next people of whom something is counted, or a timer of the campaign set. */
export async function peopleWithCounts(
  tx: Querying,
  { campaignId, nextPerson }: Rollout,
  keys: readonly string[],
  limit: number,
): Promise<string[]> {
  const { rows } = await sql<{ person_id: string }>`
    select person_id from (
      (select person_id from person where merged_into is null and person_id > ${nextPerson}::uuid
        and happened ?| ${[...keys]}::text[] order by person_id limit ${limit})
      union
      (select distinct person_id from timer
        where campaign_id = ${campaignId} and person_id > ${nextPerson}::uuid
        order by person_id limit ${limit})
    ) as counted order by person_id limit ${limit}`.execute(tx)
  return rows.map((row) => row.person_id)
}

/** The next people who are in the version that people are moved from: under way, or through with messages planned. */
export async function peopleToMove(
  tx: Querying,
  { campaignId, version, nextPerson }: Rollout,
  limit: number,
): Promise<{ person_id: string; enrolment_id: string }[]> {
  const running = sql`select person_id, enrolment_id from enrolment
    where campaign_id = ${campaignId} and version = ${version} and state = 'running'`
  // By the index of what is pending, in the order of people. What an older version planned is of this one, too.
  const through = sql`select i.person_id, i.enrolment_id from intent i cross join lateral (
      select from enrolment e where e.person_id = i.person_id and e.enrolment_id = i.enrolment_id
        and e.version = ${version} and e.state = 'completed' offset 0) as run
    where i.state in ('planned', 'queued') and i.campaign_id = ${campaignId}`
  const { rows } = await sql<{ person_id: string; enrolment_id: string }>`
    with next as materialized (
      select person_id from (
        (select distinct person_id from (${running}) as own
          where person_id > ${nextPerson}::uuid order by person_id limit ${limit})
        union
        (select distinct person_id from (${through}) as own
          where person_id > ${nextPerson}::uuid order by person_id limit ${limit})
      ) as either order by person_id limit ${limit})
    ${running} and person_id = any(array(select person_id from next))
    union
    ${through} and i.person_id = any(array(select person_id from next))`.execute(tx)
  return rows
}

/** Deletes some timers of a campaign that no date starts any more. Returns how many there were. */
export async function forgetDateTimers(
  tx: Querying,
  { campaignId }: Rollout,
  limit: number,
): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from timer using (
      select person_id, timer_id from timer where campaign_id = ${campaignId} limit ${limit}
    ) as gone
    where timer.person_id = gone.person_id and timer.timer_id = gone.timer_id`.execute(tx)
  return Number(numAffectedRows ?? 0)
}
