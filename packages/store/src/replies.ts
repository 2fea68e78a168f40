import { inboxRetentionDays } from '@wegwijs/wire/event-time'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { query } from './transaction.ts'

/**
 * What a reply came to: an answer, a mere reply, or nothing, where nobody with the number got an SMS; and
 * the events that say so, none with its words (P7).
 */
export type ReplyMeaning = {
  status: 'answered' | 'kept' | 'unknown'
  events: TouchpointEvent[]
}

/**
 * Writes down what these replies of a provider mean, where they are new, and gives what each meant when it
 * first came, by its id: told twice it answers nothing else (P2), also when both come at the same time.
 * One that meant nothing then may mean something now.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE
 */
export async function rememberReplies(
  db: Querying,
  provider: string,
  meanings: ReadonlyMap<string, ReplyMeaning>,
): Promise<Map<string, ReplyMeaning>> {
  if (meanings.size === 0) return new Map()
  const rows = [...meanings].map(([reply_id, meant]) => ({ reply_id, meant }))
  // An update waits for another gateway's row, and returns it. In one order, or two
  // requests with the same replies would wait for each other.
  const kept = await query(() =>
    sql<{ reply_id: string; meant: ReplyMeaning }>`
      insert into reply (provider, reply_id, meant)
      select ${provider}, reply_id, meant
      from json_to_recordset(${JSON.stringify(rows)}::json) as given (reply_id text, meant jsonb)
      order by reply_id
      on conflict (provider, reply_id) do update
        set meant = case when reply.meant ->> 'status' = 'unknown' then excluded.meant else reply.meant end
      returning reply_id, meant`.execute(db),
  )
  return new Map(kept.rows.map(({ reply_id, meant }) => [reply_id, meant]))
}

/** Forgets replies recorded longer ago than identities of events are kept, `limit` at a time. */
export async function forgetOldReplies(tx: Querying, limit: number): Promise<number> {
  const result = await sql`delete from reply where ctid = any(array(
    select ctid from reply
    -- A moment that stays the same within the statement, or no index would do and all would be read.
    where recorded_at < now() - make_interval(days => ${inboxRetentionDays + 1})
    order by recorded_at limit ${limit}))`.execute(tx)
  return Number(result.numAffectedRows ?? 0)
}
