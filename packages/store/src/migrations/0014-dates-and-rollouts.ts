import { type Kysely, sql } from 'kysely'

/**
 * Timers without a run, by which a campaign begins when a date comes; since when somebody waits at a
 * step; and what publishing a campaign has still to do for people who are there already. Services of the
 * version before pass over such timers for ever: publish such campaigns when every service is new.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  `alter table timer
    alter column enrolment_id drop not null,
    alter column step drop not null,
    add column campaign_id text,
    add column entity_type text,
    add column entity_id text,
    add column began_at timestamptz not null default statement_timestamp(),
    add check ((enrolment_id is null) = (campaign_id is not null))`,
  'create index timer_of_campaign on timer (campaign_id, person_id) where campaign_id is not null',
  `create table rollout (
    rollout_id bigint generated always as identity primary key,
    campaign_id text not null,
    version integer,
    work text not null check (work in ('dates', 'move', 'forget')),
    next_person uuid not null default '00000000-0000-0000-0000-000000000000',
    people integer not null default 0
  )`,
]
