import type { Identity } from '@wegwijs/campaign/journey-event'
import { isStopWord } from '@wegwijs/campaign/receipts'
import type { ConsentData, MessageData } from '@wegwijs/campaign/reserved-types'
import { derivedUuid, newUuid } from '@wegwijs/runtime/derived-id'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicsOf } from '@wegwijs/wire/topics'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { type InsertObject, type RawBuilder, sql } from 'kysely'
import type { Database, Querying, Store } from './database.ts'
import { findOrCreatePeople } from './identities.ts'
import { appendOutbox } from './outbox.ts'
import type { Schema } from './schema.ts'
import { inTransaction } from './transaction.ts'
import { wake } from './wake.ts'

/**
 * Facts that forbid sending. Rows are only ever added, and the last check reads them at the moment
 * of sending (P3): a stop holds as soon as its transaction has committed, whatever is queued.
 *
 * A stop of a person comes from an event (death, consent: see {@link stopOf}) or from staff; an
 * operational stop holds a campaign, a channel, a provider, a template or everything.
 */
export type PersonStop = {
  stopId: string
  personId: string
  kind: 'death' | 'consent' | 'staff'
  /** A class of messages, or `all`. */
  purpose: string
  /** A channel, or '' for all of them. */
  channel: string
  /** Of a consent, who withdrew it: a later yes of an import overrules an import alone. */
  origin: 'person' | 'import'
  reason: string
  source: string
  /** When the fact came about, by its own time; a consent given later overrules it. */
  at: string
}

export const operationScopes = ['campaign', 'channel', 'provider', 'template', 'all'] as const
export type OperationScope = (typeof operationScopes)[number]

/** What is stopped; `target` is its id or name, '' for scope `all`. */
export type Operation = { scope: OperationScope; target: string }

/** Who says so and why, in their own words; kept for the audit. */
export type StopWords = { reason: string; source: string }

/**
 * Staff stop all messages to a person. Someone unknown is created: the stop must hold when their
 * first event comes in. Null when the id is a person id of ours that nobody has.
 */
export async function stopPerson(
  db: Database,
  identity: Identity,
  words: StopWords,
): Promise<{ personId: string; stopId: string } | null> {
  return inTransaction(db, async (tx) => {
    const [personId] = await findSurvivors(tx, [identity])
    if (!personId) return null
    const stopId = newUuid()
    await sql`
      insert into person_stop (person_id, stop_id, kind, reason, source, at)
      values (${personId}, ${stopId}, 'staff', ${words.reason}, ${words.source}, business_now())
    `.execute(tx)
    return { personId, stopId }
  })
}

/**
 * In which id spaces people may have ids: those of the publishers of what is in force, as it is stored, and the one
 * that is asked for where somebody has an id in it.
 */
export async function idSpaces(db: Querying, asked: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select distinct name from (${inForce('$.touchpoints.publishers[*].idSpace')}
      union all select ${asked}::text where exists (select from person_identity where id_space = ${asked})
    ) as known (name) order by name`.execute(db)
  return rows.map(({ name }) => name)
}

/** Holds a part of the system, or all of it; returns the id to lift it with. */
export async function stopOperation(
  db: Querying,
  operation: Operation,
  words: StopWords,
): Promise<string> {
  const stopId = newUuid()
  await db
    .insertInto('operational_stop')
    .values({ stop_id: stopId, scope: operation.scope, target: operation.target, ...words })
    .execute()
  return stopId
}

/**
 * What can be stopped, by its names: also campaigns and templates that have left the definition, which people are in
 * still. Asked of what is stored, whether or not it can be read: who must stop something does not wait for that.
 */
export async function operationTargets(
  db: Querying,
  scope: Exclude<OperationScope, 'all'>,
): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select distinct name from (${targets[scope]}) as known (name) order by name`.execute(db)
  return rows.map(({ name }) => name)
}

const targets: Readonly<Record<Exclude<OperationScope, 'all'>, RawBuilder<unknown>>> = {
  campaign: sql`select campaign_id from campaign`,
  template: sql`select template_id from template_version`,
  channel: inForce('$.channels.keyvalue().key'),
  provider: inForce('$.channels.*.provider'),
}

/** `path` is silent about what is stored in another form. */
function inForce(path: string): RawBuilder<unknown> {
  return sql`select jsonb_path_query(bundle, ${sql.lit(path)}, '{}', true) #>> '{}'
    from (select bundle from definition order by revision desc limit 1) as newest`
}

/**
 * Ends a stop of any kind, for good; another one of the same thing goes on. False when it was
 * lifted before, or never was.
 */
export async function liftStop(db: Querying, stopId: string, words: StopWords): Promise<boolean> {
  const lifted = await sql`
    insert into stop_lift (stop_id, reason, source)
    select ${stopId}::uuid, ${words.reason}, ${words.source}
    where exists (select from operational_stop where stop_id = ${stopId}::uuid)
      or exists (select from person_stop where stop_id = ${stopId}::uuid)
    on conflict (stop_id) do nothing
  `.execute(db)
  return (lifted.numAffectedRows ?? 0n) > 0n
}

/** Ends every stop of this campaign, channel, provider or template, or those of scope `all`. */
export async function liftOperation(
  db: Querying,
  operation: Operation,
  words: StopWords,
): Promise<string[]> {
  const { rows } = await sql<{ stop_id: string }>`
    insert into stop_lift (stop_id, reason, source)
    select stop_id, ${words.reason}, ${words.source} from operational_stop
    where scope = ${operation.scope} and target = ${operation.target}
    on conflict (stop_id) do nothing
    returning stop_id
  `.execute(db)
  return rows.map((row) => row.stop_id)
}

/**
 * Ends the stops that staff put on a person. A death or a withdrawn consent is not staff's to end:
 * a new consent does that, and a death that was reported by mistake is lifted by its own id.
 */
export async function liftPerson(
  db: Querying,
  personId: string,
  words: StopWords,
): Promise<string[]> {
  const { rows } = await sql<{ stop_id: string }>`
    insert into stop_lift (stop_id, reason, source)
    select stop_id, ${words.reason}, ${words.source} from person_stop
    where person_id = ${personId}::uuid and kind = 'staff'
    on conflict (stop_id) do nothing
    returning stop_id
  `.execute(db)
  return rows.map((row) => row.stop_id)
}

export type OperationalStop = Operation & StopWords & { stopId: string; recordedAt: string }
export type RecordedPersonStop = PersonStop & { recordedAt: string }

/** The operational stops that hold now, the oldest first. */
export async function listOperationalStops(db: Querying): Promise<OperationalStop[]> {
  const rows = await db
    .selectFrom('operational_stop')
    .selectAll()
    .where('stop_id', 'not in', (lifted) => lifted.selectFrom('stop_lift').select('stop_id'))
    .orderBy('recorded_at')
    .execute()
  return rows.map(({ stop_id, recorded_at, ...row }) => ({
    stopId: stop_id,
    recordedAt: recorded_at,
    ...row,
  }))
}

/** How many operational stops were ever lifted: more than before says that one was. */
export async function countLiftedOperations(db: Querying): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from operational_stop join stop_lift using (stop_id)`.execute(db)
  return rows[0]?.count ?? 0
}

/** The stops of one person that are not lifted, the oldest first. */
export async function listPersonStops(
  db: Querying,
  personId: string,
): Promise<RecordedPersonStop[]> {
  const rows = await db
    .selectFrom('person_stop')
    .selectAll()
    .where('person_id', '=', personId)
    .where('stop_id', 'not in', (lifted) => lifted.selectFrom('stop_lift').select('stop_id'))
    .orderBy('recorded_at')
    .execute()
  return rows.map(({ stop_id, person_id, recorded_at, ...row }) => ({
    stopId: stop_id,
    personId: person_id,
    recordedAt: recorded_at,
    ...row,
  }))
}

/** What of an event a stop is read from. */
type SaidOfPerson = Pick<TouchpointEvent, 'source' | 'id' | 'subject' | 'type' | 'time' | 'data'>

/**
 * The stop that an event means, or null. Whoever writes it down, the gateway or the journey, gets
 * the same id from the same event, so it stands there once.
 */
export function stopOf(event: SaidOfPerson): Omit<PersonStop, 'personId'> | null {
  const meaning = meaningOf(event)
  if (!meaning) return null
  const stopId = derivedUuid('stop', event.source, event.subject, event.id)
  return { stopId, source: event.source, at: event.time, origin: 'person', ...meaning }
}

function meaningOf(
  event: SaidOfPerson,
): (Pick<PersonStop, 'kind' | 'purpose' | 'channel' | 'reason'> & Partial<PersonStop>) | null {
  const { recipientId } = event.data
  // What somebody else says of a message about this person is a stop of theirs alone.
  if (recipientId !== undefined && recipientId !== event.subject) return null
  switch (event.type) {
    case 'person.deceased.v1':
      return { kind: 'death', purpose: 'all', channel: '', reason: 'person_deceased' }
    case 'consent.withdrawn.v1': {
      const { purpose, channel = '', origin } = event.data as ConsentData
      const by = origin === 'import' ? { origin } : {}
      return { kind: 'consent', purpose, channel, ...by, reason: 'consent_withdrawn' }
    }
    case 'message.complained.v1': {
      const { channel } = event.data as MessageData
      return { kind: 'consent', purpose: 'marketing', channel, reason: 'complained' }
    }
    case 'message.replied.v1': {
      const { channel, detail } = event.data as MessageData
      return isStopWord(detail)
        ? { kind: 'consent', purpose: 'all', channel, reason: 'replied' }
        : null
    }
    default:
      return null
  }
}

/** An event that is a stop, with whose id its subject is. */
export type StopEvent = { event: TouchpointEvent; idSpace: string }

const LOCK_TIMEOUT_MS = 3_000

/**
 * Writes down stops together with the records that carry them to services/journey, in one
 * transaction: once this resolves nothing is sent against them, also while Kafka is away (P3), and
 * the events are not lost (P1). The same event again changes nothing. False for a subject in our own
 * id space that nobody has; nothing is written for it.
 *
 * Waits for a transaction that is changing one of these people, or a merge could copy their stops
 * before this one was there. Statements do not depend on the number of stops (P8).
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable); nothing may have been written, or everything
 */
export async function recordStopEvents(
  store: Store,
  stops: readonly StopEvent[],
): Promise<boolean[]> {
  if (stops.length === 0) return []
  const known = await inTransaction(store.db, async (tx) => {
    await sql`select set_config('lock_timeout', ${`${LOCK_TIMEOUT_MS}ms`}, true)`.execute(tx)
    const people = await findSurvivors(
      tx,
      stops.map(({ event, idSpace }) => ({ idSpace, externalId: event.subject })),
    )
    await insertStops(tx, stops, people, topicsOf(store.namespace).urgent)
    return people.map((personId) => personId !== null)
  })
  // Only a hint: the stop is committed, and the relay sweeps.
  await wake(store.db, store.namespace, ['outbox']).catch(() => {})
  return known
}

async function insertStops(
  tx: Querying,
  stops: readonly StopEvent[],
  people: readonly (string | null)[],
  topic: string,
): Promise<void> {
  const rows = new Map<string, InsertObject<Schema, 'person_stop'>>()
  const events = new Map<string, TouchpointEvent>()
  for (const [index, { event }] of stops.entries()) {
    const [personId, stop] = [people[index], stopOf(event)]
    if (!personId || !stop) continue
    const { stopId, ...row } = stop
    rows.set(stopId, { person_id: personId, stop_id: stopId, ...row, at: notAhead(row.at) })
    events.set(stopId, event)
  }
  if (rows.size === 0) return
  const added = await tx
    .insertInto('person_stop')
    .values([...rows.values()])
    .onConflict((conflict) => conflict.doNothing())
    .returning('stop_id')
    .execute()
  const records = added.flatMap((row) => events.get(row.stop_id) ?? []).map(encodeRecord)
  await appendOutbox(
    tx,
    records.map((record) => ({ topic, ...record })),
  )
}

/** As a consent is as of now when its clock is ahead (`applyConsent`): a yes that comes after a no lifts it. */
export function notAhead(at: string): RawBuilder<string> {
  return sql<string>`least(${at}::timestamptz, business_now())`
}

/** The people with these ids, or those they were merged into, locked against changes. */
export async function findSurvivors(
  tx: Querying,
  identities: readonly Identity[],
): Promise<(string | null)[]> {
  const found = await findOrCreatePeople(tx, identities)
  const mergedInto = new Map<string, string | null>()
  let asked = [...new Set(found.filter((id) => id !== null))]
  while (asked.length > 0) {
    const { rows } = await sql<{ person_id: string; merged_into: string | null }>`
      select person_id, merged_into from person where person_id = any(${asked}::uuid[])
      order by person_id for share
    `.execute(tx)
    for (const row of rows) mergedInto.set(row.person_id, row.merged_into)
    asked = rows.flatMap(({ merged_into }) =>
      merged_into && !mergedInto.has(merged_into) ? [merged_into] : [],
    )
  }
  return found.map((id) => survivorOf(id, mergedInto))
}

function survivorOf(id: string | null, mergedInto: ReadonlyMap<string, string | null>) {
  let survivor = id
  // Never more steps than there are people: were two ever merged into each other, this still ends.
  for (let steps = 0; survivor && steps < mergedInto.size; steps += 1) {
    survivor = mergedInto.get(survivor) ?? survivor
  }
  return survivor
}
