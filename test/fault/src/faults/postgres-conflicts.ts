import type { Querying } from '@wegwijs/store/database'
import { until } from '@wegwijs/system-tests/until'
import { sql } from 'kysely'
import type { Fault } from '../fault.ts'
import { deliverySlots } from './slots.ts'

/** What the way of a message writes, from the event to the receipt. */
const written = ['consumer_position', 'inbox', 'person', 'enrolment', 'intent', 'attempt', 'outbox']
/** Of the statements that write there; a transaction has some ten of them, and is tried four times. */
const SHARE = 0.08
const ENOUGH = 60

/**
 * PostgreSQL itself ends transactions, as it does to resolve a deadlock or a conflict between two:
 * a trigger raises the same states. A sequence counts them, which no rollback takes back.
 */
export const postgresConflicts: Fault = {
  name: 'postgres-conflicts',
  on: 'postgres',
  title: 'serialisation failures and deadlocks in one of twelve statements',
  short: true,
  needs: [],
  async strike(world, { short, say }) {
    const { db } = world.system.store
    await world.slowProviders(200)
    const inFlight = await world.untilInFlight('messages are sent', ({ sending }) => sending > 0)
    await plant(db)
    const enough = short ? ENOUGH : 10 * ENOUGH
    const conflicts = await until(
      'enough transactions were ended',
      () => countOf(db),
      (count) => count >= enough,
    )
    say(`${conflicts} conflicts`)
    const { events } = await world.system.status()
    await until(
      'the work goes on under them',
      () => world.system.status(),
      (now) => now.events > events,
    )
    await pull(db)
    const recoveryMs = await world.untilGoesOn()
    const figures = { 'transactions ended': conflicts }
    // One whose settling is ended four times is not settled, and its lease runs out.
    return { kills: conflicts, inFlight, unknownAtMost: deliverySlots, recoveryMs, figures }
  },
}

async function plant(db: Querying): Promise<void> {
  await sql`create sequence conflict`.execute(db)
  await sql`create function raise_conflict() returns trigger language plpgsql as $$
    begin
      if random() < ${sql.lit(SHARE)} then
        perform nextval('conflict');
        if random() < 0.5 then
          raise exception 'could not serialize access' using errcode = '40001';
        end if;
        raise exception 'deadlock detected' using errcode = '40P01';
      end if;
      return null;
    end $$`.execute(db)
  for (const table of written) {
    await sql`create trigger conflict before insert or update or delete on ${sql.table(table)}
      for each statement execute function raise_conflict()`.execute(db)
  }
}

/** Its triggers stay and do nothing: to drop them would wait for every table, and meet real deadlocks. */
async function pull(db: Querying): Promise<void> {
  await sql`create or replace function raise_conflict() returns trigger language plpgsql as $$
    begin
      return null;
    end $$`.execute(db)
}

async function countOf(db: Querying): Promise<number> {
  const { rows } = await sql<{ count: string }>`
    select case when is_called then last_value else 0 end as count from conflict`.execute(db)
  return Number(rows[0]?.count)
}
