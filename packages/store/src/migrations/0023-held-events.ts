import { type Kysely, sql } from 'kysely'

/**
 * While `events_held`, a rehearsal lets no event be decided: all that is due in an instant is out before
 * anything is heard of it. Journeys of the version before hold none.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rehearsal_clock add column events_held boolean not null default false`.execute(
    db,
  )
}
