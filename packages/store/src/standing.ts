import { channels, lanes } from '@wegwijs/wire/delivery-job'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { query } from './transaction.ts'

/**
 * Where a namespace stands, in one cheap statement: a conductor asks it hundreds of times a second.
 * Every part is the end of an index, so the answer costs the same whatever is planned (P8).
 */
export type Standing = {
  /** Business time, when a rehearsal holds it; else null. */
  rehearsalInstant: string | null
  /** Next offset that journey will read, by `topic/partition`. */
  positions: Readonly<Record<string, string>>
  /** The earliest moment for which a timer is set. */
  nextTimer: string | null
  /** The earliest moment for which a message is planned. */
  nextMessage: string | null
  queued: boolean
  /** What was published is still to be done for people who are there already. */
  rollingOut: boolean
  /** Or sent already by a receipt that came before our own record of the attempt. */
  sending: boolean
  /** Outbox rows that Kafka has not acknowledged yet. */
  unpublished: boolean
  /** Grows with everything that is published, thus with everything that becomes of a message. */
  published: string
}

/** @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable) */
export async function readStanding(db: Querying): Promise<Standing> {
  const { rows } = await query(() => standingQuery.execute(db))
  const [standing] = rows
  if (!standing) throw new Error('a statement without FROM gave no row')
  return standing
}

const standingQuery = sql<Standing>`
    select
      (select instant from rehearsal_clock) as "rehearsalInstant",
      coalesce((select json_object_agg(topic || '/' || partition, next_offset::text)
        from consumer_position), '{}') as positions,
      (select due_at from timer order by due_at limit 1) as "nextTimer",
      (select min(first.due_at)
        from unnest(${[...lanes]}::text[]) as lanes (lane)
        cross join unnest(${[...channels]}::text[]) as ways (channel)
        cross join lateral (select due_at from intent where state = 'planned'
          and lane = lanes.lane and channels[channel_index + 1] = ways.channel
          order by due_at limit 1) as first) as "nextMessage",
      -- In the order of its index: else the planner reads the whole table to find that there is none.
      (select true from intent where state = 'queued'
        order by lane, channels[channel_index + 1], job_id limit 1) is not null as queued,
      -- When the worker of an overtaken claim is gone, nobody comes back for it after its lease.
      (select true from intent where lease_until is not null
        and (state = 'sending' or lease_until > clock_timestamp())
        order by lease_until limit 1) is not null as sending,
      (select true from outbox where published_at is null limit 1) is not null as unpublished,
      (select true from rollout limit 1) is not null as "rollingOut",
      (select (last_value + is_called::int)::text from outbox_outbox_id_seq) as published
  `

/** Whether people are known here, and whether this one event has been taken in already. */
export async function readRehearsalGround(
  db: Querying,
  first: { source: string; id: string; subject: string } | undefined,
): Promise<{ hasPeople: boolean; knowsFirstEvent: boolean }> {
  const people = await db.selectFrom('person').select('person_id').limit(1).executeTakeFirst()
  if (first === undefined) return { hasPeople: people !== undefined, knowsFirstEvent: false }
  const known = await db
    .selectFrom('person_identity')
    .innerJoin('inbox', 'inbox.person_id', 'person_identity.person_id')
    .select('inbox.event_id')
    .where('person_identity.external_id', '=', first.subject)
    .where('inbox.source', '=', first.source)
    .where('inbox.event_id', '=', first.id)
    .limit(1)
    .executeTakeFirst()
  return { hasPeople: people !== undefined, knowsFirstEvent: known !== undefined }
}
