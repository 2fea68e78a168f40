import { type Kysely, sql } from 'kysely'

/**
 * A message can be planned in place of one of an older version of its entity of which nobody knows yet
 * whether it goes out: it names that one. No row is rewritten; services of the version before plan none.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table intent add column instead_of uuid`.execute(db)
}
