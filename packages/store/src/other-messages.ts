import { type RawBuilder, sql } from 'kysely'

/**
 * Other messages beside which a message would be one too many (P2): the same one to another record of whoever
 * gets it, or of the other record of the person, the one in whose place it came, and what came in its own.
 * Parts of the last check, of the row `i` of the message, its run `run` and whoever else gets it, `r`. Twin of
 * packages/campaign/src/other-messages.ts.
 */

/** A message over all channels is one over each of them; of any other there is one over whichever. */
function isOverSame(other: string): RawBuilder<unknown> {
  const [partOf, channels] = [sql.ref(`${other}.part_of`), sql.ref(`${other}.channels`)]
  return sql`(${partOf} is null or i.part_of is null or ${channels}[1] = i.channels[1])`
}

/** Of the same cascade it came in place of neither this one nor the one before it. */
const isBeside = sql`(o.intent_id is distinct from i.instead_of and not exists (
  select from intent before where before.person_id = i.person_id and before.intent_id = i.instead_of
    and before.instead_of = o.intent_id))`

/** It was told before this one's cascade began, anew of the same version: nothing of it came in its place. */
const isOfEarlierBeginning = sql`(o.recipient_id = i.recipient_id and o.planned_at < (
  select max(f.planned_at) from intent f
  where f.person_id = i.person_id and f.enrolment_id = i.enrolment_id and f.message_id = i.message_id
    and f.recipient_id = i.recipient_id and f.turn = 0 and f.planned_at <= i.planned_at))`

/**
 * Another record of the same recipient was to get it, too, and gets it, or has. Over a channel before in a
 * cascade it was waited for in vain, unless more is known of it, or nobody knows: of those in whose place this
 * one came `firstOf` tells. Of two that wait one goes, whoever looks first or both at once: one that may have
 * been sent before, else the one over the later channel, else the first by its id.
 */
const sameReceiver = sql`
  select true as goes_to_them_already from intent o
  where i.recipient_id is not null and o.person_id = i.person_id and o.enrolment_id = i.enrolment_id
    and o.message_id = i.message_id and ${isOverSame('o')}
    and o.entity_version is not distinct from i.entity_version
    and survivor_of(o.recipient_id) = r.person_id
    and case when ${isBeforeInCascade('o', 'i')} then ${isBeside}
      and ${isOfEarlierBeginning} is not true
      and (o.state in ('sending', 'held', 'delivered')
        or (o.state = 'sent' and o.settled_at >= i.planned_at)
        or (o.duplicate and o.state not in ('sent', 'bounced')))
    else o.recipient_id <> i.recipient_id
      and (o.duplicate or o.state in ('sending', 'sent', 'delivered', 'bounced', 'held')
        or (o.state in ('planned', 'queued') and not i.duplicate
          and (o.turn, i.intent_id) > (i.turn, o.intent_id))) end limit 1`

/** Of a run that ended because the other record of the person goes on with it (`mergePeople`). */
function isEndedByMerge(run: string): RawBuilder<unknown> {
  return sql`(${sql.ref(`${run}.state`)} = 'exited'
    and ${sql.ref(`${run}.reason`)} is not distinct from 'merged_duplicate')`
}

/**
 * What became of the same message of the other record, where the run of one of the two ended because
 * that of the other goes on:
 *
 * - `told`: it was sent; or it may have been, and this one surely was not. Then it is the one of which
 *   more may become known.
 * - `sending`: it is with a worker.
 * - `repeated`: nobody knows of either, and the other one, whose run goes on, is sent once more, marked.
 * - `unknown`: nobody knows of either, and sending this one once more could be once too often: its class
 *   does not allow it, or it has been done with the other.
 *
 * Only what comes back can have such a twin, and only that looks: what had been planned was withdrawn
 * by the merge, and what the run that goes on has planned no other run has with a worker.
 */
const twinOfMerge = sql`
  select case
    when bool_or(t.state in ('sent', 'delivered', 'bounced')
      or (t.state <> 'sending' and not i.duplicate)) then 'told'
    when bool_or(t.state = 'sending') then 'sending'
    when i.unknown_outcome = 'at-most-once' and count(*) > 0 then 'unknown'
    when bool_or(t.state in ('planned', 'queued') and t.goes_first) then 'repeated'
    when bool_or(t.state = 'held' and t.goes_first) then 'unknown' end as state
  from (
    select t.state, (${isEndedByMerge('other')}, t.intent_id) < (${isEndedByMerge('run')}, i.intent_id)
      as goes_first
    from enrolment other join intent t
      on t.person_id = other.person_id and t.enrolment_id = other.enrolment_id
    where i.fence > 0 and other.person_id = i.person_id and other.campaign_id = i.campaign_id
      and other.entry_key = run.entry_key and other.enrolment_id <> i.enrolment_id
      and (${isEndedByMerge('other')} or ${isEndedByMerge('run')})
      and t.message_id = i.message_id and ${isOverSame('t')}
      and case when i.recipient_id is null then t.recipient_id is null
        else survivor_of(t.recipient_id) = r.person_id end
      and t.entity_version is not distinct from i.entity_version
      and (t.duplicate or t.state in ('sending', 'sent', 'delivered', 'bounced', 'held'))
  ) as t`

/** Of one message, the one that was tried before the other in a cascade over channels. */
function isBeforeInCascade(before: string, after: string): RawBuilder<unknown> {
  const of = (row: string, column: string) => sql.ref(`${row}.${column}`)
  return sql`(${of(before, 'message_id')} = ${of(after, 'message_id')} and ${of(before, 'turn')} < ${of(after, 'turn')})`
}

/** It, or of a cascade any one before it, though others were tried since. */
const isDelivered = sql`exists (
  with recursive back as (
    select o.person_id, o.instead_of, o.message_id, o.turn, o.state
    union all
    select b.person_id, b.instead_of, b.message_id, b.turn, b.state
    from back a join intent b on b.person_id = a.person_id and b.intent_id = a.instead_of
    where a.turn > 0 and b.message_id = a.message_id
  )
  select from back where back.state = 'delivered')`

/**
 * The message in whose place this one came. One that was waited for in vain has arrived when that is
 * reported, when a worker had it then and it was sent since, or when it stood down for one that has. Of one
 * that may have been sent before, and is sent once more, it is known by then.
 */
const firstOf = sql`
  select max(case when o.intent_id = i.instead_of and o.message_id = i.message_id
      and not ${isBeforeInCascade('o', 'i')} then 'of an older version' else 'awaited' end) as first_is,
    case when bool_or(o.state = 'sending') then 'sending' when bool_or(o.state = 'held') then 'held'
      else max(o.state) filter (where o.intent_id = i.instead_of) end as first,
    bool_or((o.state = 'sent' and o.settled_at >= i.planned_at)
      or (o.state = 'cancelled' and o.reason = 'awaited_after_all') or ${isDelivered}) as has_arrived,
    bool_or(o.state in ('planned', 'queued')
      and (o.duplicate or o.reason is not distinct from 'resent_by_staff')) as is_resent
  from intent named cross join lateral (
    select named.*
    union all
    select s.* from intent s
    where named.part_of is not null and named.message_id <> i.message_id
      and s.person_id = named.person_id and s.enrolment_id = named.enrolment_id
      and s.part_of = named.part_of and s.intent_id <> named.intent_id
  ) as o
  where named.intent_id = i.instead_of and named.person_id = i.person_id
  having count(*) > 0`

/**
 * Of a cascade, another one came in place of that which came in place of this one, and it is not certain that
 * nobody has it either.
 */
const hasThird = sql`(n.message_id = i.message_id and exists (
  select from intent third where third.person_id = n.person_id and third.instead_of = n.intent_id
    and third.enrolment_id = n.enrolment_id and ${isBeforeInCascade('n', 'third')}
    and (third.duplicate or third.state not in ('skipped', 'failed', 'bounced'))))`

/**
 * What came in place of this one, which was waited for in vain, over any of its channels. Only what comes back
 * can have such a one. One of a cascade stands for what came in its own place, too: it may have bounced since.
 */
const secondOf = sql`
  select case when bool_or(n.state in ('sending', 'sent', 'delivered', 'held') or ${hasThird}) then 'gone'
    when bool_or(n.state in ('planned', 'queued')) then 'waiting' end as second
  from intent n
  where i.fence > 0 and n.person_id = i.person_id and n.enrolment_id = i.enrolment_id
    and ((n.instead_of = i.intent_id
        and (n.message_id <> i.message_id or ${isBeforeInCascade('i', 'n')}))
      or (n.message_id <> i.message_id and n.instead_of in (
        select s.intent_id from intent s where i.part_of is not null and s.person_id = i.person_id
          and s.enrolment_id = i.enrolment_id and s.part_of = i.part_of)))`

/** What became of messages beside which it would be one too many. */
export const otherMessages = sql`left join lateral (${sameReceiver}) as same on true
    left join lateral (${twinOfMerge}) as twin on true
    left join lateral (${firstOf}) as older on true
    left join lateral (${secondOf}) as instead on true`

/** The same for a message that stands in nobody's place and was never with a worker. */
export const noOther = sql`
    cross join lateral (select null::boolean as goes_to_them_already) as same
    cross join lateral (select null::text as state) as twin
    cross join lateral (select null::text as first_is, null::text as first, null::boolean as has_arrived,
      null::boolean as is_resent) as older
    cross join lateral (select null::text as second) as instead`
