import { fractionOf } from './chance.ts'
import type { CompiledCampaign } from './compiled-campaign.ts'
import { type Facts, traceCondition } from './condition.ts'
import { type DecideContext, type Draft, noteOf } from './draft.ts'
import { end, goOnIn } from './enrolments.ts'
import { factsFrom } from './facts.ts'
import { addDuration, type Instant, subtractDuration } from './instant.ts'
import type { JsonObject } from './json.ts'
import type { HeldOutReason, ReasonCode } from './reasons.ts'
import {
  type Enrolment,
  type Entity,
  entityKey,
  entryOf,
  isOpen,
  type JourneyEvent,
  type Person,
} from './state.ts'

/**
 * Lets every live campaign that an event could start decide about it (P4: each that it is meant for
 * leaves its reason). `before` is the person as they were until then.
 */
export function startCampaigns(
  draft: Draft,
  event: JourneyEvent,
  context: DecideContext,
  before: Person = draft.person,
): void {
  context.watch?.starts?.(draft, event, before)
  const asked = askedOf(draft, event, context, before)
  for (const campaign of candidatesOf(draft, event, context)) {
    const refusal = refusalOf(draft, asked, campaign, context)
    if (refusal === false) continue
    if (refusal) refuse(draft, campaign, refusal)
    else enrol(draft, event, campaign, context)
  }
}

/** Lets one campaign decide whether it begins for somebody, of which the date has come. */
export function startCampaign(
  draft: Draft,
  event: JourneyEvent,
  campaign: CompiledCampaign,
  context: DecideContext,
): void {
  context.watch?.starts?.(draft, event, draft.person, campaign)
  const refusal = refusalOf(draft, askedOf(draft, event, context), campaign, context)
  if (refusal) refuse(draft, campaign, refusal)
  else if (refusal === null) enrol(draft, event, campaign, context)
}

/**
 * Starts what an event starts though a newer version of its entity came before it. Whatever enters
 * hangs on the newest version, and is told of that one alone. A version that is told anew under
 * another id looks the same: so only campaigns start that nobody enters twice. One that a touchpoint
 * has ended since does not start; of an exit with a condition nobody knows any more whether it held.
 */
export function startOvertaken(draft: Draft, event: JourneyEvent, context: DecideContext): void {
  const known = event.entity && draft.entities.get(entityKey(event.entity))
  if (!known) return
  const { type, id, version } = known
  const newest: JourneyEvent = { ...event, entity: { type, id, version } }
  context.watch?.starts?.(draft, newest, draft.person)
  const asked = askedOf(draft, newest, context)
  for (const campaign of candidatesOf(draft, event, context)) {
    const refusal =
      refusalOfOvertaken(draft, event, known, campaign, context) ??
      refusalOf(draft, asked, campaign, context)
    if (refusal === false) continue
    if (refusal) refuse(draft, campaign, refusal)
    else enrol(draft, newest, campaign, context)
  }
}

function refusalOfOvertaken(
  draft: Draft,
  event: JourneyEvent,
  newest: Entity,
  { file: { entry, exit, goal } }: CompiledCampaign,
  context: DecideContext,
): EntryRefusal | null {
  if (entry === 'every-time' || typeof entry === 'object')
    return { reason: 'entity_not_newer', detail: null }
  if (newest.state === 'withdrawn') return { reason: 'entity_withdrawn', detail: null }
  const isOver = [...exit, ...(goal ? [goal] : [])].some(
    ({ touchpoint, where }) =>
      !where && hasHappenedSince(draft, event, newest, touchpoint, context),
  )
  return isOver ? { reason: 'exit_touchpoint', detail: null } : null
}

/**
 * Whether a touchpoint has happened after this event, as far as it is known: one of the entity by its
 * version, any other by the phase into which it leads, when the person entered that later and is in it
 * still. What left no such trace has not happened, and another one that leads into the same phase counts
 * for it.
 */
function hasHappenedSince(
  { person }: Draft,
  event: JourneyEvent,
  newest: Entity,
  type: string,
  { definition }: DecideContext,
): boolean {
  const touchpoint = definition.touchpoints.get(type)
  if (touchpoint?.entity)
    return (newest.saidIn.touchpoints[type] ?? 0) > (event.entity?.version ?? 0)
  const place = person.journeys[touchpoint?.journey ?? '']
  return place !== undefined && place.phase === touchpoint?.phase && place.since > event.time
}

function candidatesOf(
  { person }: Draft,
  event: JourneyEvent,
  { definition }: DecideContext,
): readonly CompiledCampaign[] {
  return definition.starters.get(event.type)?.get(person.persona ?? '') ?? []
}

type EntryRefusal = { reason: ReasonCode; detail: JsonObject | null }

/** Notes why a campaign does not begin for somebody. */
export function refuse(draft: Draft, campaign: CompiledCampaign, refusal: EntryRefusal): void {
  draft.decisions.push({
    campaignId: campaign.id,
    version: campaign.version,
    enrolmentId: null,
    intentId: null,
    ...refusal,
  })
}

/** An event that campaigns are asked about: who the person was until then, and what conditions see. */
type Asked = { event: JourneyEvent; before: Person; facts: Facts }

export function askedOf(
  draft: Draft,
  event: JourneyEvent,
  context: DecideContext,
  before: Person = draft.person,
): Asked {
  const entityData = event.entity && (draft.entities.get(entityKey(event.entity))?.data ?? null)
  const facts = factsFrom(draft, context, { trigger: event, entityData, enrolment: null })
  return { event, before, facts }
}

/** Why the event does not start the campaign; `false` when it was never meant for it, null when it does. */
export function refusalOf(
  draft: Draft,
  { event, before, facts }: Asked,
  campaign: CompiledCampaign,
  context: DecideContext,
): EntryRefusal | false | null {
  const { file } = campaign
  const { kind, where, holds } = campaign.trigger
  const trigger = kind.decide(file.trigger, {
    event,
    campaignId: campaign.id,
    before,
    person: draft.person,
    facts,
    whereHolds: holds,
  })
  if (trigger === false) return false
  if (draft.person.deceasedAt !== null) return { reason: 'person_deceased', detail: null }
  const { timeZone } = context.definition
  // What happens now is not old, whatever the calendar says.
  const isPast = event.time < context.now
  if (isPast && event.time < subtractDuration(context.now, file.trigger.maxAge, timeZone)) {
    return { reason: 'event_too_old', detail: { time: event.time, maxAge: file.trigger.maxAge } }
  }
  const entered = draft.entries.get(entryOf(campaign.id, entryKeyOf(draft, event, campaign)))
  if (entered !== undefined && !mayEnterAgain(entered, campaign, context)) {
    return { reason: 'already_entered', detail: { entry: file.entry } }
  }
  if (file.atOnce !== undefined && runsUnderWay(draft, campaign, context).length >= file.atOnce) {
    return { reason: 'at_once', detail: { atOnce: file.atOnce } }
  }
  if (trigger) {
    const leaves = trigger.leaves && where ? traceCondition(where, facts).leaves : null
    return { reason: trigger.reason, detail: leaves && { leaves } }
  }
  if (campaign.audienceHolds && file.audience.where && !campaign.audienceHolds(facts)) {
    return {
      reason: 'condition_false',
      detail: { leaves: traceCondition(file.audience.where, facts).leaves },
    }
  }
  return null
}

export function mayEnterAgain(
  entered: Instant,
  { file: { entry } }: CompiledCampaign,
  { now, definition }: DecideContext,
): boolean {
  if (typeof entry === 'string') return false
  return addDuration(entered, entry.again, definition.timeZone) <= now
}

/** Who has still a message to come from it is in it, also behind the last step. */
function runsUnderWay(
  draft: Draft,
  { id }: CompiledCampaign,
  { now }: DecideContext,
): readonly Enrolment[] {
  const toCome = new Set(
    [...draft.intents.values()].flatMap((intent) =>
      intent.campaignId === id && isOpen(intent) && intent.expiresAt > now
        ? [intent.enrolmentId]
        : [],
    ),
  )
  return [...draft.enrolments.values()].filter(
    ({ campaignId, state, enrolmentId }) =>
      campaignId === id &&
      (state === 'running' || (state === 'completed' && toCome.has(enrolmentId))),
  )
}

/** What may not repeat under the campaign's entry rule. */
function entryKeyOf(draft: Draft, event: JourneyEvent, campaign: CompiledCampaign): string {
  const { entry } = campaign.file
  switch (typeof entry === 'string' ? entry : 'once') {
    case 'once':
      return ''
    case 'once-per-journey':
      return journeyEntryKey(campaign.file.journey, draft.person.journeys)
    case 'once-per-entity':
      return event.entity ? entityKey(event.entity) : ''
    case 'every-time':
      return `${event.subject} ${event.source} ${event.id}`
  }
}

/** The newest episode of the journey; 0 for who was never on it. */
export function journeyEntryKey(journey: string, places: Person['journeys']): string {
  return `${journey}#${places[journey]?.episode ?? 0}`
}

function enrol(
  draft: Draft,
  event: JourneyEvent,
  campaign: CompiledCampaign,
  context: DecideContext,
): void {
  const entryKey = entryKeyOf(draft, event, campaign)
  const enrolment: Enrolment = {
    enrolmentId: context.deriveId('enrolment', campaign.id, event.subject, event.source, event.id),
    campaignId: campaign.id,
    version: campaign.version,
    entryKey,
    state: 'running',
    reason: null,
    step: null,
    enteredAt: context.now,
    endedAt: null,
    goalAt: null,
    entity: event.entity,
    trigger: {
      source: event.source,
      id: event.id,
      type: event.type,
      time: event.time,
      data: event.data,
      ...(event.day !== undefined && { day: event.day }),
    },
    traceparent: event.traceparent,
  }
  draft.entries.set(entryOf(campaign.id, entryKey), context.now)
  draft.enrolments.set(enrolment.enrolmentId, enrolment)
  const heldOut = heldOutBy(draft, campaign, context)
  if (heldOut) {
    end(draft, enrolment, 'exited', heldOut, context)
    return
  }
  noteOf(draft, enrolment, 'enrolled')
  goOnIn(campaign, draft, enrolment, campaign.first, context)
}

/**
 * By who the person is, so that it is the same people every time: of one campaign, and of all campaigns
 * of some classes together. They enter and get nothing, to be counted beside the others.
 */
export function heldOutBy(
  { person: { personId } }: Draft,
  { id, file }: CompiledCampaign,
  { definition: { holdOut } }: DecideContext,
): HeldOutReason | null {
  if (file.class === 'care') return null
  if (file.holdOut !== undefined && fractionOf(`hold-out/${id}/${personId}`) * 100 < file.holdOut)
    return 'held_out'
  const isOfAll =
    holdOut?.classes.includes(file.class) &&
    fractionOf(`hold-out/${personId}`) * 100 < holdOut.percent
  return isOfAll ? 'held_out_of_all' : null
}
