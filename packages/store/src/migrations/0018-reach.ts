import { type Kysely, sql } from 'kysely'

/**
 * How far campaigns reach: what each has released in a period, what somebody let go beyond its band, and
 * which messages have had their place. No row is rewritten. A scheduler of the version before counts
 * nothing: bands hold once every scheduler is new.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  'alter table intent add column reached boolean not null default false',
  `create index intent_beyond_reach on intent (campaign_id, planned_for)
    where state = 'planned' and reason = 'reach_used'`,
  `create index intent_beyond_reach_by_age on intent (touched_at)
    where state = 'planned' and reason = 'reach_used'`,
  `create table reach (
    campaign_id text not null,
    begins timestamptz not null,
    ends timestamptz not null,
    taken integer not null default 0,
    allowed integer not null default 0,
    asked_at timestamptz,
    primary key (campaign_id, begins)
  )`,
  `create table reach_allowance (
    allowance_id uuid primary key,
    campaign_id text not null,
    begins timestamptz not null,
    more integer not null,
    reason text not null,
    source text not null,
    business_at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp()
  )`,
  // Twin of reachPeriod in the core; of one of the two lengths the other is 0.
  `create function reach_period(moment timestamptz, days integer, seconds float8, zone text,
      out begins timestamptz, out ends timestamptz)
    language plpgsql stable as $$
    declare first_day date;
    begin
      if days = 0 then
        begins := to_timestamp(floor(extract(epoch from moment) / seconds) * seconds);
        ends := begins + make_interval(secs => seconds);
      else
        first_day := date '1970-01-05'
          + (floor(((moment at time zone zone)::date - date '1970-01-05')::float8 / days) * days)::integer;
        begins := first_day::timestamp at time zone zone;
        ends := (first_day + days)::timestamp at time zone zone;
      end if;
    end $$`,
]
