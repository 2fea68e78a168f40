import { campaignFieldsOf } from '@wegwijs/campaign/catalogue'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { createWords } from '@wegwijs/campaign/explain/language'
import { reservedNames } from '@wegwijs/campaign/explain/reserved-names'
import { everyStep, partsOf } from '@wegwijs/campaign/steps/registry'
import type { CampaignSpecifications } from '@wegwijs/definition/load-definition'
import type { Unmet } from '@wegwijs/dry-run/expectations'
import type { History, PlayedSpecification, Stage } from '@wegwijs/dry-run/specification'
import type { DecisionFact, EventFact, MessageFact, PersonFacts } from '@wegwijs/store/explain'
import { formatStory, type StoryDefinition, tellStory } from './story.ts'

/** A specification and how it went. */
export type Tested = {
  campaign: string
  name: string
  file: string
  line: number
  /** In the order of the lines; none when it holds. */
  unmet: (Omit<Unmet, 'path'> & { line: number; column: number })[]
  /** Ids of the messages of the campaign that were sent in it. */
  sent: string[]
  /** What happened to its person, line by line; only told of one that does not hold. */
  timeLine: string[]
}

export function testedOf(
  { campaign, file, specifications, positionOf }: CampaignSpecifications,
  index: number,
  { unmet, ...played }: PlayedSpecification,
  stage: Pick<Stage, 'bundle' | 'definition'>,
): Tested {
  return {
    campaign,
    name: specifications[index]?.name ?? '',
    file,
    line: positionOf(index, []).line,
    unmet: unmet.map(({ path, ...each }) => ({ ...positionOf(index, path), ...each })),
    sent: played.history.messages
      .filter(({ intent, rendered }) => rendered !== null && intent.campaignId === campaign)
      .map(({ intent }) => intent.messageId),
    timeLine: unmet.length === 0 ? [] : timeLineOf(played, campaign, stage),
  }
}

/** What of the campaigns no specification speaks of. */
export type Untested = {
  /** Campaigns that have none. */
  campaigns: string[]
  /** Messages of the others that are sent in none of theirs. */
  messages: { campaign: string; message: string }[]
}

export function untestedOf(
  campaigns: readonly CampaignFile[],
  tested: readonly Tested[],
): Untested {
  const own = Map.groupBy(tested, ({ campaign }) => campaign)
  return {
    campaigns: campaigns.flatMap(({ id }) => (own.has(id) ? [] : [id])),
    messages: campaigns.flatMap(({ id, steps }) => {
      const sent = own.get(id)?.flatMap((each) => each.sent)
      return everyStep(steps).flatMap((step) => {
        const { message } = partsOf(step)
        return sent && message && !sent.includes(message.id)
          ? [{ campaign: id, message: message.id }]
          : []
      })
    }),
  }
}

/** What `--json` prints. */
export function testReport(tested: readonly Tested[], untested: Untested) {
  const failed = tested.filter(({ unmet }) => unmet.length > 0).length
  return {
    held: tested.length - failed,
    failed,
    specifications: tested.map(({ campaign, name, file, line, unmet, timeLine }) => ({
      campaign,
      name,
      file,
      line,
      holds: unmet.length === 0,
      ...(unmet.length === 0 ? {} : { unmet, timeLine }),
    })),
    untested,
  }
}

/** A line each, under the name of their campaign; below one that does not hold, why. */
export function testReportLines(tested: readonly Tested[], bundle: DefinitionBundle): string[] {
  const names = new Map(bundle.campaigns.map(({ id, name }) => [id, name]))
  return [...Map.groupBy(tested, ({ campaign }) => campaign)].flatMap(([id, own], index) => [
    ...(index === 0 ? [] : ['']),
    `${id}: ${names.get(id) ?? ''}`,
    ...own.flatMap(specificationLines),
  ])
}

function specificationLines({ name, file, unmet, timeLine }: Tested): string[] {
  if (unmet.length === 0) return [`  ✓ ${name}`]
  return [
    `  ✗ ${name}`,
    ...unmet.flatMap(({ line, column, expected, happened }) => [
      `      ${file}:${line}:${column}`,
      `        expected  ${expected}`,
      ...happened.map((each, index) => `        ${index === 0 ? 'but' : '   '}       ${each}`),
    ]),
    '      what happened',
    ...timeLine.map((line) => `        ${line}`),
    '',
  ]
}

type Played = Omit<PlayedSpecification, 'unmet'>

/** What happened, in the sentences of a story; which other campaigns did not let them in is left out. */
function timeLineOf(
  { history, state }: Played,
  campaign: string,
  stage: Pick<Stage, 'bundle' | 'definition'>,
): string[] {
  const { bundle } = stage
  const { timeZone } = bundle.policies
  const names = new Map(bundle.touchpoints.touchpoints.map(({ type, name }) => [type, name.en]))
  const reserved: Readonly<Record<string, { en: string }>> = reservedNames
  const nameOfType = (type: string) => names.get(type) ?? reserved[type]?.en ?? type
  const decisions = history.decisions.filter(
    ({ decision: { campaignId, enrolmentId } }) =>
      campaignId === null || campaignId === campaign || enrolmentId !== null,
  )
  const facts = factsOf({ history: { ...history, decisions }, state }, bundle)
  const told = tellStory(facts, { timeZone, nameOfType, definition: tellingOf(stage) })
  return formatStory(told, timeZone)
}

/** Nobody is hidden in a specification: its person is invented. */
function tellingOf({ bundle, definition }: Pick<Stage, 'bundle' | 'definition'>): StoryDefinition {
  const touchpoints = new Map(bundle.touchpoints.touchpoints.map(({ type, name }) => [type, name]))
  const { timeZone } = bundle.policies
  return {
    campaigns: definition.campaigns,
    wordsFor: ({ file }) =>
      createWords('en', {
        timeZone,
        fields: campaignFieldsOf(bundle, file),
        touchpoints,
        showsHealth: true,
      }),
  }
}

/** What was played as what would have been stored, so that it is told in the same sentences. */
function factsOf({ history, state }: Played, bundle: DefinitionBundle): PersonFacts {
  const { personId, persona, deceasedAt } = state.person
  return {
    personId,
    identities: [],
    persona,
    deceasedAt,
    test: true,
    businessNow: '',
    events: history.events.map(eventFact),
    enrolments: [],
    decisions: history.decisions.map(decisionFact),
    messages: messageFacts(history, state, bundle),
    stops: [],
  }
}

function eventFact({ at, event, outcome }: History['events'][number]): EventFact {
  const { source, id, subject, type, time, entity } = event
  return {
    source,
    id,
    subject,
    type,
    time,
    businessAt: at,
    entity: entity && `${entity.type}/${entity.id}`,
    version: entity && entity.version,
    persona: null,
    outcome,
  }
}

function decisionFact({ at, decision, event }: History['decisions'][number]): DecisionFact {
  return { businessAt: at, source: event?.source ?? null, eventId: event?.id ?? null, ...decision }
}

function messageFacts(
  { messages }: History,
  { intents }: PlayedSpecification['state'],
  { channels }: DefinitionBundle,
): MessageFact[] {
  const ended = new Map(messages.map((message) => [message.intent.intentId, message]))
  const planned = [...intents.values()].filter(({ intentId }) => !ended.has(intentId))
  return [...[...ended.values()].map(({ intent }) => intent), ...planned].map((intent) => {
    const { at, channel, rendered } = ended.get(intent.intentId) ?? {}
    // What a provider told later stands in the state.
    const { state, reason } = intents.get(intent.intentId) ?? intent
    const provider = channel === undefined ? '' : (channels[channel]?.provider ?? channel)
    const attempt = {
      businessAt: at ?? '',
      channel: channel ?? '',
      provider,
      outcome: 'accepted',
      reason: null,
      duplicate: false,
    }
    return {
      intentId: intent.intentId,
      enrolmentId: intent.enrolmentId,
      campaignId: intent.campaignId,
      version: intent.version,
      messageId: intent.messageId,
      templateId: intent.templateId,
      state,
      reason,
      detail: null,
      recipient: intent.recipient
        ? { personId: intent.recipient.personId, as: intent.recipient.kind }
        : null,
      channels: intent.channels,
      channel: channel ?? null,
      provider,
      plannedAt: intent.plannedAt,
      dueAt: intent.dueAt,
      expiresAt: intent.expiresAt,
      settledAt: at ?? null,
      attempts: rendered ? [attempt] : [],
    }
  })
}
