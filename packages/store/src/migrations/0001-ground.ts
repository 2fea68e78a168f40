import { type Kysely, sql } from 'kysely'

/**
 * The ground: definitions, people, what was decided, what is to be sent, what came of it.
 *
 * Every table about a person has the person id first in its key, or in an index. No table about
 * people refers to another by foreign key: such a check would lock the person's row against the one
 * writer that holds it (P6), once per inserted row. `event`, `decision` and `attempt` only grow; they are
 * partitioned by month of recording, so that old time is dropped and not deleted.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  // Time. A row here means that business time stands still at `instant` until a conductor moves it.
  // While `due_held`, nothing is due: events of one step are all decided before anything of it is
  // sent, so that the outcome does not hang on which of the two is quicker.
  `create table rehearsal_clock (
    only_row boolean primary key default true check (only_row),
    instant timestamptz not null,
    due_held boolean not null default false,
    stepped_at timestamptz not null default clock_timestamp(),
    started_at timestamptz not null default clock_timestamp()
  )`,
  `create function business_now() returns timestamptz language sql stable as
    'select coalesce((select instant from rehearsal_clock), statement_timestamp())'`,
  // What is due by then may be taken up: timers by journey, intents by the release.
  `create function due_now() returns timestamptz language sql stable as
    'select coalesce((select case when due_held then ''-infinity''::timestamptz else instant end
      from rehearsal_clock), statement_timestamp())'`,

  // Definitions. A campaign version and a template version never change once they are written (P5).
  `create table definition (
    revision integer generated always as identity primary key,
    bundle jsonb not null,
    hash text not null,
    applied_at timestamptz not null default clock_timestamp(),
    applied_by text not null
  )`,
  `create table campaign (
    campaign_id text primary key,
    live_version integer,
    state text not null check (state in ('live', 'ended'))
  )`,
  `create table campaign_version (
    campaign_id text not null,
    version integer not null,
    content jsonb not null,
    templates jsonb not null,
    hash text not null,
    revision integer not null,
    published_at timestamptz not null,
    primary key (campaign_id, version)
  )`,
  `create table template_version (
    template_id text not null,
    hash text not null,
    channels jsonb not null,
    primary key (template_id, hash)
  )`,

  // People.
  `create table person (
    person_id uuid primary key,
    fields jsonb not null default '{}',
    contacts jsonb not null default '{}',
    locale text,
    time_zone text,
    persona text,
    assigned_persona text,
    journeys jsonb not null default '{}',
    deceased_at timestamptz,
    profile_at timestamptz,
    merged_into uuid,
    test boolean not null default false,
    created_at timestamptz not null default clock_timestamp()
  ) with (fillfactor = 80)`, // Room for the next place on a journey beside the last one.
  'create index person_by_survivor on person (merged_into) where merged_into is not null',
  `create table person_identity (
    person_id uuid not null,
    id_space text not null,
    external_id text not null,
    linked_at timestamptz not null default clock_timestamp(),
    primary key (person_id, id_space, external_id),
    unique (id_space, external_id)
  )`,
  `create table entity (
    person_id uuid not null,
    entity_type text not null,
    entity_id text not null,
    version integer not null,
    state text not null check (state in ('active', 'withdrawn')),
    data jsonb not null,
    changed_at timestamptz not null,
    primary key (person_id, entity_type, entity_id)
  )`,
  `create table consent (
    person_id uuid not null,
    purpose text not null,
    channel text not null default '',
    state text not null check (state in ('granted', 'withdrawn')),
    origin text not null check (origin in ('person', 'import')),
    at timestamptz not null,
    proof text,
    primary key (person_id, purpose, channel)
  )`,

  // Stops. Rows are only ever added; a stop is lifted by a row of its own.
  `create table person_stop (
    person_id uuid not null,
    stop_id uuid not null,
    kind text not null check (kind in ('death', 'consent', 'staff')),
    purpose text not null default 'all',
    channel text not null default '',
    reason text not null,
    source text not null,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (person_id, stop_id)
  )`,
  `create table operational_stop (
    stop_id uuid primary key,
    scope text not null check (scope in ('campaign', 'channel', 'provider', 'template', 'all')),
    target text not null default '',
    reason text not null,
    source text not null,
    recorded_at timestamptz not null default clock_timestamp()
  )`,
  `create table stop_lift (
    stop_id uuid primary key,
    reason text not null,
    source text not null,
    recorded_at timestamptz not null default clock_timestamp()
  )`,

  // What came in. The inbox remembers identities (P2); the event keeps what was said.
  `create table inbox (
    person_id uuid not null,
    source text not null,
    event_id text not null,
    subject text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (person_id, source, event_id, subject)
  )`,
  'create index inbox_by_age on inbox using brin (recorded_at)',
  `create table event (
    person_id uuid not null,
    recorded_at timestamptz not null default clock_timestamp(),
    source text not null,
    event_id text not null,
    subject text not null,
    type text not null,
    time timestamptz not null,
    business_at timestamptz not null,
    data jsonb not null,
    entity text,
    entity_version integer,
    traceparent text,
    persona text,
    outcome text not null,
    topic text not null,
    partition integer not null,
    record_offset bigint not null,
    primary key (person_id, recorded_at, source, event_id, subject)
  ) partition by range (recorded_at)`,
  `create table consumer_position (
    topic text not null,
    partition integer not null,
    next_offset bigint not null,
    records bigint not null default 0,
    applied bigint not null default 0,
    duplicates bigint not null default 0,
    dead_lettered bigint not null default 0,
    skipped_offsets bigint not null default 0,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (topic, partition)
  )`,
  `create table dead_letter (
    dead_letter_id uuid primary key,
    topic text not null,
    partition integer not null,
    record_offset bigint not null,
    record_key bytea,
    value bytea,
    headers jsonb not null,
    error_class text not null,
    reason text not null,
    path text,
    recorded_at timestamptz not null default clock_timestamp(),
    replayed_at timestamptz,
    replays integer not null default 0
  )`,
  'create index dead_letter_by_age on dead_letter (recorded_at)',

  // What was decided.
  `create table enrolment (
    person_id uuid not null,
    enrolment_id uuid not null,
    campaign_id text not null,
    version integer not null,
    entry_key text not null,
    state text not null check (state in ('running', 'completed', 'exited')),
    reason text,
    step text,
    entered_at timestamptz not null,
    ended_at timestamptz,
    entity_type text,
    entity_id text,
    entity_version integer,
    trigger jsonb not null,
    primary key (person_id, enrolment_id)
  )`,
  'create index enrolment_by_entry on enrolment (person_id, campaign_id, entry_key)',
  `create index enrolment_of_person on enrolment (person_id) where state = 'running'`,
  `create index enrolment_by_entity on enrolment (person_id, entity_type, entity_id)
    where entity_id is not null`,
  `create index enrolment_running on enrolment (campaign_id, version) where state = 'running'`,
  `create table timer (
    person_id uuid not null,
    timer_id uuid not null,
    enrolment_id uuid not null,
    step text not null,
    due_at timestamptz not null,
    primary key (person_id, timer_id)
  )`,
  'create index timer_by_due on timer (due_at, person_id)',
  `create table decision (
    person_id uuid not null,
    recorded_at timestamptz not null default clock_timestamp(),
    decision_id uuid not null,
    ordinal integer not null,
    business_at timestamptz not null,
    source text,
    event_id text,
    campaign_id text,
    version integer,
    enrolment_id uuid,
    intent_id uuid,
    reason text not null,
    detail jsonb,
    primary key (person_id, recorded_at, decision_id)
  ) partition by range (recorded_at)`,

  // What is to be sent, and what came of it.
  `create table intent (
    person_id uuid not null,
    intent_id uuid primary key,
    enrolment_id uuid not null,
    campaign_id text not null,
    version integer not null,
    message_id text not null,
    step text not null,
    class text not null,
    lane text not null,
    unknown_outcome text not null,
    template_id text not null,
    template_hash text not null,
    channels text[] not null,
    channel_index integer not null default 0,
    state text not null check (state in ('planned', 'queued', 'sending', 'sent', 'delivered', 'bounced',
      'skipped', 'cancelled', 'expired', 'failed', 'held')),
    reason text,
    detail jsonb,
    entity_type text,
    entity_id text,
    entity_version integer,
    planned_at timestamptz not null,
    planned_for timestamptz not null,
    due_at timestamptz not null,
    expires_at timestamptz not null,
    job_id text,
    queued_at timestamptz,
    fence integer not null default 0,
    claim_id uuid,
    lease_until timestamptz,
    attempts integer not null default 0,
    idempotent boolean not null default false,
    duplicate boolean not null default false,
    provider text,
    reference text,
    settled_at timestamptz,
    traceparent text,
    touched_at timestamptz not null default clock_timestamp()
  )`,
  // Every index here is written anew by each of the three moves of a message.
  'create index intent_of_person on intent (person_id, enrolment_id)',
  `create index intent_pending on intent (person_id) where state in ('planned', 'queued')`,
  // By queue: what is due of one lane and channel is found without reading the others (P8).
  `create index intent_due on intent (lane, (channels[channel_index + 1]), due_at)
    where state = 'planned'`,
  `create index intent_queued on intent (lane, (channels[channel_index + 1]), job_id)
    where state = 'queued'`,
  // Those that an operational stop holds back, to be recalled at once when it is lifted.
  `create index intent_held_back on intent (reason)
    where state = 'planned' and right(reason, 8) = '_stopped'`,
  // Claims that are not settled: those that are sending, and those that a receipt has overtaken.
  'create index intent_claimed on intent (lease_until) where lease_until is not null',
  `create index intent_held on intent (touched_at) where state = 'held'`,
  `create table attempt (
    person_id uuid not null,
    recorded_at timestamptz not null default clock_timestamp(),
    intent_id uuid not null,
    fence integer not null,
    business_at timestamptz not null,
    channel text not null,
    provider text not null,
    outcome text not null check (outcome in ('accepted', 'refused', 'deferred', 'unknown', 'not_started')),
    reason text,
    reference text,
    duplicate boolean not null,
    primary key (person_id, recorded_at, intent_id, fence)
  ) partition by range (recorded_at)`,
  `create table app_message (
    person_id uuid not null,
    intent_id uuid not null,
    title text not null,
    body text not null,
    url text,
    locale text not null,
    at timestamptz not null,
    read_at timestamptz,
    primary key (person_id, intent_id)
  )`,

  // The way out.
  `create table outbox (
    outbox_id bigint generated always as identity primary key,
    topic text not null,
    record_key text not null,
    headers jsonb not null,
    value bytea,
    created_at timestamptz not null default clock_timestamp(),
    published_at timestamptz
  )`,
  'create index outbox_unpublished on outbox (outbox_id) where published_at is null',

  // Who may speak.
  `create table api_key (
    key_id text primary key,
    hash bytea not null,
    label text not null,
    id_space text not null,
    sources text[] not null,
    types text[] not null,
    scopes text[] not null default '{events}',
    created_at timestamptz not null default clock_timestamp(),
    revoked_at timestamptz
  )`,
]
