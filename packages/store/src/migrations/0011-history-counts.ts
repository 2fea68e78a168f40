import { type Kysely, sql } from 'kysely'

/**
 * How often what happened to a person, by day, and what of it conditions ask for. No row is rewritten.
 * Services of the version before count nothing: a condition on history is applied when every service is
 * new.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  `alter table person add column happened jsonb not null default '{}'`,
  `create table history_count (
    count_key text primary key,
    touchpoint text not null,
    condition jsonb,
    days integer not null,
    ready boolean not null
  )`,
]
