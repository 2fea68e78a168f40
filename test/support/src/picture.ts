import type { Store } from '@wegwijs/store/database'
import { sql } from 'kysely'

/** Everything that a namespace has come to, in words without ids that hang on the run. */
export async function pictureOf({ db }: Store): Promise<unknown> {
  const { rows } = await sql`
    select 'intent' as kind, concat_ws(' ', message_id, state, reason, entity_version, planned_for) as words from intent
    union all select 'enrolment', concat_ws(' ', campaign_id, state, reason, entity_version) from enrolment
    union all select 'event', concat_ws(' ', event_id, type, outcome) from event
    union all select 'dead letter', concat_ws(' ', error_class, record_offset) from dead_letter
    union all select 'outbox', substr(topic, length(current_schema) + 2) || ' ' || count(*) from outbox group by topic
    union all select 'position', concat_ws(' ', records, applied, duplicates, dead_lettered) from consumer_position
      where records > 0
    union all select 'people', count(*)::text from person where merged_into is null
    union all select 'decision', concat_ws(' ', campaign_id, reason, count(*)) from decided group by campaign_id, reason
    order by 1, 2`.execute(db)
  return rows
}
