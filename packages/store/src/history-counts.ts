import { conditionSchema } from '@wegwijs/campaign/condition'
import {
  type CompiledCount,
  type Count,
  type PersonCounts,
  withEvent,
} from '@wegwijs/campaign/counts'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { subtractDuration } from '@wegwijs/campaign/instant'
import type { JsonObject } from '@wegwijs/campaign/json'
import { compileCounts, countsOfDefinition, type KeptCounts } from '@wegwijs/campaign/kept-counts'
import { mayLeadBack } from '@wegwijs/campaign/led-back'
import type { WegwijsError } from '@wegwijs/runtime/failure'
import { type RawBuilder, sql } from 'kysely'
import { businessNow } from './business-clock.ts'
import type { Querying, Store } from './database.ts'
import { lockPeople } from './person-locks.ts'
import { replaceDefinition } from './rollouts.ts'
import { rowsOf } from './rows.ts'
import {
  type ReadCampaign,
  readAsFarAsItGoes,
  type StoredCampaign,
  unreadable,
} from './stored-definition.ts'
import { inTransaction } from './transaction.ts'

/**
 * What is counted of what happens to people (packages/campaign/src/counts.ts), and how a count begins.
 *
 * A campaign is published when all that its conditions ask for has been counted, and events go on coming
 * meanwhile. So a new count begins in this order, and none is lost or counted twice (P1, P2):
 *
 * 1. It is entered in `history_count`. Whoever applies a batch compares the {@link countsMark} with the one
 *    of its definition in its own transaction, as it does with the revision: from now on batches count it.
 * 2. Those that had compared before are waited for: each holds the definition until it commits (rollouts.ts).
 * 3. People are locked, some at a time, and what they have is replaced by what is stored of their events.
 *    Under the lock these are all that were decided about them (P6), and what comes later is added to it.
 * 4. A merge adds what both have. One in between may have added somebody of whom nothing was counted yet:
 *    who became one with somebody meanwhile is counted once more.
 * 5. The publication, under its own lock all the while, says that it is ready.
 *
 * A process that ends on the way leaves a count that is not ready; the next publication begins it anew,
 * or forgets it.
 */

/** What the record counts, as one text; it changes with every count that begins, ends or looks further back. */
export const countsMark: RawBuilder<string> = sql<string>`(select
  coalesce(md5(string_agg(count_key || ' ' || days, ',' order by count_key)), '') from history_count)`

/**
 * What is counted now, and the mark by which it is known. `asked` is what the conditions of the definition ask
 * for: what counts under the same key has the same condition, whatever became of the stored one. One that cannot
 * be read, and for which nothing asks that can be, counts nothing.
 */
export async function keptCounts(db: Querying, asked: readonly Count[]): Promise<KeptCounts> {
  const { rows } = await sql<CountRow & { mark: string }>`
    select count_key, touchpoint, condition, days, ready, ${countsMark} as mark
    from history_count order by count_key`.execute(db)
  return { ...readCounts(rows, asked), mark: rows[0]?.mark ?? '' }
}

type CountRow = {
  count_key: string
  touchpoint: string
  condition: unknown
  days: number
  ready: boolean
}

function readCounts(
  rows: readonly CountRow[],
  asked: readonly Count[],
): { counts: Count[]; unread: WegwijsError[] } {
  const known = new Map(asked.map((count) => [count.key, count]))
  const read = rows.map((row) => readCount(row, known.get(row.count_key)))
  return {
    counts: read.flatMap((each) => (each instanceof Error ? [] : [each])),
    unread: read.filter((each) => each instanceof Error),
  }
}

function readCount(row: CountRow, asked: Count | undefined): Count | WegwijsError {
  const { count_key: key, touchpoint, days } = row
  if (asked) return { ...asked, days }
  const { data: where, error } = conditionSchema.nullable().safeParse(row.condition)
  return error
    ? unreadable(`what is counted of ${touchpoint} as ${key}`, error)
    : { key, touchpoint, where, days }
}

/**
 * What conditions will ask for once `bundle` is published: those of its campaigns and personas, and of
 * older versions that somebody is still in, or may be in again, or whose goal somebody may still reach; of one that
 * they are only through, and that may still tell something, those of what ends it. Is one of these a version
 * that cannot be read, all that is counted is counted on: whoever reads it again asks for some of it.
 */
async function wantedCounts(
  tx: Querying,
  bundle: DefinitionBundle,
  rows: readonly CountRow[],
): Promise<Count[]> {
  const inUse = await olderVersionsInUse(tx)
  const files = [...bundle.campaigns.map((file) => ({ file })), ...inUse]
  const wanted = countsOfDefinition(bundle, files)
  if (inUse.every(({ unclear }) => unclear === undefined)) return wanted
  const longest = new Map(wanted.map((count) => [count.key, count]))
  // One that cannot be read is begun anew by whoever reads it again.
  for (const count of readCounts(rows, wanted).counts)
    if (count.days > (longest.get(count.key)?.days ?? 0)) longest.set(count.key, count)
  return [...longest.values()]
}

async function olderVersionsInUse(
  tx: Querying,
): Promise<(ReadCampaign & { isThrough: boolean })[]> {
  const { rows } = await sql<StoredCampaign>`
    select campaign_id as "campaignId", version, content from campaign_version
    where content::text like '%"happened"%'`.execute(tx)
  const now = await businessNow(tx)
  const versions = rows.map((stored) => ({ ...stored, ...readAsFarAsItGoes(stored) }))
  const { rows: used } = await sql<{ place: number; is_in: boolean }>`
    select v.place::integer, used.is_in
    from unnest(${versions.map(({ campaignId }) => campaignId)}::text[],
        ${versions.map(({ version }) => version)}::integer[],
        ${versions.map((version) => goalCountsSince(version, now))}::timestamptz[],
        ${versions.map(({ file }) => mayLeadBack(file))}::boolean[])
      with ordinality as v (campaign_id, version, since, leads_back, place)
    cross join lateral (select exists (
        select from enrolment e
        where e.state = 'running' and e.campaign_id = v.campaign_id and e.version = v.version
      ) or exists (
        select from enrolment e
        where e.campaign_id = v.campaign_id and e.version = v.version
          and (e.reason in ('entity_withdrawn', 'date_moved')
            or (e.goal_at is null and e.entered_at >= v.since)
            or (v.leads_back and e.state = 'completed' and e.entity_id is not null))
      ) as is_in) as used
    where used.is_in or exists (
      select from intent i join enrolment e using (person_id, enrolment_id)
      where i.state in ('planned', 'queued', 'sending', 'held')
        and i.campaign_id = v.campaign_id and e.version = v.version)`.execute(tx)
  return used.flatMap(({ place, is_in }) => {
    const version = versions[place - 1]
    return version ? { ...version, isThrough: !is_in } : []
  })
}

/** Since when somebody must have entered who may still reach its goal; null where it has none. */
function goalCountsSince({ file: { goal }, unclear }: ReadCampaign, now: string): string | null {
  if (!goal) return unclear?.goal ? '-infinity' : null
  // A day more: zones differ by less.
  return subtractDuration(subtractDuration(now, goal.within, 'UTC'), 'P1D', 'UTC')
}

/**
 * Counts what `bundle` asks for and nobody counts yet, for everybody. Called by the publication, in its
 * transaction, which stays open for as long as that takes; all that is done here is committed by
 * itself, and does no harm when the publication then fails. Returns what {@link keepCounts} is to keep.
 */
export async function beginCounts(
  store: Store,
  tx: Querying,
  bundle: DefinitionBundle,
): Promise<Count[]> {
  const { rows } = await sql<CountRow>`select * from history_count`.execute(tx)
  const wanted = await wantedCounts(
    tx,
    bundle,
    rows.filter(({ ready }) => ready),
  )
  const isThere = (count: Count) =>
    rows.some((row) => row.count_key === count.key && row.ready && row.days >= count.days)
  const missing = wanted.filter((count) => !isThere(count))
  if (missing.length > 0) await begin(store, tx, missing, bundle.policies.timeZone)
  return wanted
}

async function begin(
  store: Store,
  tx: Querying,
  missing: readonly Count[],
  timeZone: string,
): Promise<void> {
  await inTransaction(store.db, async (own) => {
    await sql`insert into history_count (count_key, touchpoint, condition, days, ready)
      ${rowsOf('history_count', columns, missing.map(rowOf(false)))}
      on conflict (count_key) do update set ready = false,
        days = greatest(history_count.days, excluded.days)`.execute(own)
  })
  await inTransaction(store.db, (own) => replaceDefinition(own, store.namespace))
  const counting = { counts: missing, timeZone }
  const from = await clockTime(tx)
  for await (const ids of everybody(tx)) await countPeople(store, ids, counting)
  await countMerged(store, tx, { from, until: await clockTime(tx) }, counting)
}

/** Real time, by which rows say when they were recorded. */
async function clockTime(tx: Querying): Promise<string> {
  const { rows } = await sql<{ now: string }>`select clock_timestamp()::text as now`.execute(tx)
  return rows[0]?.now ?? ''
}

const columns = ['count_key', 'touchpoint', 'condition', 'days', 'ready'] as const

function rowOf(ready: boolean) {
  return ({ key, touchpoint, where, days }: Count) => ({
    count_key: key,
    touchpoint,
    condition: where,
    days,
    ready,
  })
}

/**
 * Keeps the counts that {@link beginCounts} gave, all of which are ready, and no other: nobody asks for what is not
 * among them. Called when nobody enters an older version any more ({@link replaceDefinition}): where something is to
 * be forgotten, it is looked once more who has entered since.
 */
export async function keepCounts(
  tx: Querying,
  bundle: DefinitionBundle,
  begun: readonly Count[],
): Promise<void> {
  const { rows: kept } = await sql<CountRow>`select * from history_count where ready`.execute(tx)
  const longest = new Map(begun.map((count) => [count.key, count]))
  const isLess = ({ key, days }: Pick<Count, 'key' | 'days'>) =>
    (longest.get(key)?.days ?? -1) < days
  const lessened = kept.filter(({ count_key: key, days }) => isLess({ key, days }))
  const stillWanted = lessened.length > 0 ? await wantedCounts(tx, bundle, kept) : []
  for (const count of stillWanted)
    if (isLess(count) && lessened.some((row) => row.count_key === count.key))
      longest.set(count.key, count)
  const wanted = [...longest.values()]
  const rows = wanted.map(rowOf(true))
  const keys = wanted.map(({ key }) => key)
  await sql`delete from history_count where not count_key = any(${keys}::text[])`.execute(tx)
  if (rows.length === 0) return
  await sql`update history_count c set ready = true, days = r.days, condition = r.condition
    from (${rowsOf('history_count', columns, rows)}) as r where c.count_key = r.count_key`.execute(
    tx,
  )
}

const peopleAtOnce = 500

/** By the publication's own transaction, which would be ended if it said nothing for a minute. */
async function* everybody(tx: Querying): AsyncGenerator<string[]> {
  let after = '00000000-0000-0000-0000-000000000000'
  for (;;) {
    const { rows } = await sql<{ person_id: string }>`
      select person_id from person where person_id > ${after}::uuid
      order by person_id limit ${peopleAtOnce}`.execute(tx)
    const last = rows.at(-1)
    if (!last) return
    yield rows.map((row) => row.person_id)
    after = last.person_id
  }
}

/**
 * Who became one with somebody in that time, by a link too, once more, and again when they did so before they were
 * counted: a merge takes its own row along to whoever they have become.
 */
async function countMerged(
  store: Store,
  tx: Querying,
  { from, until }: { from: string; until: string },
  counting: Counting,
): Promise<void> {
  const counted = new Set<string>()
  for (;;) {
    const { rows } = await sql<{ person_id: string; merges: string }>`
      select person_id, count(*) as merges from event
      where recorded_at between ${from} and ${until}
        and type in ('person.merged.v1', 'person.identified.v1')
      group by person_id`.execute(tx)
    const next = rows
      .filter((row) => !counted.has(`${row.person_id} ${row.merges}`))
      .slice(0, peopleAtOnce)
    if (next.length === 0) return
    await countPeople(
      store,
      next.map((row) => row.person_id),
      counting,
    )
    for (const { person_id, merges } of next) counted.add(`${person_id} ${merges}`)
  }
}

type Counting = { counts: readonly Count[]; timeZone: string }

/** Counts what is stored of these people, under their locks: three statements. */
async function countPeople(
  store: Store,
  personIds: readonly string[],
  { counts, timeZone }: Counting,
): Promise<void> {
  const { byTouchpoint } = compileCounts({ counts, mark: '' })
  await inTransaction(store.db, async (tx) => {
    const now = await businessNow(tx)
    const ids = await whoHadAny(tx, personIds, counts)
    await lockPeople(tx, ids)
    // Of nobody else: an event that came since of somebody who had none was counted by its batch.
    const events = await eventsOf(tx, ids, counts)
    const rows = [...Map.groupBy(events, (row) => row.person_id)].map(([personId, own]) => ({
      person_id: personId,
      happened: countAll(own, byTouchpoint, { now, timeZone }),
    }))
    if (rows.length === 0) return
    await sql`update person p set happened = (p.happened - ${counts.map(({ key }) => key)}::text[]) || r.happened
      from (${rowsOf('person', ['person_id', 'happened'], rows)}) as r
      where p.person_id = r.person_id and p.merged_into is null
        and p.person_id = any(${rows.map((row) => row.person_id)}::uuid[])`.execute(tx)
  })
}

function countAll(
  events: readonly EventRow[],
  byTouchpoint: ReadonlyMap<string, readonly CompiledCount[]>,
  at: { now: string; timeZone: string },
): PersonCounts {
  let counts: PersonCounts = {}
  for (const { type, time, data } of events)
    counts = withEvent(counts, { time, data }, byTouchpoint.get(type) ?? [], at)
  return counts
}

type EventRow = { person_id: string; type: string; time: string; data: JsonObject }

function happenedTo(personIds: readonly string[], counts: readonly Count[]): RawBuilder<unknown> {
  const days = Math.max(...counts.map((each) => each.days))
  // Two days more: the first one counts whole, and zones differ by less than the other.
  return sql`e.person_id = any(${[...personIds]}::uuid[])
    and e.type = any(${counts.map(({ touchpoint }) => touchpoint)}::text[])
    and e.time >= business_now() - make_interval(days => ${days + 2})`
}

async function whoHadAny(
  tx: Querying,
  personIds: readonly string[],
  counts: readonly Count[],
): Promise<string[]> {
  const { rows } = await sql<{ person_id: string }>`
    select distinct e.person_id from event e where ${happenedTo(personIds, counts)}`.execute(tx)
  return rows.map((row) => row.person_id)
}

async function eventsOf(
  tx: Querying,
  personIds: readonly string[],
  counts: readonly Count[],
): Promise<EventRow[]> {
  const { rows } = await sql<EventRow>`
    select e.person_id, e.type, e.time, e.data from event e
    where ${happenedTo(personIds, counts)}`.execute(tx)
  return rows
}
