import { type Kysely, sql } from 'kysely'

/**
 * Since when a message is due that its channel or provider puts off. Services of the version before leave it
 * empty: what waits for such a message waits as long as it did.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table intent add column due_since timestamptz`.execute(db)
}
