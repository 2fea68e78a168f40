import { type Kysely, sql } from 'kysely'

/** To which version people of an older one are moved. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rollout add column to_version integer`.execute(db)
}
