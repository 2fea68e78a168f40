import type { JsonObject } from '@wegwijs/campaign/json'
import { isHeldOut } from '@wegwijs/campaign/reasons'
import { hasReservedName } from '@wegwijs/campaign/reserved-types'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import type {
  CampaignFacts,
  DecisionFact,
  EnrolmentFact,
  EventFact,
  MessageFact,
  PersonFacts,
} from './explain.ts'

/**
 * What one campaign came to for one person, from stored facts alone (P4): also when it never looked
 * at them, because an index meets an event only with the campaigns that could want it (P8).
 */
export type Verdict = {
  campaignId: string
  /** The version that decided, or that was live; null when none was. */
  version: number | null
  outcome: 'enrolled' | 'refused' | 'not_considered'
  /** A code of the closed list, which a newer Wegwijs may have made longer. */
  reason: string
  detail: JsonObject | null
  /** The event that it is about; null when it looked by itself, or when the person never had one. */
  event: EventFact | null
  enrolment: EnrolmentFact | null
  messages: readonly MessageFact[]
}

/**
 * One verdict per event that could have started the campaign, and per moment at which it looked by itself,
 * since a date had come or a day had passed; or one that says that none came.
 */
export function verdictsOf(facts: PersonFacts, campaign: CampaignFacts): Verdict[] {
  const triggers = new Set(campaign.versions.flatMap(({ file }) => typesOf(file)))
  const events = facts.events.filter(
    (event) =>
      triggers.has(event.type) &&
      (isTouchpoint(event) ||
        event.enrols === campaign.campaignId ||
        hasLooked(facts, campaign, event)),
  )
  const verdicts = [
    ...events.map((event) => verdictOf(facts, campaign, event)),
    ...byThemselves(facts, campaign),
  ]
  // What one waits for that cannot be read is not known for sure.
  if (verdicts.length > 0 || campaign.versions.at(-1)?.unclear) return verdicts
  return [
    {
      ...nothing(campaign),
      version: campaign.versions.at(-1)?.version ?? null,
      reason: 'trigger_other_touchpoint',
      detail: { waitsFor: [...triggers] },
    },
  ]
}

/** Types of the events that may start it. */
function typesOf({ trigger }: CampaignFacts['versions'][number]['file']): readonly string[] {
  const { types, becomes } = triggerPartsOf(trigger)
  return becomes?.types ?? types
}

/** What was decided about entering without an event. */
function byThemselves(facts: PersonFacts, campaign: CampaignFacts): Verdict[] {
  return facts.decisions
    .filter(({ source, campaignId }) => source === null && campaignId === campaign.campaignId)
    .filter(
      ({ enrolmentId, intentId, reason }) =>
        intentId === null && (enrolmentId === null || reason === 'enrolled' || isHeldOut(reason)),
    )
    .map((decision) => verdictOfDecision(facts, campaign, decision, null))
}

/** Of what is ours, such as a profile, most is not about what a campaign waits for. */
function isTouchpoint({ type }: EventFact): boolean {
  return !hasReservedName(type)
}

function hasLooked(facts: PersonFacts, campaign: CampaignFacts, event: EventFact): boolean {
  return facts.decisions.some(
    ({ source, eventId, campaignId }) =>
      source === event.source && eventId === event.id && campaignId === campaign.campaignId,
  )
}

function verdictOf(facts: PersonFacts, campaign: CampaignFacts, event: EventFact): Verdict {
  const decisions = facts.decisions.filter(
    (decision) =>
      decision.source === event.source &&
      decision.eventId === event.id &&
      decision.campaignId === campaign.campaignId,
  )
  const decision =
    decisions.find(({ reason }) => reason === 'enrolled') ??
    // Who is held out enters, so as to be counted, and gets nothing.
    decisions.find(({ enrolmentId, reason }) => enrolmentId === null || isHeldOut(reason))
  return decision
    ? verdictOfDecision(facts, campaign, decision, event)
    : notConsidered(campaign, event)
}

function verdictOfDecision(
  facts: PersonFacts,
  campaign: CampaignFacts,
  { enrolmentId, version, reason, detail }: DecisionFact,
  event: EventFact | null,
): Verdict {
  const verdict = { ...nothing(campaign), version, event }
  if (reason !== 'enrolled') return { ...verdict, outcome: 'refused', reason, detail }
  return {
    ...verdict,
    outcome: 'enrolled',
    reason: 'enrolled',
    enrolment: facts.enrolments.find((each) => each.enrolmentId === enrolmentId) ?? null,
    messages: facts.messages.filter((message) => message.enrolmentId === enrolmentId),
  }
}

/** Why the campaign did not meet this event at all; the order is that of the way in. */
function notConsidered(campaign: CampaignFacts, event: EventFact): Verdict {
  const live = liveAt(campaign, event.businessAt)
  const verdict = { ...nothing(campaign), version: live?.version ?? null, event }
  if (event.outcome !== 'applied') return { ...verdict, reason: event.outcome }
  if (!live) return { ...verdict, reason: 'campaign_not_live' }
  const { trigger, audience } = live.file
  const { types } = triggerPartsOf(trigger)
  if (!types.includes(event.type)) {
    const detail = { waitsFor: [...types] }
    return { ...verdict, reason: 'trigger_other_touchpoint', detail }
  }
  if (audience.personas && !audience.personas.includes(event.persona ?? '')) {
    const detail = { persona: event.persona, personas: audience.personas }
    return { ...verdict, reason: 'persona_not_in_audience', detail }
  }
  // All that is left: a campaign that had ended by then keeps its versions but is live no more.
  return { ...verdict, reason: 'campaign_not_live' }
}

function liveAt(
  campaign: CampaignFacts,
  businessAt: string,
): CampaignFacts['versions'][number] | undefined {
  return campaign.versions.findLast((version) => version.publishedAt <= businessAt)
}

function nothing(campaign: CampaignFacts): Verdict {
  return {
    campaignId: campaign.campaignId,
    version: null,
    outcome: 'not_considered',
    reason: 'trigger_other_touchpoint',
    detail: null,
    event: null,
    enrolment: null,
    messages: [],
  }
}
