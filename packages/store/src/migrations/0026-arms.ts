import { type Kysely, sql } from 'kysely'

/** A run keeps the arms that it took: what was decided is dropped with its month. 0027 fills it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table enrolment add column arms jsonb`.execute(db)
}
