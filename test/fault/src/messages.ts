import type { Store } from '@wegwijs/store/database'
import type { IntentState } from '@wegwijs/store/schema'
import { sql } from 'kysely'

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
        and a.intent_id = i.intent_id and a.outcome = 'accepted') as acceptances
    from intent i join enrolment e using (person_id, enrolment_id)
    ${subject === undefined ? sql`` : sql`${ofOne} for share of i`}`.execute(store.db)
  return rows
}
