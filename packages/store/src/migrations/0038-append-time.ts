import { type Kysely, sql } from 'kysely'

/**
 * When Kafka had what was said, by the clock of a broker: of a dead letter, so that it can be replayed as of then, and of
 * an event that says a later time itself. No row is rewritten: of what came before, and of what a service of the
 * version before writes, nobody knows it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table dead_letter add column appended_at timestamptz`.execute(db)
  await sql`alter table event add column appended_at timestamptz`.execute(db)
}
