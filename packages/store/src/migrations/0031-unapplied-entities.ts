import { type Kysely, sql } from 'kysely'

/**
 * The newest version of an appointment or stay that an event told of and that could not be applied: what hangs on
 * the one that is known waits. No row is rewritten. A delivery service of the version before holds nothing back.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table entity add column unapplied_version integer`.execute(db)
}
