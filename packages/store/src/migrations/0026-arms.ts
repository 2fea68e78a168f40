import { type Kysely, sql } from 'kysely'

/**
 * A run keeps the arms that it took, and of what it was held out: what was decided is dropped with its month,
 * and what came of a campaign is to be told of all of its runs.
 *
 * Arms of older runs are taken from what is still kept of their decisions. Who was held out is known for all
 * of them: it was drawn from who they are, first for the campaign and then for all of its class.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  'alter table enrolment add column if not exists arms jsonb',
  `update enrolment e set arms = taken.arms
    from (
      select enrolment_id, jsonb_object_agg(detail ->> 'split', detail -> 'arm') as arms
      from decided
      where reason = 'split_taken' and enrolment_id is not null
        and detail ->> 'split' is not null and detail ->> 'arm' is not null
      group by enrolment_id
    ) as taken
    where e.enrolment_id = taken.enrolment_id`,
  // As packages/campaign/src/chance.ts draws, from 0 up to 1: FNV-1a and the last step of murmur3.
  `create function fraction_of(seed text) returns numeric language plpgsql immutable as $$
    declare
      hash bigint := 2166136261;
    begin
      for position in 1 .. length(seed) loop
        hash := ((hash # ascii(substr(seed, position, 1))) * 16777619) & 4294967295;
      end loop;
      hash := mod((hash # (hash >> 16))::numeric * 2246822507, 4294967296)::bigint;
      hash := mod((hash # (hash >> 13))::numeric * 3266489909, 4294967296)::bigint;
      return (hash # (hash >> 16)) / 4294967296.0;
    end $$`,
  `update enrolment e set reason = 'held_out_of_all'
    from campaign_version v
    where e.reason = 'held_out' and v.campaign_id = e.campaign_id and v.version = e.version
      and coalesce(fraction_of('hold-out/' || e.campaign_id || '/'
          || coalesce(e.trigger ->> 'dividedAs', e.person_id::text)) * 100
        >= (v.content ->> 'holdOut')::numeric, true)`,
  'drop function fraction_of(text)',
]
