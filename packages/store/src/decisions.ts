import type { Decision } from '@wegwijs/campaign/draft'
import { derivedUuid } from '@wegwijs/runtime/derived-id'
import type { Querying } from './database.ts'
import { insertRows } from './rows.ts'

/**
 * Why what was done was done (P4). What an event led to rests in the event's own row, in its order
 * (inbox.ts); what a timer led to in rows of its own. The view `decided` reads both alike.
 */
export type TimerDecisions = {
  personId: string
  businessAt: string
  timerId: string
  /** When the timer came: a timer of one id may come more than once. */
  dueAt: string
  decisions: readonly Decision[]
}

/** Keeps what timers led to, in its order. A transaction need not wait for it (`send`). */
export function keepTimerDecisions(
  tx: Querying,
  groups: readonly TimerDecisions[],
): Promise<unknown> {
  return insertRows(
    tx,
    'decision',
    [
      'person_id',
      'decision_id',
      'ordinal',
      'business_at',
      'campaign_id',
      'version',
      'enrolment_id',
      'intent_id',
      'reason',
      'detail',
    ],
    groups.flatMap(({ personId, businessAt, timerId, dueAt, decisions }) =>
      decisions.map((decision, ordinal) => ({
        person_id: personId,
        decision_id: derivedUuid('decision', personId, `${timerId} ${dueAt}`, String(ordinal)),
        ordinal,
        business_at: businessAt,
        campaign_id: decision.campaignId,
        version: decision.version,
        enrolment_id: decision.enrolmentId,
        intent_id: decision.intentId,
        reason: decision.reason,
        detail: decision.detail,
      })),
    ),
  )
}
