import { type Kysely, sql } from 'kysely'

/**
 * The days and hours at which a message may go out, and when they open in which a moment does not lie; null
 * when it lies in them, or nothing is held back. A zone that PostgreSQL does not know counts as the
 * organisation's. Messages of services of the version before have none, and go out at any time.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  'alter table intent add column sending_window jsonb',
  `create function sending_window_opens(moment timestamptz, held_to jsonb, zone text, fallback text)
    returns timestamptz language plpgsql stable as $$
    declare
      local_moment timestamp;
      local_time time;
      asked date;
      opens time := (held_to ->> 'opens')::time;
      closes time := (held_to ->> 'closes')::time;
      next timestamptz;
    begin
      begin
        local_moment := moment at time zone zone;
      exception when invalid_parameter_value then
        zone := fallback;
        local_moment := moment at time zone zone;
      end;
      local_time := local_moment::time;
      -- Some day fits long before this ends.
      for days in 0..3700 loop
        asked := local_moment::date + days;
        continue when not (held_to -> 'days') @> to_jsonb(extract(isodow from asked)::integer)
          or (held_to -> 'closed') ? to_char(asked, 'YYYY-MM-DD');
        if days = 0 then
          if closes is null or (local_time >= opens and local_time < closes) then
            return null;
          end if;
          continue when local_time >= opens;
        end if;
        next := (asked + opens) at time zone zone;
        return case when next >= (held_to ->> 'before')::timestamptz then null else next end;
      end loop;
      return null;
    end $$`,
]
