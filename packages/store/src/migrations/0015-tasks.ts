import { type Kysely, sql } from 'kysely'

/**
 * Work that campaigns give to people. `said_*` is what staff said of it, and who: it is decided on when
 * its event has come in. Services of the version before give nobody work.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  `create table task (
    person_id uuid not null,
    task_id uuid primary key,
    enrolment_id uuid not null,
    campaign_id text not null,
    version integer not null,
    step text not null,
    name text not null,
    team text not null,
    title jsonb not null,
    outcomes jsonb not null,
    state text not null check (state in ('open', 'done', 'withdrawn')),
    outcome text,
    reason text,
    entity_type text,
    entity_id text,
    entity_version integer,
    made_at timestamptz not null,
    due_at timestamptz not null,
    said_outcome text,
    said_by text,
    said_at timestamptz
  )`,
  'create index task_of_person on task (person_id, enrolment_id)',
  // What a team has to do, by when.
  `create index task_open on task (team, due_at) where state = 'open'`,
]
