import { reasons } from '@wegwijs/campaign/reasons'
import { type RawBuilder, sql } from 'kysely'
import type { LedgerOptions, LedgerRule } from './ledger.ts'

/** `checked` gives a `count`; `broken` gives an `example` per row that breaks the rule. */
export type DatabaseRule = Pick<LedgerRule, 'name' | 'promise' | 'says'> & {
  checked: RawBuilder<unknown>
  broken: RawBuilder<unknown>
}

/** The rules that PostgreSQL alone can be held against. */
export function databaseRules(options: LedgerOptions): DatabaseRule[] {
  return [...eventRules, ...messageRules, ...sweepRules(options)]
}

const place = sql`topic || '/' || partition`

/** Months that have been shed took their events along: then only what is too many can be told. */
const nothingShed = sql`exists (
  select from kysely_migration first
  where first.name = '0001-ground'
    and to_regclass('event_' || to_char(first."timestamp"::timestamptz, 'YYYYMM')) is not null)`

const accepted = sql`select person_id, intent_id,
  count(*) filter (where outcome = 'accepted') as accepted,
  count(*) filter (where outcome = 'accepted' and not duplicate) as unmarked,
  count(*) filter (where outcome = 'unknown') as unknown,
  count(*) filter (where outcome = 'refused') as refused
  from attempt group by person_id, intent_id`

const eventRules: readonly DatabaseRule[] = [
  {
    name: 'events-accounted',
    promise: 'P1',
    says: 'every record that was read is an applied event, a duplicate or a dead letter',
    checked: sql`select coalesce(sum(records), 0) from consumer_position`,
    broken: sql`select ${place} as example from consumer_position
      where records <> applied + duplicates + dead_lettered`,
  },
  {
    name: 'events-kept',
    promise: 'P1',
    says: 'every applied event and every dead letter stands in its table',
    checked: sql`select coalesce(sum(applied + dead_lettered), 0) from consumer_position`,
    broken: sql`select ${place} as example
      from consumer_position
      left join (select topic, partition, count(*) as events from event group by 1, 2) as kept
        using (topic, partition)
      left join (select topic, partition, count(*) as letters from dead_letter group by 1, 2) as put
        using (topic, partition)
      where coalesce(events, 0) > applied or coalesce(letters, 0) > dead_lettered
        or (${nothingShed} and coalesce(events, 0) < applied)
        or coalesce(letters, 0) < dead_lettered`,
  },
  {
    name: 'events-once',
    promise: 'P2',
    says: 'no event was applied twice',
    checked: sql`select count(*) from event`,
    broken: sql`select min(person_id::text) || ' ' || count(*) as example from event
      group by source, event_id, subject having count(*) > 1`,
  },
  {
    name: 'events-remembered',
    promise: 'P2',
    says: 'every applied event is known to the inbox, and the other way round',
    checked: sql`select count(*) from inbox`,
    broken: sql`select coalesce(inbox.person_id, event.person_id) as example
      from inbox full join event using (person_id, source, event_id, subject)
      where (event.person_id is null and ${nothingShed})
        or (inbox.person_id is null
          and event.recorded_at > (select min(recorded_at) from inbox))`,
  },
]

const messageRules: readonly DatabaseRule[] = [
  {
    name: 'enrolments-go-on',
    promise: 'P1',
    says: 'every running enrolment has a timer to go on by',
    checked: sql`select count(*) from enrolment where state = 'running'`,
    broken: sql`select enrolment_id as example from enrolment where state = 'running'
      and not exists (select from timer where timer.person_id = enrolment.person_id
        and timer.enrolment_id = enrolment.enrolment_id)`,
  },
  {
    name: 'messages-explained',
    promise: 'P1',
    says: 'every message is in a state that its attempts explain',
    checked: sql`select count(*) from intent`,
    broken: sql`select i.intent_id as example
      from intent i left join (${accepted}) as a using (person_id, intent_id)
      where (${nothingShed} or i.touched_at > (select min(recorded_at) from attempt))
        and not coalesce(case
        when i.state = 'sent' then coalesce(a.accepted, 0) > 0
        -- A receipt may come before our own record of the attempt, while its claim stands.
        when i.state in ('delivered', 'bounced') then
          coalesce(a.accepted, 0) + coalesce(a.unknown, 0) > 0 or i.lease_until is not null
        when i.state = 'failed' then a.refused > 0 and a.accepted = 0
        when i.state = 'held' then a.unknown > 0 and a.accepted = 0
        else coalesce(a.accepted, 0) = 0 end, false)`,
  },
  {
    name: 'messages-once',
    promise: 'P2',
    says: 'no message was accepted twice without being marked as sent again',
    checked: sql`select count(*) from attempt where outcome = 'accepted'`,
    broken: sql`select intent_id as example from (${accepted}) as a where unmarked > 1`,
  },
  {
    name: 'messages-reasoned',
    promise: 'P4',
    says: 'every message that was not sent says why, in a word of the closed list',
    checked: sql`select count(*) from intent
      where state in ('skipped', 'cancelled', 'expired', 'failed', 'held')`,
    broken: sql`select intent_id as example from intent
      where state in ('skipped', 'cancelled', 'expired', 'failed', 'held')
        and (reason is null or reason <> all(${Object.keys(reasons)}::text[]))`,
  },
]

/** Nothing is due and left alone: whatever a wake-up missed, a sweep has found. */
function sweepRules({ sweepSeconds }: LedgerOptions): DatabaseRule[] {
  const sweep = sql`make_interval(secs => ${sweepSeconds})`
  // Under rehearsal business time stands: what is due has been since the clock was last stepped.
  const dueSince = (until: RawBuilder<unknown>) => sql`due_at <= ${until} and coalesce(
    (select stepped_at from rehearsal_clock), due_at) < clock_timestamp() - ${sweep}`
  return [
    {
      name: 'timers-fired',
      promise: 'P1',
      says: `no timer is due for more than ${sweepSeconds} s`,
      checked: sql`select count(*) from timer`,
      broken: sql`select timer_id as example from timer where ${dueSince(sql`timers_due_now()`)}`,
    },
    {
      name: 'messages-released',
      promise: 'P1',
      says: `no message is due for more than ${sweepSeconds} s while its queue is empty`,
      checked: sql`select count(*) from intent where state = 'planned'`,
      broken: sql`select intent_id as example from intent i
        where state = 'planned' and ${dueSince(sql`due_now()`)} and touched_at < clock_timestamp() - ${sweep}
          and not exists (select from intent q where q.state = 'queued' and q.lane = i.lane
            and q.channels[q.channel_index + 1] = i.channels[i.channel_index + 1])`,
    },
    {
      name: 'claims-ended',
      promise: 'P1',
      says: `no claim is over for more than ${sweepSeconds} s`,
      checked: sql`select count(*) from intent where state = 'sending'`,
      broken: sql`select intent_id as example from intent
        where state = 'sending' and lease_until < clock_timestamp() - ${sweep}`,
    },
    {
      name: 'outbox-published',
      promise: 'P1',
      says: `nothing waits in the outbox for more than ${sweepSeconds} s`,
      checked: sql`select count(*) from outbox`,
      broken: sql`select outbox_id as example from outbox
        where published_at is null and created_at < clock_timestamp() - ${sweep}`,
    },
  ]
}
