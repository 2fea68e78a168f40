import type { ColumnType, Generated } from 'kysely'

/**
 * The tables as the queries see them. Moments come out of PostgreSQL as ISO 8601 text in UTC with
 * milliseconds (see database.ts), the form that the core and the wire use; bigint as text.
 */
type Moment = ColumnType<string, string | undefined, string>
type Json<T> = ColumnType<T, string, string>
type JsonObject = { [key: string]: unknown }

export type Schema = {
  rehearsal_clock: {
    only_row: Generated<boolean>
    instant: Moment
    due_held: Generated<boolean>
    events_held: Generated<boolean>
    timers_held: Generated<boolean>
    messages_held: Generated<boolean>
    stepped_at: Moment
    started_at: Moment
  }
  definition: {
    revision: Generated<number>
    bundle: Json<unknown>
    hash: string
    applied_at: Moment
    applied_by: string
  }
  campaign: { campaign_id: string; live_version: number | null; state: 'live' | 'ended' }
  campaign_version: {
    campaign_id: string
    version: number
    content: Json<unknown>
    templates: Json<Record<string, string>>
    hash: string
    revision: number
    published_at: Moment
  }
  template_version: { template_id: string; hash: string; channels: Json<unknown> }
  person: {
    person_id: string
    fields: Json<JsonObject>
    contacts: Json<JsonObject>
    locale: string | null
    time_zone: string | null
    persona: string | null
    assigned_persona: string | null
    journeys: Json<JsonObject>
    happened: ColumnType<JsonObject, string | undefined, string>
    deceased_at: string | null
    profile_at: string | null
    merged_into: string | null
    test: Generated<boolean>
    created_at: Moment
  }
  history_count: {
    count_key: string
    touchpoint: string
    condition: Json<unknown> | null
    days: number
    ready: boolean
  }
  person_identity: { person_id: string; id_space: string; external_id: string; linked_at: Moment }
  entity: {
    person_id: string
    entity_type: string
    entity_id: string
    version: number
    state: 'active' | 'withdrawn'
    data: Json<JsonObject>
    changed_at: Moment
    said_in: ColumnType<JsonObject, string | undefined, string>
    unapplied_version: Generated<number | null>
  }
  consent: {
    person_id: string
    purpose: string
    channel: Generated<string>
    state: 'granted' | 'withdrawn'
    origin: 'person' | 'import'
    at: Moment
    proof: string | null
  }
  relation: {
    person_id: string
    kind: string
    other_id: string
    state: 'granted' | 'ended'
    scope: string[]
    expires_at: string | null
    at: Moment
  }
  person_stop: {
    person_id: string
    stop_id: string
    kind: 'death' | 'consent' | 'staff'
    purpose: Generated<string>
    channel: Generated<string>
    origin: Generated<'person' | 'import'>
    reason: string
    source: string
    at: Moment
    recorded_at: Moment
  }
  operational_stop: {
    stop_id: string
    scope: 'campaign' | 'channel' | 'provider' | 'template' | 'all'
    target: Generated<string>
    reason: string
    source: string
    recorded_at: Moment
  }
  stop_lift: { stop_id: string; reason: string; source: string; recorded_at: Moment }
  inbox: {
    person_id: string
    source: string
    event_id: string
    subject: string
    recorded_at: Moment
  }
  event: {
    person_id: string
    recorded_at: Moment
    source: string
    event_id: string
    subject: string
    type: string
    time: Moment
    business_at: Moment
    data: Json<JsonObject>
    entity: string | null
    entity_version: number | null
    traceparent: string | null
    persona: string | null
    outcome: string
    decisions: Json<unknown[]> | null
    topic: string
    partition: number
    record_offset: string
    appended_at: string | null
  }
  consumer_position: {
    topic: string
    partition: number
    next_offset: string
    records: Generated<string>
    applied: Generated<string>
    duplicates: Generated<string>
    dead_lettered: Generated<string>
    skipped_offsets: Generated<string>
    last_offset: string | null
    last_timestamp_ms: string | null
    last_hash: string | null
    updated_at: Moment
  }
  dead_letter: {
    dead_letter_id: string
    topic: string
    partition: number
    record_offset: string
    record_key: Buffer | null
    value: Buffer | null
    headers: Json<Record<string, string>>
    error_class: string
    reason: string
    path: string | null
    appended_at: string | null
    recorded_at: Moment
    replayed_at: string | null
    replays: Generated<number>
  }
  enrolment: {
    person_id: string
    enrolment_id: string
    campaign_id: string
    version: number
    entry_key: string
    state: 'running' | 'completed' | 'exited'
    reason: string | null
    step: string | null
    entered_at: Moment
    ended_at: string | null
    goal_at: string | null
    entity_type: string | null
    entity_id: string | null
    entity_version: number | null
    trigger: Json<JsonObject>
    /** Id of each split that it came to → the arm that it took. */
    arms: Json<Record<string, string>> | null
  }
  /** Of a run, or, without one, of a campaign that a date starts. */
  timer: {
    person_id: string
    timer_id: string
    enrolment_id: string | null
    step: string | null
    campaign_id: string | null
    entity_type: string | null
    entity_id: string | null
    began_at: Moment
    due_at: Moment
  }
  rollout: {
    rollout_id: Generated<string>
    campaign_id: string
    version: number | null
    to_version: number | null
    work: 'dates' | 'move' | 'forget'
    next_person: Generated<string>
    people: Generated<number>
    since: Generated<string>
  }
  decision: {
    person_id: string
    recorded_at: Moment
    decision_id: string
    ordinal: number
    business_at: Moment
    campaign_id: string | null
    version: number | null
    enrolment_id: string | null
    intent_id: string | null
    reason: string
    detail: Json<JsonObject> | null
  }
  intent: {
    person_id: string
    intent_id: string
    enrolment_id: string
    campaign_id: string
    version: number
    message_id: string
    step: string
    class: string
    lane: string
    unknown_outcome: string
    template_id: string
    template_hash: string
    question: Json<JsonObject> | null
    answer: string | null
    channels: string[]
    channel_index: Generated<number>
    state: IntentState
    reason: string | null
    detail: Json<JsonObject> | null
    entity_type: string | null
    entity_id: string | null
    entity_version: number | null
    instead_of: string | null
    turn: Generated<number>
    part_of: string | null
    recipient_id: string | null
    recipient_as: string | null
    recipient_scope: string | null
    /** Null where `recipient_as` is the only one. */
    recipient_ways: string[] | null
    by_age: Generated<boolean>
    sending_window: Json<JsonObject> | null
    planned_at: Moment
    planned_for: Moment
    due_at: Moment
    /** Null unless its channel or provider puts it off. */
    due_since: string | null
    expires_at: Moment
    job_id: string | null
    queued_at: string | null
    fence: Generated<number>
    claim_id: string | null
    lease_until: string | null
    attempts: Generated<number>
    idempotent: Generated<boolean>
    duplicate: Generated<boolean>
    provider: string | null
    reference: string | null
    /** Time of the profile that told of the address to which it was claimed last; null when not known. */
    address_since: string | null
    settled_at: string | null
    traceparent: string | null
    touched_at: Moment
    /** It has had its place in the band of its campaign. */
    reached: Generated<boolean>
  }
  task: {
    person_id: string
    task_id: string
    enrolment_id: string
    campaign_id: string
    version: number
    step: string
    name: string
    team: string
    title: Json<JsonObject>
    outcomes: Json<unknown[]>
    state: 'open' | 'done' | 'withdrawn'
    outcome: string | null
    reason: string | null
    entity_type: string | null
    entity_id: string | null
    entity_version: number | null
    made_at: Moment
    due_at: Moment
    said_outcome: string | null
    said_by: string | null
    said_at: string | null
  }
  attempt: {
    person_id: string
    recorded_at: Moment
    intent_id: string
    fence: number
    business_at: Moment
    channel: string
    provider: string
    outcome: 'accepted' | 'refused' | 'deferred' | 'unknown' | 'not_started'
    reason: string | null
    reference: string | null
    duplicate: boolean
    /** As of `intent`, for the address of this attempt. */
    address_since: string | null
  }
  app_message: {
    person_id: string
    intent_id: string
    title: string
    body: string
    url: string | null
    locale: string
    at: Moment
    read_at: string | null
  }
  reply: {
    provider: string
    reply_id: string
    meant: unknown
    recorded_at: Generated<Moment>
  }
  counted_message: {
    person_id: string
    intent_id: string
    fence: number
    class: string
    at: Moment
  }
  reach: {
    campaign_id: string
    begins: Moment
    ends: Moment
    taken: Generated<number>
    allowed: Generated<number>
    asked_at: string | null
  }
  reach_allowance: {
    allowance_id: string
    campaign_id: string
    begins: Moment
    more: number
    reason: string
    source: string
    business_at: Moment
    recorded_at: Moment
  }
  outbox: {
    outbox_id: Generated<string>
    topic: string
    record_key: string
    headers: Json<Record<string, string>>
    value: Buffer | null
    created_at: Moment
    published_at: string | null
  }
  api_key: {
    key_id: string
    hash: Buffer
    label: string
    id_space: string
    sources: string[]
    types: string[]
    scopes: Generated<string[]>
    created_at: Moment
    revoked_at: string | null
  }
}

export type IntentState =
  | 'planned'
  | 'queued'
  | 'sending'
  | 'sent'
  | 'delivered'
  | 'bounced'
  | 'skipped'
  | 'cancelled'
  | 'expired'
  | 'failed'
  | 'held'
