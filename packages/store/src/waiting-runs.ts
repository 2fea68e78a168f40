import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { send } from './transaction.ts'

export type EndedMessage = { readonly person_id: string; readonly intent_id: string }

/**
 * Lets the runs go on that wait at the step of messages which have ended without being sent: they are over for
 * every channel, and nothing more will be heard of them. Only their timers are due earlier; what follows is
 * decided by the core (P6). A run that waits for the same message to somebody else, too, waits for that one, and
 * who was asked something has their time for the answer all the same.
 *
 * Two statements: of two messages of one run that end in the same instant, in two transactions, the one that
 * gets the timer last sees that the other has ended. With one, each might take the other for open, and
 * nobody would let the run go on (P1).
 *
 * @param ended messages that the transaction has written, so that their rows are locked, as they are by whoever
 *   decides about their runs; the timers are in order, or two could deadlock
 */
export function letGoOn(tx: Querying, ended: readonly EndedMessage[]): void {
  if (ended.length === 0) return
  // Said as a list, too, or a plan made for small tables reads all timers to join them (P8).
  const people = sql`any(${ended.map(({ person_id }) => person_id)}::uuid[])`
  const waiting = sql`from timer own join intent e on e.person_id = own.person_id
      and e.enrolment_id = own.enrolment_id and e.step = own.step
    where own.person_id = ${people}
      and e.intent_id = any(${ended.map(({ intent_id }) => intent_id)}::uuid[])
      and e.question is null and own.due_at > business_now()`
  void send(
    tx,
    sql`select own.timer_id ${waiting} order by own.person_id, own.timer_id for update of own`,
  )
  void send(
    tx,
    sql`update timer t set due_at = date_trunc('milliseconds', business_now())
    from (select own.person_id, own.timer_id ${waiting} and not ${isOpenToAnother}) as over
    where t.person_id = over.person_id and t.timer_id = over.timer_id and t.person_id = ${people}`,
  )
}

/**
 * What was planned last to somebody else, as `isNewer` of the core says, is not over, and has time left: as long
 * from when it is due as the one that has ended.
 */
const isOpenToAnother = sql`exists (
  select from (
    select distinct on (o.recipient_id) o.state, coalesce(o.due_since, o.due_at) as due_at from intent o
    where o.person_id = e.person_id and o.enrolment_id = e.enrolment_id and o.step = e.step
      and o.recipient_id is distinct from e.recipient_id
    order by o.recipient_id, o.planned_at desc, o.entity_version desc nulls last,
      o.reason is not distinct from 'entity_superseded', o.turn desc
  ) as last
  where last.state in ('planned', 'queued', 'sending', 'sent', 'held')
    and last.due_at + (own.due_at - coalesce(e.due_since, e.due_at)) > business_now())`
