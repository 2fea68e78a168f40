import type { Decision } from '@wegwijs/campaign/draft'
import { derivedUuid } from '@wegwijs/runtime/derived-id'
import type { Querying } from './database.ts'
import { insertRows } from './rows.ts'

/** Decisions about one person that one event, or one timer, led to. */
export type DecisionGroup = {
  personId: string
  businessAt: string
  /** Who caused it: the event's source and id, or for a timer null and the timer's id. */
  source: string | null
  causeId: string
  decisions: readonly Decision[]
}

/** Keeps the decisions in their order (P4). */
export async function keepDecisions(tx: Querying, groups: readonly DecisionGroup[]): Promise<void> {
  await insertRows(
    tx,
    'decision',
    [
      'person_id',
      'decision_id',
      'ordinal',
      'business_at',
      'source',
      'event_id',
      'campaign_id',
      'version',
      'enrolment_id',
      'intent_id',
      'reason',
      'detail',
    ],
    groups.flatMap((group) =>
      group.decisions.map((decision, ordinal) => ({
        person_id: group.personId,
        decision_id: derivedUuid(
          'decision',
          group.personId,
          group.source ?? '',
          group.causeId,
          String(ordinal),
        ),
        ordinal,
        business_at: group.businessAt,
        source: group.source,
        event_id: group.source === null ? null : group.causeId,
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
