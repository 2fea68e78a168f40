import { type Kysely, sql } from 'kysely'

/**
 * All the ways in which whoever gets a message may stand to the person, where there is more than the one by which
 * they were found. No row is rewritten: what was planned before has the one. A service of the version before
 * plans without them, and refuses what only another way allows.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table intent add column recipient_ways text[]`.execute(db)
}
