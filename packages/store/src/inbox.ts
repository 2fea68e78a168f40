import type { Decision } from '@wegwijs/campaign/draft'
import { inboxRetentionDays } from '@wegwijs/wire/event-time'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { insertRows, rowsOf } from './rows.ts'

/** The identity of an event, under the person it is about (P2). */
export type InboxKey = { personId: string; source: string; eventId: string; subject: string }

/** Remembers these events and says which of them were new: one boolean each, in the order given. */
export async function rememberEvents(tx: Querying, keys: readonly InboxKey[]): Promise<boolean[]> {
  if (keys.length === 0) return []
  const columns = ['person_id', 'source', 'event_id', 'subject'] as const
  const rows = keys.map((key) => ({
    person_id: key.personId,
    source: key.source,
    event_id: key.eventId,
    subject: key.subject,
  }))
  const result = await sql<(typeof rows)[number]>`
    insert into inbox (person_id, source, event_id, subject) ${rowsOf('inbox', columns, rows)}
    on conflict do nothing
    returning person_id, source, event_id, subject`.execute(tx)
  const fresh = new Set(result.rows.map(textOf))
  // Twice in one batch: the first one counts.
  return rows.map((row) => fresh.delete(textOf(row)))
}

export type EventRow = {
  person_id: string
  source: string
  event_id: string
  subject: string
  type: string
  time: string
  business_at: string
  data: unknown
  entity: string | null
  entity_version: number | null
  traceparent: string | null
  persona: string | null
  outcome: string
  /** Null when it led to nothing. */
  decisions: readonly Decision[] | null
  topic: string
  partition: number
  record_offset: string
  /** When Kafka had it at the latest, where that is before `time`. */
  appended_at: string | null
}

/** Keeps what was said, what became of it and why (P4). A transaction need not wait for it (`send`). */
export function keepEvents(tx: Querying, rows: readonly EventRow[]): Promise<unknown> {
  return insertRows(
    tx,
    'event',
    [
      'person_id',
      'source',
      'event_id',
      'subject',
      'type',
      'time',
      'business_at',
      'data',
      'entity',
      'entity_version',
      'traceparent',
      'persona',
      'outcome',
      'decisions',
      'topic',
      'partition',
      'record_offset',
      'appended_at',
    ],
    rows,
  )
}

/** Forgets identities recorded longer ago than {@link inboxRetentionDays}, `limit` at a time. */
export async function forgetOldEvents(tx: Querying, limit: number): Promise<number> {
  // A day more than the refusal, so that an event from a clock minutes ahead is refused before it is forgotten.
  const result = await sql`delete from inbox where ctid = any(array(
    select ctid from inbox
    -- A moment that stays the same within the statement, or no index would do and all would be read.
    where recorded_at < now() - make_interval(days => ${inboxRetentionDays + 1})
    order by recorded_at limit ${limit}))`.execute(tx)
  return Number(result.numAffectedRows ?? 0)
}

function textOf(row: {
  person_id: string
  source: string
  event_id: string
  subject: string
}): string {
  return JSON.stringify([row.person_id, row.source, row.event_id, row.subject])
}
