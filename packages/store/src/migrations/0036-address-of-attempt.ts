import { type Kysely, sql } from 'kysely'

/**
 * Since when the address is known to which each attempt went: a message may go on to another address, of the same
 * channel or of the next, before the bounce of the first comes. Of attempts before it is not known.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table attempt add column address_since text`.execute(db)
}
