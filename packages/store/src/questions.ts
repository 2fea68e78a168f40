import type { Question } from '@wegwijs/campaign/state'
import { type RawBuilder, sql } from 'kysely'
import type { Querying } from './database.ts'
import { query } from './transaction.ts'

/** A message that asked something, as whoever answers it must know of it. */
export type AskedQuestion = {
  intentId: string
  personId: string
  /** Who got it, where that is somebody else than whom it is about; as the record that they are now. */
  recipientId: string | null
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
  select i.intent_id as "intentId", i.person_id as "personId",
    survivor_of(i.recipient_id) as "recipientId", i.question, i.answer, p.locale,
    i.planned_for as "plannedFor", i.due_at as "dueAt",
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

/** A message that somebody may answer by SMS, with what it asked. */
export type AnsweredMessage = Omit<AskedQuestion, 'question'> & {
  plannedFor: string
  /** When it was to be sent; nobody answers it before. */
  dueAt: string
  question: Question | null
}

/** Somebody who has a number as their contact, with what went to it by SMS, the newest first. */
export type NumberHolder = {
  personId: string
  /** The number as its publisher wrote it. */
  number: string
  messages: AnsweredMessage[]
}

/** What replies may be about: messages that were named, and who has the numbers, by their endings. */
export type Answerable = {
  named: Map<string, AnsweredMessage>
  holders: Map<string, NumberHolder[]>
}

/** Of one person no more is looked at: what somebody answers is the newest, or the one that asked. */
const mostOfAPerson = 20

/**
 * The messages with these ids, over whatever number they went, and everybody whose number ends in one of
 * these eight digits, with what they got by SMS or may have got; numbers that end alike are among them.
 * Messages to a record that was merged since are those of the person whom it became. One query, whatever
 * the number.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE
 */
export async function findAnswerable(
  db: Querying,
  { endings, intentIds }: { endings: readonly string[]; intentIds: readonly string[] },
): Promise<Answerable> {
  if (endings.length === 0) return { named: new Map(), holders: new Map() }
  const { rows } = await query(() =>
    sql<AnswerableRow>`
      select asked.ending, held.* from unnest(${[...new Set(endings)]}::text[]) as asked (ending)
      cross join lateral (
        select records.survivor as "holderId", of.contacts #>> '{phone,address}' as number, found.*
        from person of cross join lateral (${recordsOf(sql`of.person_id`)}) as records
        left join lateral (
          ${asked} where (i.recipient_id = any(records.ids)
              or (i.recipient_id is null and i.person_id = any(records.ids)))
            and i.channels[i.channel_index + 1] = 'sms'
            and i.state in ('sending', 'held', 'sent', 'delivered')
          order by i.planned_for desc, i.intent_id limit ${mostOfAPerson}
        ) as found on true
        where of.contacts -> 'phone' is not null and ${endingOf(sql`of.contacts`)} = asked.ending
      ) as held
      union all select null, null, null, named.*
      from (${asked} where i.intent_id = any(${[...new Set(intentIds)]}::uuid[])) as named`.execute(
      db,
    ),
  )
  return answerableOf(rows)
}

type AnswerableRow = { ending: string | null; holderId: string; number: string } & (
  | AnsweredMessage
  | { intentId: null }
)

function answerableOf(rows: readonly AnswerableRow[]): Answerable {
  const named = new Map<string, AnsweredMessage>()
  const holders = new Map<string, NumberHolder>()
  const endings = new Map<string, NumberHolder[]>()
  for (const { ending, holderId, number, ...message } of rows) {
    if (ending === null) {
      if (message.intentId !== null) named.set(message.intentId, message)
      continue
    }
    const key = JSON.stringify([holderId, number])
    const holder = holders.get(key) ?? { personId: holderId, number, messages: [] }
    if (!holders.has(key)) endings.set(ending, [...(endings.get(ending) ?? []), holder])
    holders.set(key, holder)
    if (message.intentId !== null) holder.messages.push(message)
  }
  return { named, holders: endings }
}

/** Who this record is now, and every record that is them by merges. */
function recordsOf(personId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    with recursive record (person_id, survivor) as (
      select survivor_of(${personId}), survivor_of(${personId})
      union
      select p.person_id, record.survivor from record join person p on p.merged_into = record.person_id
    )
    select survivor, array_agg(person_id) as ids from record where survivor is not null group by survivor`
}

/** As the index on people has it. */
function endingOf(contacts: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`right(regexp_replace(${contacts} #>> '{phone,address}', '\\D', '', 'g'), 8)`
}

/** The last eight digits of a number, by which {@link findAnswerable} finds it. */
export function numberEnding(number: string): string {
  return number.replace(/\D/g, '').slice(-8)
}
