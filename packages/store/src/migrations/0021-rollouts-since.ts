import { type Kysely, sql } from 'kysely'

/**
 * Since when a publication waits for what comes by time, business time: a midnight that passes before
 * somebody has had their turn counts for them all the same.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rollout add column since timestamptz not null default business_now()`.execute(
    db,
  )
}
