import type { ReasonCode } from '@wegwijs/campaign/reasons'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { query } from './transaction.ts'

/**
 * What makes somebody's story worth telling: an appointment moved or was cancelled and messages with
 * it; the person died or wanted no more; several channels were used.
 */
export const tellableKinds = ['appointment-changed', 'ended', 'several-channels'] as const
export type TellableKind = (typeof tellableKinds)[number]

const changed = ['entity_superseded', 'entity_withdrawn'] satisfies ReasonCode[]
const ended = ['person_deceased', 'consent_withdrawn'] satisfies ReasonCode[]

/**
 * For each kind at most `limit` people, those first to whom most of it happened; ties go by a
 * publisher's id, so that the same input gives the same people. Looks at everybody: for the end of
 * a rehearsal, not for a page that is asked for often.
 */
export async function findTellablePeople(
  db: Querying,
  limit: number,
): Promise<{ kind: TellableKind; personId: string }[]> {
  const { rows } = await query(() =>
    sql<{ kind: TellableKind; personId: string }>`
      with sent as (
        select person_id, count(distinct intent_id) as messages, count(distinct channel) as channels
        from attempt where outcome = 'accepted' group by person_id
      ), unsent as (
        select person_id, count(*) filter (where reason = any(${changed})) as changed,
          count(*) filter (where reason = any(${ended})) as ended
        from intent where state in ('skipped', 'cancelled') group by person_id
      ), known as (
        select person_id, coalesce(messages, 0) as messages, coalesce(channels, 0) as channels,
          coalesce(changed, 0) as changed, coalesce(ended, 0) as ended,
          (select min(id_space || ':' || external_id) from person_identity i
            where i.person_id = p.person_id) as external_id
        from person p left join sent using (person_id) left join unsent using (person_id)
        where merged_into is null
      ), ranked as (
        select 0 as place, 'appointment-changed' as kind, person_id,
          row_number() over (order by changed desc, messages desc, external_id) as rank
        from known where changed > 0 and messages > 0
        union all
        select 1, 'ended', person_id,
          row_number() over (order by ended desc, messages desc, external_id)
        from known where ended > 0 and messages > 0
        union all
        select 2, 'several-channels', person_id,
          row_number() over (order by channels desc, messages desc, external_id)
        from known where messages > 0
      )
      select kind, person_id as "personId" from ranked where rank <= ${limit}
      order by place, rank`.execute(db),
  )
  return rows
}
