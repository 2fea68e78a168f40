import { type Kysely, sql } from 'kysely'

/**
 * Arms of older runs are taken from what is still kept of their decisions. Who was held out is known for all
 * of them: it was drawn from who they are, first for the campaign and then for all of its class.
 *
 * In a transaction of its own: it reads all decisions that are kept, and the table must not be closed to the
 * services meanwhile. What a service of the version before still decides is filled by nobody: its runs have no
 * arms, and whoever it holds out counts as held out of the campaign.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  `update enrolment e set arms = taken.arms
    from (
      select enrolment_id, jsonb_object_agg(detail ->> 'split', detail -> 'arm') as arms
      from decided
      where reason = 'split_taken' and enrolment_id is not null
        and detail ->> 'split' is not null and detail ->> 'arm' is not null
      group by enrolment_id
    ) as taken
    where e.enrolment_id = taken.enrolment_id and e.arms is null`,
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
