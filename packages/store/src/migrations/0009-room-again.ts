import { type Kysely, sql } from 'kysely'

/**
 * Finds what is put off until there is room, or until the quiet hours end, when a definition allows more;
 * and what of a person is with a worker, without their whole history. Both are small: what they hold is
 * on its way. Services of the version before are not disturbed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  `create index intent_put_off on intent (touched_at)
    where state = 'planned' and reason in ('budget_used', 'quiet_hours')`,
  `create index intent_under_way on intent (person_id) where state = 'sending'`,
]
