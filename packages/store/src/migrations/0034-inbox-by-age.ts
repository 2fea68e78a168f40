import { type Kysely, sql } from 'kysely'

/**
 * Finds what is to be forgotten by itself. A BRIN index knows no more than the oldest and the newest of 128 pages, and pages
 * that were freed are filled with new rows: after the first 90 days each of them would have held something old.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop index inbox_by_age`.execute(db)
  await sql`create index inbox_by_age on inbox (recorded_at)`.execute(db)
}
