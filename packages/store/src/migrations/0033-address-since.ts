import { type Kysely, sql } from 'kysely'

/**
 * Since when the address is known to which a message was handed over last, so that its bounce says nothing of
 * one that was told meanwhile. No row is rewritten: of what was claimed before it is not known.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table intent add column address_since text`.execute(db)
}
