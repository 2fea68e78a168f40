import { type RawBuilder, sql } from 'kysely'

/**
 * Lets the runs go on that wait at the step of a message which has ended without being sent: it is over for
 * every channel, and nothing more will be heard of it. Only their timers are due earlier; what follows is
 * decided by the core (P6). Who was asked something has their time for the answer all the same.
 *
 * @param ended rows of `person_id`, `enrolment_id`, `step`, `question` of such messages, and `now`. Their rows are
 *   locked by then, as they are by whoever decides about their runs; the timers in order, or two could deadlock.
 */
export function letGoOn(ended: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    update timer t set due_at = waiting.now
    from (
      select own.person_id, own.timer_id, date_trunc('milliseconds', ended.now) as now
      from (${ended}) as ended join timer own on own.person_id = ended.person_id
        and own.enrolment_id = ended.enrolment_id and own.step = ended.step
      where ended.question is null and own.due_at > ended.now
      order by own.person_id, own.timer_id for update of own
    ) as waiting
    where t.person_id = waiting.person_id and t.timer_id = waiting.timer_id`
}
