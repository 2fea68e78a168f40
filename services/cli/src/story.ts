import type { CompiledCampaign } from '@wegwijs/campaign/compiled-campaign'
import { tellDecision } from '@wegwijs/campaign/explain/decision'
import type { Words } from '@wegwijs/campaign/explain/words'
import { isReasonCode, type ReasonCode, reasons } from '@wegwijs/campaign/reasons'
import { campaignKey } from '@wegwijs/campaign/state'
import type {
  AttemptFact,
  DecisionFact,
  EventFact,
  MessageFact,
  PersonFacts,
} from '@wegwijs/store/explain'
import { attemptReasonText } from './attempt-reasons.ts'

/**
 * One person's story from stored facts, line by line in business time: what happened, what each
 * campaign decided about it and why, what was sent. Codes become sentences by the closed list.
 */
export type StoryLine = { at: string; depth: 0 | 1; text: string }

export type StoryWords = {
  /** On whose clocks moments are told. */
  timeZone: string
  /** An event that was taken in so much later than it happened is told as late. Default: an hour. */
  lateAfterMs?: number
  /** What a type of event is called. Default: its code. */
  nameOfType?: (type: string) => string
  /** The definition that decided, whose steps tell what their decisions meant. Default: reasons alone. */
  definition?: StoryDefinition | null
}

export type StoryDefinition = {
  campaigns: ReadonlyMap<string, CompiledCampaign>
  wordsFor(campaign: CompiledCampaign): Words
}

const HOUR_MS = 3_600_000

export function tellStory(facts: PersonFacts, words: StoryWords): StoryLine[] {
  const known = new Map(facts.messages.map((message) => [message.intentId, message]))
  const defaults = { lateAfterMs: HOUR_MS, nameOfType: (type: string) => type, definition: null }
  const context: Context = { ...defaults, ...words, known }
  const byEvent = Map.groupBy(facts.decisions, (decision) =>
    keyOf(decision.source, decision.eventId),
  )
  const withoutEvent = facts.decisions.filter(
    (decision) => decision.source === null && !isOfStaff(decision),
  )
  const receipts = facts.events.filter(isReceipt)
  const others = facts.events.filter((event) => !isReceipt(event))
  const ledTo = (event: EventFact) => byEvent.get(keyOf(event.source, event.id)) ?? []
  const chapters = [
    ...others.map((event) => eventChapter(event, ledTo(event), context)),
    ...[
      ...Map.groupBy(withoutEvent, (decision) => `${decision.businessAt} ${decision.enrolmentId}`),
    ].map(([, decisions]) => ownChapter(decisions, facts, context)),
    ...facts.decisions.flatMap((decision) => staffChapter(decision, context)),
    ...facts.messages.flatMap(messageChapters),
    // At one moment a message is sent before it arrives. A receipt is told of where its message is; only
    // what it led to is a chapter of its own.
    ...receipts
      .filter((event) => ledTo(event).length > 0)
      .map((event) => eventChapter(event, ledTo(event), context)),
  ]
  return chapters
    .map((lines, index) => ({ lines, index, at: lines[0]?.at ?? '' }))
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.index - b.index))
    .flatMap(({ lines }) => lines)
}

function isReceipt({ type }: EventFact): boolean {
  return type.startsWith('message.')
}

/** `2026-03-14 08:30  text`, on the clocks of `timeZone`. */
export function formatStory(lines: readonly StoryLine[], timeZone: string): string[] {
  let shown = ''
  return lines.map(({ at, depth, text }) => {
    const time = localTime(at, timeZone)
    const margin = time === shown && depth > 0 ? ' '.repeat(time.length) : time
    shown = time
    return `${margin}  ${depth === 0 ? '' : '  → '}${text}`
  })
}

export function localTime(instant: string, timeZone: string): string {
  // The Swedish way of writing a moment is the international one.
  const parts = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'short',
  })
  return parts.format(Date.parse(instant))
}

export function reasonText(code: string): string {
  return isReasonCode(code) ? reasons[code].text.en : code
}

function keyOf(source: string | null, id: string | null): string {
  return JSON.stringify([source, id])
}

type Context = Required<StoryWords> & { known: ReadonlyMap<string, MessageFact> }

function eventChapter(
  event: EventFact,
  decisions: readonly DecisionFact[],
  context: Context,
): StoryLine[] {
  const { timeZone, lateAfterMs, nameOfType } = context
  const at = event.businessAt
  const isLate = Date.parse(at) - Date.parse(event.time) > lateAfterMs
  const late = isLate ? ` (happened ${localTime(event.time, timeZone)})` : ''
  const outcome = event.outcome === 'applied' ? '' : `: ${reasonText(event.outcome)}`
  const entity = event.entity === null ? '' : ` ${event.entity} v${event.version}`
  const source = event.source.split(':').at(-1)
  return [
    { at, depth: 0, text: `${nameOfType(event.type)}${entity} from ${source}${late}${outcome}` },
    ...decisions.map((decision) => decisionLine(decision, context)),
  ]
}

/** What was decided without an event, in one moment about one run, or about beginning one. */
function ownChapter(
  decisions: readonly DecisionFact[],
  facts: PersonFacts,
  context: Context,
): StoryLine[] {
  const [first] = decisions
  if (!first) return []
  return [
    { at: first.businessAt, depth: 0, text: whyByItself(first, decisions, facts) },
    ...decisions.map((decision) => decisionLine(decision, context)),
  ]
}

/** Mostly a time came. A new version may move a run, though, and the end of a message let it go on earlier. */
function whyByItself(
  first: DecisionFact,
  decisions: readonly DecisionFact[],
  facts: PersonFacts,
): string {
  const { campaignId, enrolmentId, businessAt } = first
  if (decisions.some(({ reason }) => reason === 'moved_to_version'))
    return `a new version of ${campaignId} took over`
  const begins = enrolmentId === null || decisions.some(({ reason }) => reason === 'enrolled')
  const until = begins ? businessAt : waitedUntil(first, facts)
  if (until !== null && until <= businessAt) return `the time of ${campaignId} had come`
  const isOver = decisions.some(({ reason }) => endsOfCascade.has(reason))
  if (until !== null && isOver)
    return `the message that ${campaignId} waited for had come to its end`
  return `${campaignId} was looked at again`
}

/** What follows at once when nothing more is to be heard of the message at whose step a run stands. */
const endsOfCascade: ReadonlySet<string> = new Set<ReasonCode>([
  'awaited_came',
  'awaited_not_in_time',
  'message_next_channel',
])

/** Until when its run had begun to wait before it; null when that is not on record, or not any more. */
function waitedUntil(decision: DecisionFact, { decisions }: PersonFacts): string | null {
  const until = decisions
    .slice(0, decisions.indexOf(decision))
    .findLast((each) => each.reason === 'waiting' && each.enrolmentId === decision.enrolmentId)
    ?.detail?.until
  return typeof until === 'string' ? until : null
}

function isOfStaff({ detail }: DecisionFact): boolean {
  return typeof detail?.words === 'string'
}

/** What staff decided about a message, in their own words. */
function staffChapter(decision: DecisionFact, { known }: Context): StoryLine[][] {
  const message = known.get(decision.intentId ?? '')
  if (!isOfStaff(decision) || message === undefined) return []
  const { words, by } = decision.detail ?? {}
  const name = `${message.campaignId}/${message.messageId}`
  const text = `message ${name}: ${reasonText(decision.reason)} ("${words}", ${by})`
  return [[{ at: decision.businessAt, depth: 0, text }]]
}

function decisionLine(decision: DecisionFact, context: Context): StoryLine {
  const { campaignId, version, businessAt: at, reason, unreadable } = decision
  const campaign = context.definition?.campaigns.get(campaignKey(campaignId ?? '', version ?? 0))
  if (!campaign || !context.definition || !isReasonCode(reason) || unreadable)
    return reasonLine(decision, context)
  const clause = tellDecision(
    {
      at,
      decision: { ...decision, reason },
      campaign,
      messageId: context.known.get(decision.intentId ?? '')?.messageId ?? null,
      traces: [],
      refusedBy: null,
    },
    'en',
    context.definition.wordsFor(campaign),
  )
  return { at, depth: 1, text: `${campaignId}: ${clause}` }
}

/** Of a decision that nobody can tell more of, what its reason says. */
function reasonLine(decision: DecisionFact, { known, timeZone }: Context): StoryLine {
  const message = decision.intentId === null ? undefined : known.get(decision.intentId)
  const which = message === undefined ? '' : ` (${message.messageId}${dueText(message, timeZone)})`
  const until = decision.detail?.until
  const when = typeof until === 'string' ? ` until ${localTime(until, timeZone)}` : ''
  const who = decision.campaignId === null ? '' : `${decision.campaignId}: `
  return {
    at: decision.businessAt,
    depth: 1,
    text: `${who}${reasonText(decision.reason)}${when}${which}`,
  }
}

/** A message that waits says for when; one that was put off since no longer knows. */
function dueText({ plannedAt, dueAt, attempts }: MessageFact, timeZone: string): string {
  return dueAt > plannedAt && attempts.length < 2 ? ` for ${localTime(dueAt, timeZone)}` : ''
}

/** One chapter per attempt, and one for a message that came to an end without. */
function messageChapters(message: MessageFact): StoryLine[][] {
  const to = message.recipient ? ` to ${message.recipient.as} ${message.recipient.personId}` : ''
  const name = `${message.campaignId}/${message.messageId}${to}`
  const chapters = message.attempts.map((attempt, index) => [
    attemptLine(name, attempt, index === message.attempts.length - 1 ? message : null),
  ])
  const sent = message.attempts.some((attempt) => attempt.outcome === 'accepted')
  if (sent || message.settledAt === null) return chapters
  const text = `message ${name} ${message.state}: ${reasonText(message.reason ?? '')}${channelFaults(message)}`
  return [...chapters, [{ at: message.settledAt, depth: 0, text }]]
}

const attemptWords: Readonly<Record<string, string>> = {
  accepted: 'sent',
  refused: 'refused',
  deferred: 'put off by the provider',
  unknown: 'handed over, without an answer',
  not_started: 'not started',
}

function attemptLine(name: string, attempt: AttemptFact, last: MessageFact | null): StoryLine {
  const { businessAt, channel, provider, outcome, reason, duplicate } = attempt
  const words = attemptWords[outcome] ?? outcome
  const why = reason === null ? '' : ` (${attemptReasonText(reason)})`
  const again = duplicate ? ', marked as sent again' : ''
  const after =
    last !== null && (last.state === 'delivered' || last.state === 'bounced')
      ? `, ${last.state}`
      : ''
  return {
    at: businessAt,
    depth: 0,
    text: `message ${name} ${words} by ${channel} over ${provider}${why}${again}${after}`,
  }
}

/** What was wrong with each channel, when none could be used. */
function channelFaults({ detail }: MessageFact): string {
  const channels = detail?.channels
  if (typeof channels !== 'object' || channels === null) return ''
  const faults = Object.entries(channels).map(
    ([channel, reason]) => `${channel}: ${reasonText(String(reason))}`,
  )
  return faults.length === 0 ? '' : ` (${faults.join('; ')})`
}
