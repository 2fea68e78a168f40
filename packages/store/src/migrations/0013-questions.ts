import { type Kysely, sql } from 'kysely'

/**
 * A message may ask something: what, and the first answer that counted. Answers by SMS come from a
 * number, and whose it is must be found without looking at everybody (P8): by its last eight digits,
 * which are the same however a publisher writes it. While the index is built nobody's profile is written.
 * Services of the version before plan no questions.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  'alter table intent add column question jsonb, add column answer text',
  `create index person_by_phone on person
    ((right(regexp_replace(contacts #>> '{phone,address}', '\\D', '', 'g'), 8)))
    where contacts -> 'phone' is not null`,
]
