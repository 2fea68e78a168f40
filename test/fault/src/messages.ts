import { defaultSettings } from '@wegwijs/delivery/service'
import type { Store } from '@wegwijs/store/database'
import type { IntentState } from '@wegwijs/store/schema'
import { sql } from 'kysely'

/** How long the claim of a message is its worker's, in milliseconds. */
export const { leaseMs } = defaultSettings

/** What is recorded of a message, under the reference of the event that asked for it. */
export type MessageRecord = {
  reference: string
  intentId: string
  state: IntentState
  reason: string | null
  /** Marked as a possible duplicate from now on. */
  duplicate: boolean
  /** Attempts that delivery has written down as accepted. */
  acceptances: number
  /** When the claim was made that nobody has settled yet; null when there is none. */
  claimedAt: string | null
  /** What was wrong with each channel over which it could not go, by the channel's name. */
  channels: Readonly<Record<string, string>>
  /** When it was last written. */
  touchedAt: string
}

/**
 * The messages of one subject, or of everybody. Those of one are read when no claim of them is being
 * made: one whose check was made before a stop was committed, and which is committed after it, has
 * the message on its way.
 */
export async function messagesOf(store: Store, subject?: string): Promise<MessageRecord[]> {
  const ofOne = sql`where i.person_id in (
    select person_id from person_identity where external_id = ${subject ?? null})`
  const { rows } = await sql<MessageRecord>`
    select e.trigger -> 'data' ->> 'reference' as reference, i.intent_id as "intentId", i.state, i.reason, i.duplicate,
      (select count(*)::int from attempt a where a.person_id = i.person_id
        and a.intent_id = i.intent_id and a.outcome = 'accepted') as acceptances,
      i.lease_until - make_interval(secs => ${leaseMs / 1_000}) as "claimedAt",
      coalesce(i.detail -> 'channels', '{}') as channels, i.touched_at as "touchedAt"
    from intent i join enrolment e using (person_id, enrolment_id)
    ${subject === undefined ? sql`` : sql`${ofOne} for share of i`}`.execute(store.db)
  return rows
}

/** Why an event that asked for a message started nothing, by the reference of the message. */
export async function refusalsOf(store: Store): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ reference: string; reason: string }>`
    select e.data ->> 'reference' as reference, d.reason
    from decided d join event e using (person_id, source, event_id)
    where d.campaign_id is not null and d.enrolment_id is null and e.data ? 'reference'`.execute(
    store.db,
  )
  return new Map(rows.map(({ reference, reason }) => [reference, reason]))
}
