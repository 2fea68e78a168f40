import { type Kysely, sql } from 'kysely'

/**
 * When the quiet hours end in which a moment lies; null when it lies in none. A zone that PostgreSQL
 * does not know counts as the organisation's: one odd profile must not keep others from their messages.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`create function quiet_until(moment timestamptz, begins time, ends time, zone text, fallback text)
    returns timestamptz language plpgsql stable as $$
    declare local_moment timestamp;
    begin
      begin
        local_moment := moment at time zone zone;
      exception when invalid_parameter_value then
        zone := fallback;
        local_moment := moment at time zone zone;
      end;
      if begins > ends and local_moment::time >= begins then
        return (local_moment::date + 1 + ends) at time zone zone;
      end if;
      if local_moment::time < ends and (begins > ends or local_moment::time >= begins) then
        return (local_moment::date + ends) at time zone zone;
      end if;
      return null;
    end $$`)
    .execute(db)
}
