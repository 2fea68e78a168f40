import type { Identity } from '@wegwijs/campaign/journey-event'
import { isRetryable } from '@wegwijs/runtime/failure'
import { createGroupCommit } from '@wegwijs/runtime/group-commit'
import { sql } from 'kysely'
import { recordsOf } from './contact-budgets.ts'
import type { Database, Querying } from './database.ts'
import { isUndone, query } from './transaction.ts'

/** A message as it is put into the inbox; `personId` is ours, `fence` that of the claim under which it is put. */
export type NewAppMessage = {
  personId: string
  intentId: string
  fence: number
  locale: string
  content: { title: string; body: string; url?: string }
}

/** What the app's own server reads; `at` is business time. */
export type AppMessage = {
  intentId: string
  title: string
  body: string
  url: string | null
  locale: string
  at: string
  readAt: string | null
}

/**
 * `unavailable`: what is put when `signal` was aborted before its turn came, or when the lease of its claim is over or
 * somebody else has claimed it, is not put any more.
 */
export type AppInbox = {
  put(message: NewAppMessage, signal: AbortSignal): Promise<'put' | 'unavailable'>
}

type Waiting = { readonly message: NewAppMessage; readonly signal: AbortSignal }

/**
 * The inbox that the app channel writes to. Putting the same intent again changes nothing (P2).
 * Messages that come together are written together. `unavailable`: they were certainly not written.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable) when they may have been; putting it again is
 *   harmless
 */
export function createAppInbox(db: Database): AppInbox {
  const commit = createGroupCommit(
    async (waiting: Waiting[]) => {
      // P3: whoever waited behind a write that took long may not be told any more.
      const wanted = waiting.filter(({ signal }) => !signal.aborted)
      const messages = wanted.map(({ message }) => message)
      const put = messages.length === 0 ? new Set<NewAppMessage>() : await putAll(db, messages)
      return waiting.map(({ message }) => (put.has(message) ? 'put' : 'unavailable'))
    },
    { maxItems: 500 },
  )
  return { put: (message, signal) => commit.add({ message, signal }) }
}

/** Those of the messages that are in the inbox now, or were before. */
async function putAll(
  db: Database,
  messages: readonly NewAppMessage[],
): Promise<ReadonlySet<NewAppMessage>> {
  try {
    const put = await query(() => insertMessages(db, messages))
    return new Set(messages.filter(({ intentId, fence }) => put.get(intentId) === fence))
  } catch (error) {
    if (isRetryable(error) && isUndone(error)) return new Set()
    throw error
  }
}

/** By its id, the fence of each message that was put. */
async function insertMessages(
  db: Querying,
  messages: readonly NewAppMessage[],
): Promise<ReadonlyMap<string, number>> {
  const claims = messages.map(({ personId, intentId, fence, locale, content }) => ({
    person_id: personId,
    intent_id: intentId,
    fence,
    title: content.title,
    body: content.body,
    url: content.url ?? null,
    locale,
  }))
  const { rows } = await sql<{ intent_id: string; fence: number }>`
    with claimed as (
      select new.* from json_to_recordset(${JSON.stringify(claims)}::json)
        as new (person_id uuid, intent_id uuid, fence integer, title text, body text, url text, locale text)
      join intent i on i.intent_id = new.intent_id
      where i.intent_id = any(${messages.map(({ intentId }) => intentId)}::uuid[])
        -- P2, P3: this may have waited for longer than its claim lasted, and for longer than its worker waits for it.
        and i.fence = new.fence and i.lease_until > clock_timestamp()
    ), put as (
      insert into app_message (person_id, intent_id, title, body, url, locale, at)
      select person_id, intent_id, title, body, url, locale,
        -- As the list shows it, or a page that ends within a millisecond would skip its rest.
        date_trunc('milliseconds', business_now())
      from claimed
      -- Put before for a record that has become this person meanwhile.
      where not exists (select from app_message known
        where known.person_id = any(${recordsOf('claimed.person_id')}) and known.intent_id = claimed.intent_id)
      on conflict (person_id, intent_id) do nothing
    )
    select intent_id, fence from claimed`.execute(db)
  return new Map(rows.map(({ intent_id, fence }) => [intent_id, fence]))
}

/** Where a page of the list ended; the next one begins after it. */
export type InboxPlace = { at: string; intentId: string }

/**
 * A person's app messages, the newest first, at most `limit`; those after `after` in that order.
 * Somebody unknown has none. Messages to records that were merged into this person are theirs too.
 */
export async function listAppMessages(
  db: Querying,
  identity: Identity,
  page: { limit: number; after?: InboxPlace },
): Promise<AppMessage[]> {
  const beyond = page.after
    ? sql`(at, intent_id) < (${page.after.at}::timestamptz, ${page.after.intentId}::uuid)`
    : sql`true`
  const { rows } = await query(() =>
    sql<AppMessage>`
      with recursive ${recordsOfIdentity(identity)}
      select intent_id as "intentId", title, body, url, locale, at, read_at as "readAt"
      from app_message
      where person_id in (select person_id from record) and ${beyond}
      order by at desc, intent_id desc
      limit ${page.limit}
    `.execute(db),
  )
  return rows
}

/**
 * Marks a message as read; the first moment stays. Null when this person has no such message.
 */
export async function markAppMessageRead(
  db: Querying,
  identity: Identity,
  intentId: string,
): Promise<{ readAt: string } | null> {
  const { rows } = await query(() =>
    sql<{ readAt: string }>`
      with recursive ${recordsOfIdentity(identity)}
      update app_message set read_at = coalesce(read_at, business_now())
      where person_id in (select person_id from record) and intent_id = ${intentId}::uuid
      returning read_at as "readAt"
    `.execute(db),
  )
  return rows[0] ?? null
}

/** `record`: the person with that id and everyone who is the same person by merges. */
function recordsOfIdentity({ idSpace, externalId }: Identity) {
  return sql`
    survivor (person_id) as (
      select person_id from person_identity
      where id_space = ${idSpace} and external_id = ${externalId}
      union
      select person.merged_into from survivor join person using (person_id)
      where person.merged_into is not null
    ), record (person_id) as (
      select person_id from survivor
      union
      select person.person_id from record join person on person.merged_into = record.person_id
    )`
}
