import { type Kysely, sql } from 'kysely'

/**
 * When a run reached what its campaign is for. No row is rewritten; services of the version before
 * count no goals.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table enrolment add column goal_at timestamptz`.execute(db)
}
