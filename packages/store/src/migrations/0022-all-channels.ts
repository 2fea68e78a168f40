import { type Kysely, sql } from 'kysely'

/**
 * What goes together over all channels, and counts as one. Services of the version before plan no such
 * message.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  'alter table intent add column part_of uuid',
  'alter table counted_message add column counts_as uuid',
]
