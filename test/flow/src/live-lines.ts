import { type MessageLine, sortLines } from '@wegwijs/dry-run/lines'
import type { Store } from '@wegwijs/store/database'
import { sql } from 'kysely'

type Row = Omit<MessageLine, 'person' | 'to'> & { names: string[]; to: string[] | null }

/** What the live pipeline decided of each message, from its tables, as a simulation would print it. */
export async function readLiveLines(store: Store): Promise<MessageLine[]> {
  const { rows } = await sql<Row>`
    select i.campaign_id as campaign, i.version, i.message_id as step,
      i.channels[i.channel_index + 1] as channel, i.planned_for as "plannedFor", i.state as outcome,
      i.reason, run.trigger ->> 'id' as "eventId", array(
        select id_space || ':' || external_id from person_identity p
        where p.person_id = i.person_id) as names,
      case when i.recipient_id is not null then array(
        select id_space || ':' || external_id from person_identity p
        where p.person_id = survivor_of(i.recipient_id)) end as to
    from intent i join enrolment run
      on run.person_id = i.person_id and run.enrolment_id = i.enrolment_id`.execute(store.db)
  return sortLines(
    rows.map(
      ({ names, to, campaign, version, step, channel, plannedFor, outcome, reason, eventId }) => ({
        person: names.toSorted()[0] ?? '',
        ...(to && { to: to.toSorted()[0] ?? '' }),
        campaign,
        version,
        step,
        channel,
        plannedFor,
        outcome,
        reason,
        eventId,
      }),
    ),
  )
}
