import { type Kysely, sql } from 'kysely'

/**
 * By whom a no was told that is a stop: what an import says later lifts what an import said, and nothing that the
 * person did. No row is rewritten: of a stop from before it counts as the person's.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table person_stop add column origin text not null default 'person'
    check (origin in ('person', 'import'))`.execute(db)
}
