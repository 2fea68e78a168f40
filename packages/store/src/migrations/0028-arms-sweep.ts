import { type Kysely, sql } from 'kysely'

/**
 * How far `wegwijs migrate` has come with the arms of runs of services of the version before
 * (arms-of-before.ts); no row when it has never begun. `next_person` is empty while no sweep is under way, and
 * runs that ended before `complete_until` lack nothing.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table arms_sweep (
    only_row boolean primary key default true check (only_row),
    next_person uuid,
    began_at timestamptz not null default business_now(),
    filled bigint not null default 0,
    complete_until timestamptz
  )`.execute(db)
}
