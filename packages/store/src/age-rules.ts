import { policiesFileSchema } from '@wegwijs/campaign/definition/policies'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import type { AgeRules } from './recipients.ts'

/**
 * The rules of age in force, by their schema and not as they are stored: one that cannot be read would end the
 * statement that asks them, or let somebody be called who is too young. Null when they cannot be read.
 */
export async function ageRulesInForce(db: Querying): Promise<AgeRules | null> {
  const { rows } = await sql<{ policies: Record<string, unknown> | null }>`
    select bundle -> 'policies' as policies from definition order by revision desc limit 1`.execute(
    db,
  )
  const { shape } = policiesFileSchema
  const ages = shape.ages.safeParse(rows[0]?.policies?.ages)
  const timeZone = shape.timeZone.safeParse(rows[0]?.policies?.timeZone)
  return ages.success && timeZone.success
    ? { ages: ages.data ?? [], timeZone: timeZone.data }
    : null
}
