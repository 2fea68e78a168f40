import {
  campaignClasses,
  channelNames,
  laneNames,
  relationKinds,
  relationScopes,
} from '@wegwijs/campaign/definition/words'
import type {
  Consent,
  Enrolment,
  Entity,
  EntityReference,
  Intent,
  Person,
  Recipient,
  Relation,
  Task,
  Timer,
} from '@wegwijs/campaign/state'
import type { Selectable } from 'kysely'
import type { Schema } from './schema.ts'
import {
  isArms,
  isContacts,
  isInEachLanguage,
  isJourneys,
  isMembers,
  isOutcomes,
  isPersonCounts,
  isQuestion,
  isSaidIn,
  isSendingWindow,
  isTrigger,
  oneOf,
  orNothing,
  someOf,
  stored,
} from './stored-shapes.ts'

/**
 * Rows of the tables about a person as the core knows them, and back.
 *
 * @throws WEGWIJS_STORED_ROW_UNREADABLE for a row by which nothing can be decided
 */

export function personOf(row: Selectable<Schema['person']>): Person {
  const { person_id: id } = row
  return {
    personId: id,
    fields: stored(isMembers, row.fields, 'person.fields', id),
    contacts: stored(isContacts, row.contacts, 'person.contacts', id),
    locale: row.locale,
    timeZone: row.time_zone,
    persona: row.persona,
    assignedPersona: row.assigned_persona,
    journeys: stored(isJourneys, row.journeys, 'person.journeys', id),
    happened: stored(isPersonCounts, row.happened, 'person.happened', id),
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
    data: stored(isMembers, row.data, 'entity.data', row.person_id),
    changedAt: row.changed_at,
    saidIn: stored(isSaidIn, row.said_in, 'entity.said_in', row.person_id),
  }
}

/** A purpose or channel of a newer Wegwijs is asked for by nothing here: it says neither yes nor no. */
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

/** One of a kind or scope that only a newer Wegwijs has leads nowhere here. */
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
  const { timer_id: timerId, enrolment_id: enrolmentId, due_at: dueAt, began_at: beganAt } = row
  if (enrolmentId !== null) return { timerId, enrolmentId, step: row.step ?? '', beganAt, dueAt }
  const { entity_type: type, entity_id: id, campaign_id: campaignId } = row
  const entity = type !== null && id !== null ? { type, id } : null
  // Of one that was put off what begins is still that of its own moment (P1).
  return { timerId, enrolmentId, campaignId: campaignId ?? '', entity, dueAt: beganAt }
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
  const { enrolment_id: id } = row
  const { traceparent, dividedAs, unplanned, ...trigger } = stored<StoredTrigger>(
    isTrigger,
    row.trigger,
    'enrolment.trigger',
    id,
  )
  const arms = stored<Enrolment['arms'] | null>(isArms, row.arms, 'enrolment.arms', id)
  return {
    enrolmentId: id,
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
    ...(arms && { arms }),
    ...(unplanned && { unplanned }),
  }
}

/** What few runs have stands beside what began them, where services that do not know it leave it. */
type StoredTrigger = Enrolment['trigger'] & {
  traceparent?: string | null
  dividedAs?: string
  unplanned?: readonly string[]
}

export function intentOf(row: Selectable<Schema['intent']>): Intent {
  const { intent_id: id } = row
  const question = stored<Intent['question']>(isQuestion, row.question, 'intent.question', id)
  const window = stored<Intent['window'] | null>(
    isSendingWindow,
    row.sending_window,
    'intent.sending_window',
    id,
  )
  const channels = stored<Intent['channels']>(isChannels, row.channels, 'intent.channels', id)
  const channel = channels[row.channel_index]
  return {
    intentId: id,
    enrolmentId: row.enrolment_id,
    campaignId: row.campaign_id,
    version: row.version,
    messageId: row.message_id,
    step: row.step,
    class: stored(isClass, row.class, 'intent.class', id),
    lane: stored(isLane, row.lane, 'intent.lane', id),
    unknownOutcome: stored(isRule, row.unknown_outcome, 'intent.unknown_outcome', id),
    templateId: row.template_id,
    templateHash: row.template_hash,
    question,
    answer: row.answer,
    channels,
    ...(channel !== undefined && { channel }),
    state: row.state,
    reason: row.reason,
    duplicate: row.duplicate,
    entity: referenceOf(row),
    insteadOf: row.instead_of,
    ...(row.turn > 0 && { turn: row.turn }),
    ...(row.part_of !== null && { partOf: row.part_of }),
    ...recipientOf(row),
    ...(row.by_age && { byAge: true }),
    ...(window && { window }),
    plannedAt: row.planned_at,
    dueAt: row.due_at,
    ...(row.due_since !== null && { dueSince: row.due_since }),
    ...(row.state === 'sent' && row.settled_at !== null && { sentAt: row.settled_at }),
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
    title: stored(isInEachLanguage, row.title, 'task.title', row.task_id),
    outcomes: stored(isOutcomes, row.outcomes, 'task.outcomes', row.task_id),
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
  const { recipient_id: personId, intent_id: id } = row
  const kind = stored<Recipient['kind']>(isKind, row.recipient_as, 'intent.recipient_as', id)
  const scope = stored<Recipient['scope']>(
    isScope,
    row.recipient_scope,
    'intent.recipient_scope',
    id,
  )
  const ways = stored<Recipient['ways'] | null>(
    isWays,
    row.recipient_ways,
    'intent.recipient_ways',
    id,
  )
  return { recipient: { personId, kind, scope, ...(ways && { ways }) } }
}

const isClass = oneOf(campaignClasses)
const isLane = oneOf(laneNames)
const isRule = oneOf(['at-most-once', 'at-least-once'])
const isChannels = someOf(channelNames)
const isKind = oneOf(relationKinds)
const isWays = orNothing(someOf(relationKinds))
const isScope = oneOf(relationScopes)

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
