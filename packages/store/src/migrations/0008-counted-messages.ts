import { type Kysely, sql } from 'kysely'

/**
 * What a person was sent, as far as it counts for a contact budget: a row for each time a message was
 * claimed, until that is known not to have been handed over. Services of the version before do not count
 * what they send.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  `create table counted_message (
    person_id uuid not null,
    intent_id uuid not null,
    fence integer not null,
    class text not null,
    at timestamptz not null,
    primary key (person_id, intent_id, fence)
  )`,
  // To forget what has left the longest window.
  'create index counted_message_by_age on counted_message using brin (at)',
]
