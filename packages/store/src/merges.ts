import { ownSource } from '@wegwijs/campaign/event-check'
import { sql } from 'kysely'
import { lockBudgetOf } from './contact-budgets.ts'
import type { Querying } from './database.ts'

/** Tables whose rows just get the other id; the two people's rows cannot collide in them. */
const plainTables = [
  'person_identity',
  'person_stop',
  'inbox',
  'event',
  'timer',
  'intent',
  'task',
  // After the messages: who ends one by hand holds its row, and then says why.
  'decision',
  'attempt',
  'app_message',
] as const

/**
 * Gives everything of `from` to `into`; both rows are locked by the caller. Where both know the
 * same entity, consent or relation, the row of `into` stays and the core decides what it holds. What is left
 * of `from` is a row that says who it became, without any personal data (P7). The number of
 * statements does not depend on how much there is.
 *
 * Rows of other people that name `from` are not theirs to change: whoever reads them follows `merged_into`.
 */
export async function rekeyPerson(
  tx: Querying,
  namespace: string,
  { from, into }: { from: string; into: string },
): Promise<void> {
  // Also those that nobody has in hand: each stays in the arms of its splits.
  await sql`update enrolment set person_id = ${into},
    trigger = jsonb_build_object('dividedAs', ${from}::uuid::text) || trigger
    where person_id = ${from}`.execute(tx)
  for (const table of plainTables) await rekeyTable(tx, table, { from, into })
  // After the messages, too: who claims one holds its row, and then counts it. Of a message that they get about
  // somebody else no row is theirs.
  await lockBudgetOf(tx, namespace, from)
  await rekeyTable(tx, 'counted_message', { from, into })
  // What we ourselves said of `from` is known again under its new id (P2). A provider may have given
  // a receipt of each of the two the same id: that of `into` stays, and the other keeps its subject.
  const ours = sql`e.person_id = ${into} and e.subject = ${from}::uuid::text
    and (e.source = ${ownSource} or e.source like ${`${ownSource}:%`})`
  await sql`update event e set subject = ${into}::uuid::text where ${ours}`.execute(tx)
  await sql`update inbox e set subject = ${into}::uuid::text where ${ours} and not exists (
    select from inbox o where o.person_id = ${into} and o.source = e.source
      and o.event_id = e.event_id and o.subject = ${into}::uuid::text)`.execute(tx)
  // What could not be applied to either holds of both.
  await sql`update entity o set unapplied_version = greatest(o.unapplied_version, e.unapplied_version)
    from entity e where e.person_id = ${from} and e.unapplied_version is not null
      and o.person_id = ${into} and o.entity_type = e.entity_type and o.entity_id = e.entity_id`.execute(
    tx,
  )
  await sql`update entity e set person_id = ${into} where person_id = ${from} and not exists (
    select from entity o where o.person_id = ${into}
      and o.entity_type = e.entity_type and o.entity_id = e.entity_id)`.execute(tx)
  await sql`update consent c set person_id = ${into} where person_id = ${from} and not exists (
    select from consent o where o.person_id = ${into}
      and o.purpose = c.purpose and o.channel = c.channel)`.execute(tx)
  await sql`update relation r set person_id = ${into} where person_id = ${from} and not exists (
    select from relation o where o.person_id = ${into}
      and o.kind = r.kind and o.other_id = r.other_id)`.execute(tx)
  await sql`delete from relation where person_id = ${from}`.execute(tx)
  await sql`delete from entity where person_id = ${from}`.execute(tx)
  await sql`delete from consent where person_id = ${from}`.execute(tx)
  await sql`update person set merged_into = ${into}, fields = '{}', contacts = '{}', journeys = '{}',
    happened = '{}', persona = null, assigned_persona = null where person_id = ${from}`.execute(tx)
}

async function rekeyTable(
  tx: Querying,
  table: (typeof plainTables)[number] | 'counted_message',
  { from, into }: { from: string; into: string },
): Promise<void> {
  await sql`update ${sql.table(table)} set person_id = ${into} where person_id = ${from}`.execute(
    tx,
  )
}
