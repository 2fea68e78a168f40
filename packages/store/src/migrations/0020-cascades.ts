import { type Kysely, sql } from 'kysely'

/**
 * The how-manieth of a cascade over channels a message is. Services of the version before plan none but the
 * first.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table intent add column turn smallint not null default 0`.execute(db)
}
