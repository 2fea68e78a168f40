import { type Kysely, sql } from 'kysely'

/** By what a topic is known again: the last record of it that was applied. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table consumer_position
    add column if not exists last_offset bigint,
    add column if not exists last_timestamp_ms bigint,
    add column if not exists last_hash text`.execute(db)
}
