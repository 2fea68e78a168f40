import { type Kysely, sql } from 'kysely'

/**
 * Of an entity it is kept which version said a field that the newest one does not have, and which types of
 * touchpoint spoke of it: an older version that comes in late then adds what no newer one says. No row is
 * rewritten. Of what was known before nothing is noted, and counts as said by the version that is known.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table entity add column said_in jsonb not null
    default '{"fields": {}, "touchpoints": {}}'`.execute(db)
}
