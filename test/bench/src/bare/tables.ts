import type pg from 'pg'
import { personIds, promisedTables } from './promised-tables.ts'

/** A statement that is prepared once on each connection. */
export type Statement = { readonly name: string; readonly text: string }

/**
 * The statements by which the bare pipeline keeps what it does, each for a batch:
 *
 * - `takeIn`: events, as arrays of id, source, subject, type, time, data and person; and messages, as arrays of
 *   id, subject, address, data and person.
 * - `release`: the ids of messages; null where the queue alone knows of it.
 * - `claim`: the ids of messages; returns `intent_id`, `address` and `data`.
 * - `settle`: the ids of messages and what the provider calls them.
 */
export type BareTables = {
  readonly takeIn: Statement
  readonly release: Statement | null
  readonly claim: Statement
  readonly settle: Statement
  /** Person by subject; empty where nobody asks for it. */
  readonly people: ReadonlyMap<string, string>
}

/** Of a namespace of Wegwijs, when there is one; else the two tables of the pipeline itself. */
export async function openTables(
  pool: pg.Pool,
  { namespace, promisedIn }: { namespace: string; promisedIn?: string },
): Promise<BareTables> {
  if (promisedIn === undefined) return { ...ownTables(namespace), people: new Map() }
  return { ...promisedTables(promisedIn), people: await personIds(pool, promisedIn) }
}

function ownTables(namespace: string): Omit<BareTables, 'people'> {
  return {
    takeIn: {
      name: 'insert events and intents',
      text: `with events as (
          insert into ${namespace}.event (event_id, source, subject, type, time, data)
          select event_id, source, subject, type, time, data from unnest($1::text[], $2::text[], $3::text[],
            $4::text[], $5::timestamptz[], $6::jsonb[], $7::uuid[])
            as e (event_id, source, subject, type, time, data, person_id)
          on conflict do nothing)
        insert into ${namespace}.intent (intent_id, subject, address, template, data)
        select intent_id, subject, address, 'visit', data
        from unnest($8::uuid[], $9::text[], $10::text[], $11::jsonb[], $12::uuid[])
          as i (intent_id, subject, address, data, person_id)`,
    },
    release: null,
    claim: {
      name: 'select intents',
      text: `select intent_id, address, data from ${namespace}.intent where intent_id = any($1::uuid[])`,
    },
    settle: {
      name: 'update intents',
      text: `update ${namespace}.intent i set state = 'sent', reference = sent.reference, sent_at = clock_timestamp()
        from unnest($1::uuid[], $2::text[]) as sent (intent_id, reference) where i.intent_id = sent.intent_id`,
    },
  }
}
