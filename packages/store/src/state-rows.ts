import type {
  Consent,
  Contact,
  ContactKind,
  Enrolment,
  Entity,
  EntityReference,
  Intent,
  Person,
  Relation,
  Task,
  Timer,
} from '@wegwijs/campaign/state'
import type { Selectable } from 'kysely'
import type { Schema } from './schema.ts'

/** Rows of the tables about a person as the core knows them, and back. */

export function personOf(row: Selectable<Schema['person']>): Person {
  return {
    personId: row.person_id,
    fields: row.fields as Person['fields'],
    contacts: row.contacts as Partial<Record<ContactKind, Contact>>,
    locale: row.locale,
    timeZone: row.time_zone,
    persona: row.persona,
    assignedPersona: row.assigned_persona,
    journeys: row.journeys as Person['journeys'],
    happened: row.happened as Person['happened'],
    deceasedAt: row.deceased_at,
    profileAt: row.profile_at,
    test: row.test,
  }
}

export function entityOf(row: Selectable<Schema['entity']>): Entity {
  return {
    type: row.entity_type,
    id: row.entity_id,
    version: row.version,
    state: row.state,
    data: row.data as Entity['data'],
    changedAt: row.changed_at,
    saidIn: row.said_in as Entity['saidIn'],
  }
}

export function consentOf(row: Selectable<Schema['consent']>): Consent {
  return {
    purpose: row.purpose as Consent['purpose'],
    channel: row.channel === '' ? null : (row.channel as Consent['channel']),
    state: row.state,
    origin: row.origin,
    at: row.at,
    proof: row.proof,
  }
}

export function relationOf(row: Selectable<Schema['relation']>): Relation {
  return {
    otherId: row.other_id,
    kind: row.kind as Relation['kind'],
    state: row.state,
    scope: row.scope as Relation['scope'],
    expiresAt: row.expires_at,
    at: row.at,
  }
}

export function timerOf(row: Selectable<Schema['timer']>): Timer {
  const { timer_id: timerId, enrolment_id: enrolmentId, due_at: dueAt } = row
  if (enrolmentId !== null)
    return { timerId, enrolmentId, step: row.step ?? '', beganAt: row.began_at, dueAt }
  const { entity_type: type, entity_id: id, campaign_id: campaignId } = row
  const entity = type !== null && id !== null ? { type, id } : null
  return { timerId, enrolmentId, campaignId: campaignId ?? '', entity, dueAt }
}

export function timerColumns(timer: Timer): Omit<Selectable<Schema['timer']>, 'person_id'> {
  const { timerId: timer_id, enrolmentId, dueAt: due_at } = timer
  const shared = { timer_id, enrolment_id: enrolmentId, due_at }
  if (timer.enrolmentId !== null) {
    const none = { campaign_id: null, entity_type: null, entity_id: null }
    return { ...shared, ...none, step: timer.step, began_at: timer.beganAt }
  }
  return {
    ...shared,
    step: null,
    campaign_id: timer.campaignId,
    entity_type: timer.entity?.type ?? null,
    entity_id: timer.entity?.id ?? null,
    began_at: due_at,
  }
}

export function enrolmentOf(row: Selectable<Schema['enrolment']>): Enrolment {
  const { traceparent, dividedAs, ...trigger } = row.trigger as Enrolment['trigger'] & {
    traceparent: string | null
    dividedAs?: string
  }
  return {
    enrolmentId: row.enrolment_id,
    campaignId: row.campaign_id,
    version: row.version,
    entryKey: row.entry_key,
    state: row.state,
    reason: row.reason,
    step: row.step,
    enteredAt: row.entered_at,
    endedAt: row.ended_at,
    goalAt: row.goal_at,
    entity: referenceOf(row),
    trigger,
    traceparent: traceparent ?? null,
    ...(dividedAs !== undefined && { dividedAs }),
    ...(row.arms !== null && { arms: row.arms }),
  }
}

export function intentOf(row: Selectable<Schema['intent']>): Intent {
  return {
    intentId: row.intent_id,
    enrolmentId: row.enrolment_id,
    campaignId: row.campaign_id,
    version: row.version,
    messageId: row.message_id,
    step: row.step,
    class: row.class as Intent['class'],
    lane: row.lane as Intent['lane'],
    unknownOutcome: row.unknown_outcome as Intent['unknownOutcome'],
    templateId: row.template_id,
    templateHash: row.template_hash,
    question: row.question as Intent['question'],
    answer: row.answer,
    channels: row.channels as Intent['channels'],
    ...channelOf(row),
    state: row.state,
    reason: row.reason,
    duplicate: row.duplicate,
    entity: referenceOf(row),
    insteadOf: row.instead_of,
    ...(row.turn > 0 && { turn: row.turn }),
    ...(row.part_of !== null && { partOf: row.part_of }),
    ...recipientOf(row),
    ...(row.by_age && { byAge: true }),
    ...(row.sending_window !== null && { window: row.sending_window as Intent['window'] & {} }),
    plannedAt: row.planned_at,
    dueAt: row.due_at,
    ...(row.due_since !== null && { dueSince: row.due_since }),
    expiresAt: row.expires_at,
    traceparent: row.traceparent,
  }
}

export function taskOf(row: Selectable<Schema['task']>): Task {
  return {
    taskId: row.task_id,
    enrolmentId: row.enrolment_id,
    campaignId: row.campaign_id,
    version: row.version,
    step: row.step,
    name: row.name,
    team: row.team,
    title: row.title as Task['title'],
    outcomes: row.outcomes as Task['outcomes'],
    state: row.state,
    outcome: row.outcome,
    said: row.said_outcome,
    reason: row.reason,
    entity: referenceOf(row),
    madeAt: row.made_at,
    dueAt: row.due_at,
  }
}

function recipientOf(row: Selectable<Schema['intent']>): Pick<Intent, 'recipient'> {
  if (row.recipient_id === null) return {}
  const { recipient_id: personId, recipient_as: kind, recipient_scope: scope } = row
  return { recipient: { personId, kind, scope } as NonNullable<Intent['recipient']> }
}

function channelOf(row: Selectable<Schema['intent']>): Pick<Intent, 'channel'> {
  const channel = (row.channels as Intent['channels'])[row.channel_index]
  return channel === undefined ? {} : { channel }
}

type EntityColumns = {
  entity_type: string | null
  entity_id: string | null
  entity_version: number | null
}

function referenceOf(row: EntityColumns): EntityReference | null {
  const { entity_type: type, entity_id: id, entity_version: version } = row
  return type !== null && id !== null && version !== null ? { type, id, version } : null
}

export function entityColumns(entity: EntityReference | null): EntityColumns {
  return {
    entity_type: entity?.type ?? null,
    entity_id: entity?.id ?? null,
    entity_version: entity?.version ?? null,
  }
}
