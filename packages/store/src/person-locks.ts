import { sql } from 'kysely'
import type { Querying } from './database.ts'
import type { EnrolmentKey } from './load-states.ts'

/**
 * Locks these people in the order of their ids until the transaction ends: from here on nobody else
 * changes their journeys (P6). Returns, for each, who they were merged into.
 */
export async function lockPeople(
  tx: Querying,
  personIds: readonly string[],
): Promise<Map<string, string | null>> {
  const rows = await tx
    .selectFrom('person')
    .select(['person_id', 'merged_into'])
    .where('person_id', '=', sql<string>`any(${[...personIds]}::uuid[])`)
    .orderBy('person_id')
    .forNoKeyUpdate()
    .execute()
  return new Map(rows.map((row) => [row.person_id, row.merged_into]))
}

/**
 * Locks up to `limit` people whose timers are due and whom nobody else holds, in the order in which
 * they are due, and returns their ids.
 */
export async function lockPeopleWithDueTimers(tx: Querying, limit: number): Promise<string[]> {
  const { rows } = await sql<{ person_id: string }>`
    select person_id from person
    where person_id = any(array(
      select person_id from (
        select person_id, due_at from timer where due_at <= timers_due_now() order by due_at limit ${limit}
      ) as due
    ))
    order by person_id
    for no key update skip locked`.execute(tx)
  return rows.map((row) => row.person_id)
}

type DueTimers = {
  /** Enrolments that go on. */
  resumed: EnrolmentKey[]
  /** Campaigns whose date has come for somebody. */
  begun: { person_id: string; campaign_id: string }[]
}

/** What the timers of locked people are for that have come; of dates those that were put off, too. */
export async function readDueTimers(
  tx: Querying,
  personIds: readonly string[],
): Promise<DueTimers> {
  const { rows } = await sql<{
    person_id: string
    enrolment_id: string | null
    campaign_id: string | null
  }>`
    select distinct person_id, enrolment_id, campaign_id from timer
    where person_id = any(${[...personIds]}::uuid[])
      and case when campaign_id is null then due_at else began_at end <= timers_due_now()`.execute(
    tx,
  )
  return {
    resumed: rows.flatMap(({ person_id, enrolment_id }) =>
      enrolment_id === null ? [] : [{ person_id, enrolment_id }],
    ),
    begun: rows.flatMap(({ person_id, campaign_id }) =>
      campaign_id === null ? [] : [{ person_id, campaign_id }],
    ),
  }
}

/** Deletes the timers of enrolments that are not there: nothing could ever go on with them. */
export async function forgetTimers(tx: Querying, of: readonly EnrolmentKey[]): Promise<void> {
  if (of.length === 0) return
  await sql`delete from timer t using unnest(${of.map((key) => key.person_id)}::uuid[],
      ${of.map((key) => key.enrolment_id)}::uuid[]) as gone (person_id, enrolment_id)
    where t.person_id = gone.person_id and t.enrolment_id = gone.enrolment_id`.execute(tx)
}

/** Puts off the due timers of a locked person by an hour of business time. That of a date keeps its moment (`began_at`). */
export async function postponeTimers(tx: Querying, personId: string): Promise<void> {
  await sql`update timer set due_at = business_now() + interval '1 hour'
    where person_id = ${personId} and due_at <= business_now()`.execute(tx)
}
