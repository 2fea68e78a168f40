import type { AgeRule } from '@wegwijs/campaign/addressees'
import { type RawBuilder, sql } from 'kysely'

/**
 * Who gets a message, where that is somebody else than whom it is about, and whether they still may: parts of
 * the last check, of the row `i` of the message. Twin of packages/campaign/src/recipients.ts.
 */

/** The rules of age, and the organisation's time zone, for whose own is not known. */
export type AgeRules = { readonly ages: readonly AgeRule[]; readonly timeZone: string }

/** Whoever else gets it, whether they still may, and as what. */
export function whoElse(request: AgeRules): RawBuilder<unknown> {
  return sql`left join lateral (${recipientRow}) as r on true
    left join lateral (${receiverRow}) as w on true
    left join lateral (select ${whoByAge(request, now)} as who where i.by_age) as age on true
    left join lateral (${relationOf('i', sql`age.who`)}) as relation on true`
}

/** The same for a message to the person. */
export const nobodyElse = sql`
    cross join lateral (select null::timestamptz as deceased_at) as r
    cross join lateral (select i.person_id as receiver_id, null::jsonb as fields, p.locale, p.time_zone,
      p.persona, p.contacts) as w
    cross join lateral (select null::text[] as who) as age
    cross join lateral (select null::boolean as holds, null::boolean as has_scope, null::text as way)
      as relation`

/** Whoever else gets it, as the record that they are now; no row for a message to the person. */
const recipientRow = sql`
  select q.* from person q
  where i.recipient_id is not null and q.person_id = survivor_of(i.recipient_id) offset 0`

/** Whoever gets it. */
const receiverRow = sql`
  select i.person_id as receiver_id, p.fields, p.locale, p.time_zone, p.persona, p.contacts
  where i.recipient_id is null
  union all
  select r.person_id, r.fields, r.locale, r.time_zone, r.persona, r.contacts
  where i.recipient_id is not null`

/**
 * Whether they stand to the person in any of the ways of the message, in any that lets them hear of it, and the
 * first of those that the rules of age allow, `who`, if they decide: twin of `toldAs` in the core.
 *
 * Of each way it is what was said last of it, of whichever record of the recipient; of the same moment, that it
 * ended, or no more than all of it gives: twin of `newerRelation`.
 */
function relationOf(row: string, who: RawBuilder<unknown>): RawBuilder<unknown> {
  const of = (column: string) => sql.ref(`${row}.${column}`)
  return sql`
  select bool_or(each.holds) as holds, bool_or(each.holds and each.has_scope) as has_scope,
    min(each.kind collate "C") filter (where each.holds and each.has_scope
      and (not ${of('by_age')} or each.kind = any(${who}))) as way
  from (
    select last.kind, bool_and(last.state = 'granted' and coalesce(last.expires_at > look.now, true)) as holds,
      bool_and(${of('recipient_scope')} = any(last.scope)) as has_scope
    from (
      select k.*, max(k.at) over (partition by k.kind) as newest_at from relation k
      where ${of('recipient_id')} is not null and k.person_id = ${of('person_id')}
        and k.kind = any(coalesce(${of('recipient_ways')}, array[${of('recipient_as')}]))
        and survivor_of(k.other_id) = r.person_id
    ) as last
    where last.at = last.newest_at
    group by last.kind
  ) as each`
}

const now = sql`look.now`

/** Who is written to about somebody of the age that the person `p` has at a moment: twin of `wordsByAge` in the core. */
export function whoByAge(
  { ages, timeZone }: AgeRules,
  at: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const rules = ages.map(({ under, to }) => ({ under, who: to }))
  return sql`coalesce((
      select rule.who from json_to_recordset(${JSON.stringify(rules)}::json)
        as rule (under integer, who text[])
      where year_at(${at}, coalesce(p.time_zone, ${timeZone}), ${timeZone})
        - case when jsonb_typeof(p.fields -> 'birthYear') = 'number'
          then (p.fields ->> 'birthYear')::numeric end < rule.under
      order by rule.under limit 1), '{person}')`
}

/** Whether another message to whoever gets this one, of the row `row`, may still go to them. */
export function mayStillGetIt(row: string, request: AgeRules): RawBuilder<unknown> {
  const of = (column: string) => sql.ref(`${row}.${column}`)
  return sql`(r.person_id <> ${of('person_id')}
    and exists (select from (${relationOf(row, whoByAge(request, now))}) as own where own.way is not null))`
}
