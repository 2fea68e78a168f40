import type { Question } from '@wegwijs/campaign/state'
import { type RawBuilder, sql } from 'kysely'
import type { Querying } from './database.ts'
import { query } from './transaction.ts'

/** A message that asked something, as whoever answers it must know of it. */
export type AskedQuestion = {
  intentId: string
  personId: string
  question: Question
  /** The answer that counted, if one has. */
  answer: string | null
  /**
   * `open`: the campaign waits for an answer. `older`: the appointment or stay is another one by now.
   * `over`: the campaign waits for none any more.
   */
  standing: 'open' | 'older' | 'over'
  /** The person's own language. */
  locale: string | null
}

const asked = sql`
  select i.intent_id as "intentId", i.person_id as "personId", i.question, i.answer, p.locale,
    i.planned_for as "plannedFor",
    case when run.state is distinct from 'running' or run.step is distinct from i.step then 'over'
      when run.entity_version is distinct from i.entity_version then 'older'
      else 'open' end as standing
  from intent i join person p on p.person_id = i.person_id
    left join enrolment run on run.person_id = i.person_id and run.enrolment_id = i.enrolment_id`

/**
 * The question of this message; null when it asked nothing, or is not there.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE
 */
export async function findQuestion(db: Querying, intentId: string): Promise<AskedQuestion | null> {
  const { rows } = await query(() =>
    sql<AskedQuestion>`${asked} where i.intent_id = ${intentId} and i.question is not null`.execute(
      db,
    ),
  )
  return rows[0] ?? null
}

/** An SMS that went to this number, with what it asked, the newest first. */
export type SmsToNumber = Omit<AskedQuestion, 'question'> & {
  /** The number as its publisher wrote it. */
  number: string
  plannedFor: string
  question: Question | null
}

/** Of one number no more is looked at: what somebody answers is the newest, or the one that asked. */
const mostOfANumber = 20

/**
 * What was sent by SMS to numbers that end in these eight digits, the newest first; numbers that end
 * alike are among them. One query, whatever the number.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE
 */
export async function findSmsTo(
  db: Querying,
  endings: readonly string[],
): Promise<Map<string, SmsToNumber[]>> {
  if (endings.length === 0) return new Map()
  const { rows } = await query(() =>
    sql<SmsToNumber & { ending: string }>`
      select asked.ending, sent.* from unnest(${[...new Set(endings)]}::text[]) as asked (ending)
      cross join lateral (
        select found.*, of.contacts #>> '{phone,address}' as number
        from person of cross join lateral (
          ${asked} where (i.recipient_id = of.person_id
              or (i.recipient_id is null and i.person_id = of.person_id))
            and i.channels[i.channel_index + 1] = 'sms' and i.state in ('sending', 'sent', 'delivered')
          order by i.planned_for desc, i.intent_id limit ${mostOfANumber}
        ) as found
        where of.contacts -> 'phone' is not null and ${endingOf(sql`of.contacts`)} = asked.ending
      ) as sent`.execute(db),
  )
  // People may share a number.
  rows.sort((a, b) => (a.plannedFor > b.plannedFor ? -1 : a.plannedFor < b.plannedFor ? 1 : 0))
  return Map.groupBy(rows, ({ ending }) => ending)
}

/** As the index on people has it. */
function endingOf(contacts: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`right(regexp_replace(${contacts} #>> '{phone,address}', '\\D', '', 'g'), 8)`
}

/** The last eight digits of a number, by which {@link findSmsTo} finds it. */
export function numberEnding(number: string): string {
  return number.replace(/\D/g, '').slice(-8)
}
