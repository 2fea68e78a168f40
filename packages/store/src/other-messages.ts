import { type RawBuilder, sql } from 'kysely'
import { type AgeRules, mayStillGetIt } from './recipients.ts'

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
 * Of two that may both go one does, whoever looks first or both at once: one that may have been sent before,
 * else the one over the later channel, else the first by its id.
 */
const goesFirst = sql`((o.duplicate, o.turn, i.intent_id) > (i.duplicate, i.turn, o.intent_id))`

/**
 * It can go while this one still can. Put off to its own end, or held back by operations, it may come to nothing,
 * and so would one that waits for it. In the queue it may go in this very claim, whatever held it back before.
 */
const canGoInTime = sql`(o.expires_at > look.now and o.due_at < least(o.expires_at, i.expires_at)
  and (o.state = 'queued' or right(o.reason, 8) is distinct from '_stopped'))`

/** It may have been sent before, and this one surely was not. */
const isInDoubt = sql`(o.duplicate and not i.duplicate)`

/**
 * What becomes of the same message that another record of the same recipient was to get, too:
 *
 * - `told`: they have it, or may have it, and nobody knows. Over a channel before in a cascade it was waited
 *   for in vain, unless more is known of it: of those in whose place this one came `firstOf` tells.
 * - `open`: it is with a worker, or goes before this one, as long as they may still get it, and in time. Until it
 *   has gone nobody gives way to it for good: it may come to an end of its own, and nobody would get either.
 *
 * - `held`: staff have not said yet what came of it. They may have it sent once more, and then it may be refused.
 *   One that may not be sent twice has been told whatever they say, and so has one that has not been said in time.
 *
 * One that was dropped for another, or could not be sent once more, counts no more, unless it may not be sent
 * twice. Then this one is a repeat of it (`repeats`).
 */
function sameReceiver(request: AgeRules): RawBuilder<unknown> {
  return sql`
  select case when bool_or(same.standing = 'told') then 'told' when bool_or(same.standing = 'open') then 'open'
      when bool_or(same.standing = 'held') then 'held' end as state,
    max(same.due_at) filter (where same.standing = 'open') as due_at,
    coalesce(bool_or(same.duplicate and same.standing is null and not same.has_gone), false) as repeats
  from (
    select o.due_at, o.duplicate, o.state in ('sent', 'bounced') as has_gone, case
      when o.state in ('sent', 'bounced') and ${isBeforeInCascade('o', 'i')}
        then case when o.state = 'sent' and o.settled_at >= i.planned_at then 'told' end
      when o.state in ('sent', 'delivered', 'bounced') then 'told'
      when o.state = 'held' then case when i.duplicate and not ${goesFirst} then null
        when o.unknown_outcome = 'at-most-once' or i.expires_at <= look.now then 'told' else 'held' end
      when o.state = 'sending' then 'open'
      when o.state in ('planned', 'queued') then case when ${goesFirst}
        and ((${isInDoubt} and o.unknown_outcome = 'at-most-once')
          or (${canGoInTime} and ${mayStillGetIt('o', request)})) then 'open' end
      when ${isInDoubt} and o.reason is distinct from 'merged_duplicate'
        and (o.unknown_outcome = 'at-most-once' or o.state = 'cancelled') then 'told' end as standing
    from intent o
    where i.recipient_id is not null and o.person_id = i.person_id and o.enrolment_id = i.enrolment_id
      and o.message_id = i.message_id and ${isOverSame('o')}
      and o.entity_version is not distinct from i.entity_version
      and survivor_of(o.recipient_id) = r.person_id
      and case when ${isBeforeInCascade('o', 'i')} then ${isBeside} and ${isOfEarlierBeginning} is not true
        else o.recipient_id <> i.recipient_id end
  ) as same`
}

/**
 * Waits, when all the messages of `locked` are locked, until nobody else claims the same ones to others. Whether
 * one still may go can be another thing to two who look at the same time, and both would go: the later one must
 * see what came of the earlier.
 */
export function lockSameMessages(namespace: string): RawBuilder<unknown> {
  return sql`
    select pg_advisory_xact_lock(message) from (
      select distinct hashtextextended(${`${namespace} message `} || enrolment_id || ' ' || message_id, 0)
        as message
      from locked where recipient_id is not null order by message offset 0
    ) as messages`
}

/** Of a run that ended because the other record of the person goes on with it (`mergePeople`). */
function isEndedByMerge(run: string): RawBuilder<unknown> {
  return sql`(${sql.ref(`${run}.state`)} = 'exited'
    and ${sql.ref(`${run}.reason`)} is not distinct from 'merged_duplicate')`
}

/**
 * What became of the same message of the other record, where the run of one of the two ended because
 * that of the other goes on:
 *
 * - `told`: it was sent; or it may have been, it is over, and this one surely was not. Then it is the one of
 *   which more may become known.
 * - `open`: it is with a worker; or it may have been sent, and is sent once more, marked: it is the only one of
 *   which that can be said, or its run goes on. It may come to an end of its own: then this one goes.
 * - `unknown`: nobody knows of either, and sending this one once more could be once too often: its class
 *   does not allow it, or it has been done with the other.
 *
 * One that may have been sent, at least once, and cannot be sent once more, leaves it to this one, which is a
 * repeat of it then (`repeats`).
 *
 * Only what comes back can have such a twin, and only that looks: what had been planned was withdrawn
 * by the merge, and what the run that goes on has planned no other run has with a worker.
 */
const twinOfMerge = sql`
  select case
    when bool_or(t.state in ('sent', 'delivered', 'bounced')
      or (not i.duplicate and (t.state in ('held', 'cancelled')
        or (t.is_over and i.unknown_outcome = 'at-most-once')))) then 'told'
    when bool_or(t.state = 'sending' or (t.is_pending and not i.duplicate)) then 'open'
    when i.unknown_outcome = 'at-most-once' and count(*) > 0 then 'unknown'
    when bool_or(t.is_pending and t.goes_first) then 'open'
    when bool_or(t.state = 'held' and t.goes_first) then 'unknown' end as state,
    coalesce(bool_or(t.duplicate), false) as repeats
  from (
    select t.state, t.duplicate, t.state in ('planned', 'queued') as is_pending,
      t.state in ('skipped', 'failed', 'expired') as is_over,
      (${isEndedByMerge('other')}, t.intent_id) < (${isEndedByMerge('run')}, i.intent_id)
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
 * One that was planned with it, for a newer version of what both hang on, goes after it: nobody has waited in vain yet.
 */
const secondOf = sql`
  select case when bool_or(n.state in ('sending', 'sent', 'delivered', 'held') or ${hasThird}) then 'gone'
    when bool_or(n.state in ('planned', 'queued') and n.planned_at > i.planned_at) then 'waiting' end as second
  from intent n
  where i.fence > 0 and n.person_id = i.person_id and n.enrolment_id = i.enrolment_id
    and ((n.instead_of = i.intent_id
        and (n.message_id <> i.message_id or ${isBeforeInCascade('i', 'n')}))
      or (n.message_id <> i.message_id and n.instead_of in (
        select s.intent_id from intent s where i.part_of is not null and s.person_id = i.person_id
          and s.enrolment_id = i.enrolment_id and s.part_of = i.part_of)))`

/** What became of messages beside which it would be one too many. */
export function otherMessages(request: AgeRules): RawBuilder<unknown> {
  return sql`left join lateral (${sameReceiver(request)}) as same on true
    left join lateral (${twinOfMerge}) as twin on true
    left join lateral (${firstOf}) as older on true
    left join lateral (${secondOf}) as instead on true`
}

/** The same for a message to the person that stands in nobody's place and was never with a worker. */
export const noOther = sql`
    cross join lateral (select null::text as state, null::timestamptz as due_at, false as repeats) as same
    cross join lateral (select null::text as state, false as repeats) as twin
    cross join lateral (select null::text as first_is, null::text as first, null::boolean as has_arrived,
      null::boolean as is_resent) as older
    cross join lateral (select null::text as second) as instead`
