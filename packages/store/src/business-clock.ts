import { sql } from 'kysely'
import type { Querying } from './database.ts'

/** Business time: PostgreSQL's clock, or the instant at which a rehearsal has stopped it. */
export async function businessNow(db: Querying): Promise<string> {
  const { rows } = await sql<{ now: string }>`select business_now() as now`.execute(db)
  const [row] = rows
  if (!row) throw new Error('business_now() gave no row')
  return row.now
}

/** Business time, and whether it stands still there until a conductor steps it. */
export async function readBusinessTime(
  db: Querying,
): Promise<{ instant: string; stands: boolean }> {
  const { rows } = await sql<{ instant: string; stands: boolean }>`
    select business_now() as instant, exists (select from rehearsal_clock) as stands`.execute(db)
  const [row] = rows
  if (!row) throw new Error('business_now() gave no row')
  return row
}

/** True when business time is stepped by a conductor instead of running by itself. */
export async function isRehearsal(db: Querying): Promise<boolean> {
  const row = await db.selectFrom('rehearsal_clock').select('instant').executeTakeFirst()
  return row !== undefined
}

/** What of an instant does not come yet. */
export type Held = {
  dueHeld?: boolean
  timersHeld?: boolean
  messagesHeld?: boolean
  eventsHeld?: boolean
}

/**
 * Stops business time at `instant` (ISO 8601), or moves it there. It never moves back. With
 * `dueHeld` nothing becomes due until the next step, with `timersHeld` no timer, with `messagesHeld` no message:
 * see `due_now()` and `timers_due_now()` in migrations/0029-due-in-turn.ts. With `eventsHeld` no event is
 * decided until then (services/journey/src/batch.ts).
 */
export async function stepBusinessTime(
  db: Querying,
  instant: string,
  { dueHeld = false, timersHeld = false, messagesHeld = false, eventsHeld = false }: Held = {},
): Promise<void> {
  await sql`
    insert into rehearsal_clock (instant, due_held, timers_held, messages_held, events_held)
    values (${instant}, ${dueHeld}, ${timersHeld}, ${messagesHeld}, ${eventsHeld})
    on conflict (only_row) do update
    set instant = greatest(rehearsal_clock.instant, excluded.instant), due_held = excluded.due_held,
      timers_held = excluded.timers_held, messages_held = excluded.messages_held,
      events_held = excluded.events_held,
      stepped_at = clock_timestamp()
  `.execute(db)
}

/**
 * Stops business time at `instant` for the first time. What was published before lives from then on:
 * a rehearsal of last year is one of the definition of today.
 */
export async function beginRehearsal(db: Querying, instant: string): Promise<void> {
  await stepBusinessTime(db, instant)
  await sql`update campaign_version set published_at = least(published_at, ${instant})`.execute(db)
}
