import { fractionOf } from '@wegwijs/campaign/chance'
import { type RawBuilder, sql } from 'kysely'
import type { Querying, Store } from './database.ts'
import { lockPeople } from './person-locks.ts'
import { rowsOf } from './rows.ts'
import { inTransaction } from './transaction.ts'

/**
 * Runs of services of a version that did not keep the arms of splits in the run get them from what is still
 * kept of their decisions; and who is held out of all campaigns, for which those had no reason of its own, is
 * told apart from who is held out of the campaign: that was drawn from who they are, for the campaign first.
 *
 * Such services may run beside this, and after it until they are replaced. So it is done in sweeps: each goes
 * from person to person in the order of their ids, some at a time, and looks at the runs that may lack
 * something. How far it has come is noted in the same transaction, so whoever is killed, the next one goes on
 * from there; and since it may have passed people whom such a service changed after that, a whole one follows,
 * so that one run is enough after the last of them has ended. What a sweep that found nothing to fill has looked at
 * is over: the next one passes by the runs that had ended by then. One that found something is followed by another
 * whole one, since two people may have become one behind it. No mark spares that: that an old service has ended, and
 * wrote nothing since, is written down nowhere. Where nothing lacks, people are read and nobody is locked.
 */

export type ArmsBatch = {
  /** There may be more people. */
  more: boolean
  /** It is the first one of its sweep. */
  begins: boolean
  /** The number of its sweep, which the next one's follows; 0: none was needed. */
  sweep: number
  people: number
  /** Runs that lacked something. */
  runs: number
}

const peopleAtOnce = 500
const nothing: ArmsBatch = { more: false, begins: true, sweep: 0, people: 0, runs: 0 }

/**
 * Looks at everybody: goes on with the sweep that somebody else left, and with a whole one after that. Several at
 * once share the work: a sweep that began after they came is whole for each of them, whoever ends it.
 *
 * @throws as `inTransaction`
 */
export async function fillAllArms(
  store: Store,
  { onBatch, limit }: { onBatch?: ((batch: ArmsBatch) => void) | undefined; limit?: number } = {},
): Promise<void> {
  let whole: number | undefined
  for (let isWhole = false; !isWhole; ) {
    const batch = await fillArms(store, { limit, whole })
    whole ??= batch.begins ? batch.sweep : batch.sweep + 1
    isWhole = batch.more ? batch.sweep > whole : batch.begins || batch.sweep >= whole
    if (batch.more) onBatch?.(batch)
  }
}

/**
 * The next people of the sweep that is under way, or the first ones of a new one, which does not begin when the one
 * of the number `whole` has ended. Decisions, which only grow, are read beforehand: people are locked, as by the
 * services in the order of their ids, for no longer than their runs are written (P6). What is in a run by then
 * stays.
 *
 * @throws as `inTransaction`
 */
export async function fillArms(
  store: Store,
  { limit = peopleAtOnce, whole }: { limit?: number | undefined; whole?: number | undefined } = {},
): Promise<ArmsBatch> {
  return inTransaction(store.db, async (tx) => {
    const dividing = await readDividing(tx)
    if (!dividing.heldOut && dividing.campaignIds.length === 0) return nothing
    const { ended, ...taken } = await takeSweep(tx)
    if (taken.nextPerson === null && whole !== undefined && ended >= whole)
      return { ...nothing, begins: false, sweep: ended }
    const begins = taken.nextPerson === null
    if (begins) await beginSweep(tx)
    const sweep = ended + 1
    const ids = await nextPeople(tx, taken.nextPerson ?? nobody, limit)
    const last = ids.at(-1)
    if (last === undefined) {
      await endSweep(tx)
      return { ...nothing, begins, sweep }
    }
    const of = { ids, completeUntil: taken.completeUntil }
    const arms = await lackingArms(tx, of, dividing.campaignIds)
    const ofAll = await heldOutOfAll(tx, of)
    await lockPeople(tx, [...new Set([...arms, ...ofAll].map((run) => run.person_id))])
    await keepArms(tx, arms)
    await tellApart(tx, ofAll)
    const runs = arms.length + ofAll.length
    await sql`update arms_sweep set next_person = ${last}, filled = filled + ${runs}`.execute(tx)
    return { more: true, begins, sweep, people: ids.length, runs }
  })
}

/** Which campaigns ever divided people, and whether somebody was ever held out. */
async function readDividing(tx: Querying): Promise<{ campaignIds: string[]; heldOut: boolean }> {
  const { rows } = await sql<{ campaignIds: string[]; heldOut: boolean }>`
    select array(select distinct campaign_id from campaign_version
        where content::text like '%"split"%') as "campaignIds",
      exists (select from campaign_version where content ? 'holdOut')
        or exists (select from definition where bundle -> 'policies' ? 'holdOut') as "heldOut"`.execute(
    tx,
  )
  return rows[0] ?? { campaignIds: [], heldOut: false }
}

/** `ended`: how many have ended; `nextPerson` is null while none is under way. */
type Sweep = { nextPerson: string | null; completeUntil: string | null; ended: number }

/** Stands before everybody in the order of ids. */
const nobody = '00000000-0000-0000-0000-000000000000'

/**
 * Locks how far the sweep has come. Waits for whoever is at it: that may be the session of somebody who was killed,
 * and has not noticed yet.
 */
async function takeSweep(tx: Querying): Promise<Sweep> {
  await sql`insert into arms_sweep default values on conflict do nothing`.execute(tx)
  const { rows } = await sql<Sweep>`
    select next_person as "nextPerson", complete_until as "completeUntil", ended
    from arms_sweep for update`.execute(tx)
  const [sweep] = rows
  if (!sweep) throw new RangeError('the sweep of arms has no row')
  return sweep
}

async function beginSweep(tx: Querying): Promise<void> {
  await sql`update arms_sweep set next_person = ${nobody}, began_at = business_now(), filled = 0`.execute(
    tx,
  )
}

/** What was decided while it began may have been written a little later. */
async function endSweep(tx: Querying): Promise<void> {
  await sql`update arms_sweep set next_person = null, ended = ended + 1,
    complete_until = case when filled = 0 then began_at - interval '1 day' else complete_until end`.execute(
    tx,
  )
}

async function nextPeople(tx: Querying, after: string, limit: number): Promise<string[]> {
  const { rows } = await sql<{ person_id: string }>`
    select person_id from person where person_id > ${after}::uuid
    order by person_id limit ${limit}`.execute(tx)
  return rows.map((row) => row.person_id)
}

type People = { ids: readonly string[]; completeUntil: string | null }
type Run = { person_id: string; enrolment_id: string }

function runsOf({ ids, completeUntil }: People): RawBuilder<boolean> {
  return sql`e.person_id = any(${[...ids]}::uuid[])
    and coalesce(e.ended_at >= ${completeUntil}::timestamptz, true)`
}

async function lackingArms(
  tx: Querying,
  people: People,
  campaignIds: readonly string[],
): Promise<(Run & { arms: Record<string, string> })[]> {
  if (campaignIds.length === 0) return []
  const { rows } = await sql<Run & { arms: Record<string, string> }>`
    with run as (
      select e.person_id, e.enrolment_id, e.arms from enrolment e
      where ${runsOf(people)} and e.campaign_id = any(${[...campaignIds]}::text[])
    ), taken as (
      select enrolment_id,
        jsonb_object_agg(detail ->> 'split', detail -> 'arm' order by recorded_at, ordinal) as arms
      from decided
      where person_id = any(array(select distinct person_id from run)) and reason = 'split_taken'
        and detail ->> 'split' is not null and detail ->> 'arm' is not null
      group by enrolment_id
    )
    select run.person_id, run.enrolment_id, taken.arms from run join taken using (enrolment_id)
    where run.arms is distinct from taken.arms || coalesce(run.arms, '{}')`.execute(tx)
  return rows
}

/**
 * Those of whom only `held_out` is known, though their campaign would not have held them out. Of one of which it
 * cannot be read how many it holds out nobody knows.
 */
async function heldOutOfAll(tx: Querying, people: People): Promise<Run[]> {
  const { rows } = await sql<Run & { campaignId: string; drawn: string; percent: unknown }>`
    select e.person_id, e.enrolment_id, e.campaign_id as "campaignId",
      coalesce(e.trigger ->> 'dividedAs', e.person_id::text) as drawn,
      v.content -> 'holdOut' as percent
    from enrolment e
    join campaign_version v on v.campaign_id = e.campaign_id and v.version = e.version
    where ${runsOf(people)} and e.reason = 'held_out'
      and jsonb_typeof(v.content) = 'object'`.execute(tx)
  return rows.filter(
    ({ campaignId, drawn, percent }) =>
      percent === null ||
      (typeof percent === 'number' &&
        fractionOf(`hold-out/${campaignId}/${drawn}`) * 100 >= percent),
  )
}

async function keepArms(
  tx: Querying,
  runs: readonly (Run & { arms: Record<string, string> })[],
): Promise<void> {
  if (runs.length === 0) return
  const given = rowsOf('enrolment', ['person_id', 'enrolment_id', 'arms'], runs)
  await sql`update enrolment e set arms = r.arms || coalesce(e.arms, '{}') from (${given}) as r
    where e.person_id = r.person_id and e.enrolment_id = r.enrolment_id`.execute(tx)
}

async function tellApart(tx: Querying, runs: readonly Run[]): Promise<void> {
  if (runs.length === 0) return
  const given = rowsOf('enrolment', ['person_id', 'enrolment_id'], runs)
  await sql`update enrolment e set reason = 'held_out_of_all' from (${given}) as r
    where e.person_id = r.person_id and e.enrolment_id = r.enrolment_id
      and e.reason = 'held_out'`.execute(tx)
}
