import { type Kysely, sql } from 'kysely'

/**
 * How many sweeps have ended (arms-of-before.ts): who migrates beside others sees by it that one which began after
 * they came has, whoever of them ended it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table arms_sweep add column ended integer not null default 0`.execute(db)
}
