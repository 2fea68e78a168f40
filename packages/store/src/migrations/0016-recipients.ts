import { type Kysely, sql } from 'kysely'

/**
 * In which year a moment lies, for an age: in a zone, or in the other one when PostgreSQL does not know it;
 * and what of a recipient is with a worker. Services of the version before are not disturbed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  `create function year_at(moment timestamptz, zone text, fallback text)
    returns integer language plpgsql stable as $$
    begin
      return extract(year from moment at time zone zone);
    exception when invalid_parameter_value then
      return extract(year from moment at time zone fallback);
    end $$`,
  `create index intent_under_way_to on intent (recipient_id) where state = 'sending'`,
]
