import { type Kysely, sql } from 'kysely'

/**
 * What an event led to rests in the event's row instead of one row for each decision: what is written
 * for an event bounds how many can be decided (P8). Nothing is rewritten and no index is built, so
 * services that write meanwhile wait for an instant.
 *
 * Rows of `decision` that events led to before stay where they are; the view reads them too. While
 * services of the version before run beside the new ones, their `explain` tells of the old rows only.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  'alter table event add column decisions jsonb',
  `create view decided as
    select person_id, recorded_at, business_at, source, event_id, ordinal, campaign_id, version,
      enrolment_id, intent_id, reason, detail
    from decision
    union all
    select e.person_id, e.recorded_at, e.business_at, e.source, e.event_id, made.ordinal::integer - 1,
      made.decision ->> 'campaignId', (made.decision ->> 'version')::integer,
      (made.decision ->> 'enrolmentId')::uuid, (made.decision ->> 'intentId')::uuid,
      made.decision ->> 'reason', nullif(made.decision -> 'detail', 'null'::jsonb)
    from event e
    cross join lateral jsonb_array_elements(e.decisions) with ordinality as made (decision, ordinal)`,
]
