import { type Kysely, sql } from 'kysely'

/**
 * Who may hear of a person, or act for them, and to whom of those a message goes. `survivor_of` says which
 * record somebody is now: whoever is named in another one's rows may have been merged since, and those rows
 * are not theirs to lock. Services of the version before plan messages to the person alone.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  `create table relation (
    person_id uuid not null,
    kind text not null,
    other_id uuid not null,
    state text not null check (state in ('granted', 'ended')),
    scope text[] not null,
    expires_at timestamptz,
    at timestamptz not null,
    primary key (person_id, kind, other_id)
  )`,
  `create function survivor_of(id uuid) returns uuid language sql stable strict as $$
    with recursive line (person_id, merged_into, steps) as (
      select person_id, merged_into, 0 from person where person_id = id
      union all
      select p.person_id, p.merged_into, line.steps + 1
      from line join person p on p.person_id = line.merged_into where line.steps < 100
    )
    select person_id from line where merged_into is null
  $$`,
  `alter table intent
    add column recipient_id uuid,
    add column recipient_as text,
    add column recipient_scope text,
    add column by_age boolean not null default false`,
  `create index intent_of_recipient on intent (recipient_id) where recipient_id is not null`,
]
