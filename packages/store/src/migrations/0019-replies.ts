import { type Kysely, sql } from 'kysely'

/**
 * What each reply by SMS meant when it first came, as the events that it became, without its words (P7).
 * Providers tell of the same reply twice, also when another question is open by then. A gateway of the
 * version before keeps none of them.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  `create table reply (
    provider text not null,
    reply_id text not null,
    meant jsonb not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (provider, reply_id)
  )`,
  'create index reply_by_age on reply (recorded_at)',
]
