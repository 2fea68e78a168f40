import { countedClasses, windowMs } from '@wegwijs/campaign/contact-budget'
import { type Budget, longestWindowDays } from '@wegwijs/campaign/definition/policies'
import { type RawBuilder, sql } from 'kysely'
import type { Querying } from './database.ts'
import { send } from './transaction.ts'

/**
 * How much a person may get, counted where it is sent: the statement that claims a message writes down
 * that it counts (P3). Whoever claims something of somebody that counts holds a lock of that person's
 * until it is committed, so two claims never both take the last place. The locks are taken after those
 * of the messages, in one order, and whoever has them waits for nothing any more, but for that of a record that one
 * of these people has become meanwhile.
 *
 * A definition without budgets costs nothing: none of this is asked.
 */

/** Of which of the claimed messages the class counts. */
export function counts(budgets: readonly Budget[], intent: string): RawBuilder<unknown> {
  return sql`${sql.ref(`${intent}.class`)} = any(${[...countedClasses(budgets)]}::text[])`
}

/** Who gets a message: its recipient as they are now, or the person whom it is about. */
export function receiverOf(intent: string): RawBuilder<unknown> {
  const [recipient, person] = [sql.ref(`${intent}.recipient_id`), sql.ref(`${intent}.person_id`)]
  return sql`case when ${recipient} is null then ${person} else survivor_of(${recipient}) end`
}

/** Every record that is this person by merges: a message keeps the one for which it was planned. */
export function recordsOf(person: string): RawBuilder<unknown> {
  return sql`array(
    with recursive record (person_id) as (
      select ${sql.ref(person)}
      union select p.person_id from record join person p on p.merged_into = record.person_id
    )
    select person_id from record)`
}

/** Waits until nobody else claims anything that counts of the people who get these messages. */
export function lockBudgets(
  tx: Querying,
  namespace: string,
  intentIds: readonly string[],
  budgets: readonly Budget[],
): void {
  void send(
    tx,
    sql`select pg_advisory_xact_lock(person) from (
      select distinct ${budgetOf(namespace, receiverOf('i'))} as person
      from intent i where i.intent_id = any(${[...intentIds]}::uuid[]) and ${counts(budgets, 'i')}
      order by person offset 0
    ) as people`,
  )
}

/**
 * Waits until nobody claims anything any more that counts of this person, who becomes another one: what was claimed
 * until then is written down and can be taken along. Whoever claims afterwards counts for who they are by then.
 */
export async function lockBudgetOf(
  tx: Querying,
  namespace: string,
  personId: string,
): Promise<void> {
  const person = budgetOf(namespace, sql`${personId}::uuid`)
  await sql`select pg_advisory_xact_lock(${person})`.execute(tx)
}

function budgetOf(namespace: string, person: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`hashtextextended(${`${namespace} budget `} || ${person}, 0)`
}

/**
 * When there is room for the message `i` to the person `w`, as `until`; null when that is now. One row.
 * Twin of `placeFreeAt` in the core.
 */
export function placeFreeAt(budgets: readonly Budget[]): RawBuilder<unknown> {
  const rules = budgets.map(({ most, per, classes, personas = null }) => ({
    most,
    window_s: windowMs({ per }) / 1000,
    classes,
    personas,
  }))
  return sql`
    select max(oldest.at + make_interval(secs => b.window_s)) as until
    from json_to_recordset(${JSON.stringify(rules)}::json)
      as b (most integer, window_s float8, classes text[], personas text[])
    cross join lateral (
      select max(c.at) as at from counted_message c
      where c.person_id = w.receiver_id and c.class = any(b.classes)
        and coalesce(c.counts_as, c.intent_id) <> coalesce(i.part_of, i.intent_id)
        and c.at > look.now - make_interval(secs => b.window_s)
      group by coalesce(c.counts_as, c.intent_id) order by 1 desc offset b.most - 1 limit 1
    ) as oldest
    where i.class = any(b.classes) and (b.personas is null or w.persona = any(b.personas))`
}

/**
 * Writes down what `moved` has claimed. Rounded up to a whole millisecond, like every moment: a window is
 * never too short.
 */
export const countClaimed = sql`
  insert into counted_message (person_id, intent_id, counts_as, fence, class, at)
  select d.receiver_id, d.intent_id, d.part_of, d.next_fence, d.class,
    date_trunc('milliseconds', d.now + interval '999 microseconds')
  from moved d
  where d.effect = 'claim' and d.counts`

/**
 * What is counted of somebody may be with a worker still, and given back. Of the message `d` that waits
 * for its place.
 */
export function isAnyUnderWay(budgets: readonly Budget[]): RawBuilder<unknown> {
  return sql`(exists (
    select from intent o where o.person_id = d.receiver_id and o.recipient_id is null and o.state = 'sending'
      and ${counts(budgets, 'o')})
  or exists (select from intent o where o.recipient_id = any(${recordsOf('d.receiver_id')})
    and o.state = 'sending' and ${counts(budgets, 'o')}))`
}

/**
 * Another message to the receiver of this one that counts is due and was due before it; of one instant, the
 * one with the lower id. One that is with a worker may be given back, and is waited for.
 */
export function isAnyBefore(budgets: readonly Budget[]): RawBuilder<unknown> {
  return sql`exists (
    select from intent o
    where ((o.person_id = checked.receiver_id and o.recipient_id is null)
        or o.recipient_id = any(${recordsOf('checked.receiver_id')}))
      and o.state in ('planned', 'queued', 'sending')
      and ${counts(budgets, 'o')} and o.due_at <= checked.due_now
      and (o.due_at, o.intent_id) < (checked.due_at, checked.intent_id))`
}

/**
 * Forgets what no budget may count any more, whatever is applied next, `limit` at a time; returns how much that
 * was. A budget that looks back further, or is put back, finds what was sent before it (P3). Never waits for a
 * record that becomes somebody else's.
 */
export async function forgetOldCounted(tx: Querying, limit: number): Promise<number> {
  const result = await sql`delete from counted_message where ctid in (
    select ctid from counted_message
    where at <= business_now() - make_interval(days => ${longestWindowDays})
    limit ${limit} for update skip locked)`.execute(tx)
  return Number(result.numAffectedRows ?? 0)
}
