import { type Kysely, sql } from 'kysely'

/**
 * A rehearsal lets what is due in one instant come in turn: while `messages_held` no message is released or
 * sent, while `timers_held` no timer is fired. So everything that timers plan for an instant is there before
 * the first of it takes a place of a band or a contact budget, and who gets the last one hangs on no worker.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rehearsal_clock
    add column timers_held boolean not null default false,
    add column messages_held boolean not null default false`.execute(db)
  for (const [name, held] of [
    ['due_now', 'messages_held'],
    ['timers_due_now', 'timers_held'],
  ]) {
    await sql`${sql.raw(`create or replace function ${name}() returns timestamptz language sql stable as
      'select coalesce((select case when due_held or ${held} then ''-infinity''::timestamptz else instant end
        from rehearsal_clock), statement_timestamp())'`)}`.execute(db)
  }
}
