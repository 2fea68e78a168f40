import {
  type Condition,
  compileCondition,
  type Facts,
  type Predicate,
  traceCondition,
} from '@wegwijs/campaign/condition'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { DraftMap } from '@wegwijs/campaign/draft-map'
import { partsOfField } from '@wegwijs/campaign/facts'
import { addDuration, yearOf } from '@wegwijs/campaign/instant'
import type { JsonObject } from '@wegwijs/campaign/json'
import type { JourneyEvent, Person } from '@wegwijs/campaign/state'

/**
 * A core that knows the narrow language and no more: a touchpoint with its condition, an audience, a
 * message at once, a wait of some length and what follows it. Of the campaigns of hospital.ts it
 * decides what Wegwijs decides, so that the difference is what all the rest of the language costs where
 * nobody uses it.
 */
export type NarrowCore = (before: Known, event: JourneyEvent, now: string) => NarrowState

type Known = {
  readonly person: Pick<Person, 'personId' | 'fields' | 'journeys' | 'persona'>
  readonly enrolments: ReadonlyMap<string, object>
  readonly timers: ReadonlyMap<string, object>
  readonly intents: ReadonlyMap<string, object>
  readonly entries: ReadonlyMap<string, string>
}

export type NarrowState = {
  person: Known['person']
  enrolments: DraftMap<object>
  timers: DraftMap<object>
  intents: DraftMap<object>
  entries: DraftMap<string>
  decisions: Noted[]
}
type Noted = { campaignId: string; reason: string; detail: JsonObject | null }

type Narrow = {
  file: CampaignFile
  policy: DefinitionBundle['policies']['classes']['care']
  triggerHolds: Predicate
  audienceHolds: Predicate
  message: { id: string; template: string; hash: string; channels: readonly string[] }
  waitFor: string | null
}

export function narrowCore(
  bundle: DefinitionBundle,
  deriveId: (...parts: string[]) => string,
): NarrowCore {
  const { timeZone } = bundle.policies
  const personas = bundle.personas.personas.map(({ id, when }) => ({ id, holds: holdsOf(when) }))
  const touchpoints = new Map(bundle.touchpoints.touchpoints.map((each) => [each.type, each]))
  const starters = Map.groupBy(
    bundle.campaigns.map((file) => narrowOf(file, bundle)),
    ({ file }) => placeOf(file),
  )

  return (before, event, now) => {
    const state: NarrowState = {
      person: before.person,
      enrolments: new DraftMap<object>(before.enrolments),
      timers: new DraftMap<object>(before.timers),
      intents: new DraftMap<object>(before.intents),
      entries: new DraftMap<string>(before.entries),
      decisions: [],
    }
    const facts = { read: readerOf(state, event, now, timeZone), timesOf: () => 0, now, timeZone }
    state.person = moved(state.person, event, touchpoints.get(event.type))
    const persona = personas.find(({ holds }) => holds(facts))?.id ?? null
    if (persona !== state.person.persona) state.person = { ...state.person, persona }
    for (const campaign of starters.get(`${event.type} ${persona}`) ?? []) {
      const refusal = refusalOf(campaign, facts)
      if (refusal) state.decisions.push({ campaignId: campaign.file.id, ...refusal })
      else enter(state, campaign, event, now)
    }
    return state
  }

  function enter(state: NarrowState, campaign: Narrow, event: JourneyEvent, now: string): void {
    const { id } = campaign.file
    const { source, subject, type, time, data, entity, traceparent } = event
    const enrolmentId = deriveId('enrolment', id, subject, source, event.id)
    const entryKey = `${subject} ${source} ${event.id}`
    const waits = campaign.waitFor !== null
    const note = (reason: string, detail: JsonObject | null = null) =>
      state.decisions.push({ campaignId: id, reason, detail })
    note('enrolled')
    state.entries.set(`${id} ${entryKey}`, now)
    state.enrolments.set(enrolmentId, {
      ...{ enrolmentId, campaignId: id, version: 1, entryKey, enteredAt: now, entity, traceparent },
      ...{ state: waits ? 'running' : 'completed', reason: waits ? null : 'completed' },
      ...{ step: waits ? '1' : null, endedAt: waits ? null : now, goalAt: null },
      trigger: { source, id: event.id, type, time, data },
    })
    const { message, policy } = campaign
    const intentId = deriveId('intent', enrolmentId, '0', '0')
    state.intents.set(intentId, {
      ...{ intentId, enrolmentId, campaignId: id, version: 1, messageId: message.id, step: '0' },
      ...{ class: campaign.file.class, lane: policy.lane, unknownOutcome: policy.unknownOutcome },
      ...{ templateId: message.template, templateHash: message.hash, channels: message.channels },
      ...{ state: 'planned', reason: null, duplicate: false, insteadOf: null },
      ...{ entity, traceparent, plannedAt: now, dueAt: now },
      expiresAt: addDuration(now, policy.expires, timeZone),
    })
    note('message_planned', { message: message.id, dueAt: now })
    if (campaign.waitFor === null) {
      note('completed')
      return
    }
    const dueAt = addDuration(now, campaign.waitFor, timeZone)
    const timerId = deriveId('timer', enrolmentId, '1')
    state.timers.set(timerId, { timerId, enrolmentId, step: '1', dueAt })
    note('waiting', { step: '1', until: dueAt })
  }
}

function holdsOf(condition: Parameters<typeof compileCondition>[0] | undefined): Predicate {
  return condition ? compileCondition(condition) : () => true
}

/** By touchpoint and persona: an event meets only what may want it. */
function placeOf({ trigger, audience }: CampaignFile): string {
  const touchpoint = 'touchpoint' in trigger ? trigger.touchpoint : ''
  return `${touchpoint} ${audience.personas?.[0]}`
}

function narrowOf(file: CampaignFile, bundle: DefinitionBundle): Narrow {
  const [first, second] = file.steps
  if (!first || !('message' in first) || !('touchpoint' in file.trigger))
    throw new RangeError(`campaign ${file.id} says more than the narrow core knows`)
  const { id, template, channels = [] } = first.message
  const hash = bundle.templates.find((each) => each.id === template)?.hash ?? ''
  const wait = second && 'wait' in second && 'for' in second.wait ? second.wait.for : undefined
  return {
    file,
    policy: bundle.policies.classes[file.class],
    triggerHolds: holdsOf(file.trigger.where),
    audienceHolds: holdsOf(file.audience.where),
    message: { id, template: String(template), hash, channels: channels as string[] },
    waitFor: wait ?? null,
  }
}

/** Why somebody does not enter, with what was seen of each part of the condition. */
function refusalOf(
  { file, triggerHolds, audienceHolds }: Narrow,
  facts: Facts,
): Omit<Noted, 'campaignId'> | null {
  const trace = (reason: string, condition: Condition | undefined) => ({
    reason,
    detail: condition ? { leaves: traceCondition(condition, facts).leaves } : null,
  })
  if (!triggerHolds(facts)) {
    return trace('trigger_false', 'touchpoint' in file.trigger ? file.trigger.where : undefined)
  }
  return audienceHolds(facts) ? null : trace('condition_false', file.audience.where)
}

function readerOf(
  { person }: NarrowState,
  event: JourneyEvent,
  now: string,
  timeZone: string,
): Facts['read'] {
  return (field) => {
    const { root, name } = partsOfField(field)
    if (root === 'event') return event.data[name]
    if (root !== 'person') return undefined
    const { birthYear } = person.fields
    return name === 'age' && typeof birthYear === 'number'
      ? yearOf(now, timeZone) - birthYear
      : person.fields[name]
  }
}

function moved(
  person: NarrowState['person'],
  { time }: JourneyEvent,
  touchpoint: { journey?: string | undefined; phase?: string | undefined } | undefined,
): NarrowState['person'] {
  if (!touchpoint?.journey || !touchpoint.phase) return person
  const place = person.journeys[touchpoint.journey]
  if (place && time < place.since) return person
  const next = { phase: touchpoint.phase, episode: place?.episode ?? 1, since: time }
  return { ...person, journeys: { ...person.journeys, [touchpoint.journey]: next } }
}
