import type { CompiledCampaign } from '@wegwijs/campaign/compiled-campaign'
import type { LeafTrace } from '@wegwijs/campaign/condition'
import type { LocaleName } from '@wegwijs/campaign/definition/words'
import type { StartTrace, TouchpointTrace } from '@wegwijs/campaign/explain/campaign-trace'
import {
  type ConditionTrace,
  leavesOfTrace,
  leavesStoredWith,
  traceOfStored,
} from '@wegwijs/campaign/explain/condition-trace'
import { tellDecision, tellTrigger, tellWhen } from '@wegwijs/campaign/explain/decision'
import type { LabelledTrace, Words } from '@wegwijs/campaign/explain/words'
import { isHeldOut, isReasonCode, type ReasonCode, reasons } from '@wegwijs/campaign/reasons'
import { hasReservedName } from '@wegwijs/campaign/reserved-types'
import { campaignKey } from '@wegwijs/campaign/state'
import { toRecipient } from '@wegwijs/campaign/steps/message'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import { type ReplayedMoment, stepKey } from '@wegwijs/dry-run/replay'
import type { DecisionFact, EventFact, MessageFact, PersonFacts } from '@wegwijs/store/explain'
import { attemptReasonText } from './attempt-reasons.ts'
import { type ExplanationSpeech, explanationSpeeches } from './explanation-speech.ts'

/** One thing that happened, was decided or was sent, in a sentence. */
export type Explained = {
  at: string
  sentence: string
  /** 0: an event; 1: what it led to, and everything else. */
  depth: 0 | 1
  event: { source: string; id: string; type: string } | null
  reason: ReasonCode | null
  /** What somebody can do about it; null where there is nothing to do. */
  whatToDo: string | null
  /** Every condition that had a say, each with all its leaves. */
  conditions: readonly LabelledTrace[]
  /**
   * Whether deciding it again, with what is on record now, gives the same; null where nothing was to be
   * decided, or nothing could be.
   */
  agrees: boolean | null
  /** The conditions are not as they were stored, but worked out again. */
  isWorkedOut: boolean
}

export type Explaining = {
  facts: PersonFacts
  /** What was decided again; null where nothing could be, since not all of it can be read. */
  moments: readonly ReplayedMoment[] | null
  campaignId: string
  /** Its versions, by `campaign id @ version`. */
  versions: ReadonlyMap<string, CompiledCampaign>
  newest: CompiledCampaign
  /** Told of this event alone; null: of all that could have to do with the campaign. */
  onlyEvent: { source: string; id: string } | null
  locale: LocaleName
  /** Whose names of fields are those of the campaign and, for its data, of the event. */
  wordsFor(campaign: CompiledCampaign, eventType?: string): Words
}

/** Everything that one campaign came to for one person, in the order in which it happened (P4). */
export function explainCampaign(explaining: Explaining): Explained[] {
  const { facts, onlyEvent, campaignId } = explaining
  const events = facts.events.filter(
    ({ source, id }) => onlyEvent === null || (source === onlyEvent.source && id === onlyEvent.id),
  )
  const chapters = [
    ...events.filter((event) => !isReceipt(event)).map((event) => eventChapter(event, explaining)),
    ...(onlyEvent === null ? timerChapters(explaining) : []),
    ...facts.messages
      .filter((message) => message.campaignId === campaignId)
      .filter((message) => onlyEvent === null || isOfEvent(message, explaining))
      .flatMap((message) => messageChapters(message, explaining)),
    // At one moment a message is sent before it arrives.
    ...events.filter(isReceipt).map((event) => eventChapter(event, explaining)),
    ...(onlyEvent === null
      ? facts.decisions.flatMap((each) => staffChapter(each, explaining))
      : []),
  ].filter((lines) => lines.length > 0)
  if (chapters.length === 0) return explaining.newest.unclear ? [] : [neverChapter(explaining)]
  return chapters
    .map((lines, index) => ({ lines, index, at: lines[0]?.at ?? '' }))
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.index - b.index))
    .flatMap(({ lines }) => lines)
}

function isReceipt({ type }: EventFact): boolean {
  return type.startsWith('message.')
}

function isOfEvent({ enrolmentId }: MessageFact, { facts, onlyEvent }: Explaining): boolean {
  return facts.decisions.some(
    (decision) =>
      decision.enrolmentId === enrolmentId &&
      decision.source === onlyEvent?.source &&
      decision.eventId === onlyEvent?.id,
  )
}

function eventChapter(event: EventFact, explaining: Explaining): Explained[] {
  const { facts, moments, campaignId, locale, newest } = explaining
  const words = explaining.wordsFor(newest, event.type)
  const speech = explanationSpeeches[locale]
  const decisions = facts.decisions.filter(
    (decision) =>
      decision.source === event.source &&
      decision.eventId === event.id &&
      decision.campaignId === campaignId,
  )
  const moment = moments?.find((each) => isMomentOf(each, event))
  const touched = (moment?.touchpoints ?? []).filter((trace) => trace.campaignId === campaignId)
  const told = decisions.map((decision) => decisionLine(decision, moment, explaining))
  const passed = touched
    .filter(({ holds }) => !holds)
    .map((trace) => touchedLine(trace, event, words, explaining))
  const isAbout = decisions.some(
    ({ enrolmentId, reason }) => enrolmentId === null || reason === 'enrolled' || isHeldOut(reason),
  )
  const silent = isAbout ? [] : notConsidered(event, moment, explaining)
  const lines = [...told, ...passed, ...silent]
  return lines.length === 0 ? [] : [headLine(event, words, speech), ...lines]
}

function isMomentOf({ event }: ReplayedMoment, { source, id, subject }: EventFact): boolean {
  return event?.source === source && event.id === id && event.subject === subject
}

function headLine(event: EventFact, words: Words, speech: ExplanationSpeech): Explained {
  const { businessAt: at, source, id, type, time, outcome } = event
  const isLate = Date.parse(at) - Date.parse(time) > 3_600_000
  const late = isLate ? speech.happenedAt(words.moment(time)) : ''
  const about = event.entity === null ? '' : speech.about(event.entity, event.version ?? 0)
  const from = source.split(':').at(-1) ?? source
  const rest =
    outcome === 'applied' || hasReservedName(type)
      ? ''
      : speech.notApplied(reasonText(outcome, words))
  return {
    ...plain,
    at,
    depth: 0,
    event: { source, id, type },
    sentence: `${speech.cameIn(words.moment(at), words.touchpoint(type), from)}${about}${late}${rest}.`,
  }
}

const plain = {
  depth: 1,
  event: null,
  reason: null,
  whatToDo: null,
  conditions: [],
  agrees: null,
  isWorkedOut: false,
} as const satisfies Partial<Explained>

/** A decision that is stored, with what its conditions saw: as stored, or as deciding again shows. */
function decisionLine(
  decision: DecisionFact,
  moment: ReplayedMoment | undefined,
  explaining: Explaining,
  isFirst = false,
): Explained {
  const { locale, versions, newest, campaignId } = explaining
  const campaign = versions.get(campaignKey(campaignId, decision.version ?? 0)) ?? newest
  const words = explaining.wordsFor(campaign)
  const speech = explanationSpeeches[locale]
  const opening = isFirst ? tellWhen(decision.businessAt, locale, words) : speech.thereupon
  const told = asTold(decision)
  if (!told) return unreadableLine(decision, opening, speech)
  const agrees = agreesWith(decision, moment)
  const traces = agrees === true ? stepTraces(decision, moment) : []
  const refusedBy = storedTrace(decision, campaign)
  const start =
    agrees === true ? moment?.starts.find((each) => each.campaignId === campaignId) : undefined
  const clause = tellDecision(
    {
      at: decision.businessAt,
      decision: told,
      campaign,
      messageId: messageOf(decision, explaining),
      traces,
      refusedBy,
    },
    locale,
    words,
  )
  const run = whichRun(decision.enrolmentId, words, explaining)
  const why = told.reason === 'enrolled' && start ? beganBecause(start, words, speech) : ''
  const conditions = [
    ...traces,
    ...(refusedBy ? [{ label: labelOf(told.reason), trace: refusedBy }] : []),
    ...(told.reason === 'enrolled' && start ? startConditions(start) : []),
  ]
  const doubt = agrees === false ? ` ${speech.differs(rebuiltText(moment, explaining, words))}` : ''
  return {
    ...plain,
    at: decision.businessAt,
    sentence: `${opening} ${clause}${run}${why}.${doubt}`,
    reason: told.reason,
    whatToDo: whatToDoOf(told.reason, locale),
    conditions,
    agrees,
    isWorkedOut: refusedBy === null,
  }
}

/**
 * Of several runs of the campaign, which one is meant: what is true of one is not of the others. A run is
 * told by its appointment or stay, or by when it began.
 */
function whichRun(
  enrolmentId: string | null,
  words: Words,
  { facts, campaignId, locale }: Explaining,
): string {
  const runs = facts.enrolments.filter((each) => each.campaignId === campaignId)
  const run = runs.find((each) => each.enrolmentId === enrolmentId)
  if (!run || runs.length === 1) return ''
  const began = facts.decisions.find(
    (each) => each.enrolmentId === enrolmentId && each.reason === 'enrolled',
  )
  const { entity } =
    facts.events.find(({ source, id }) => source === began?.source && id === began.eventId) ?? {}
  const speech = explanationSpeeches[locale]
  return entity ? speech.runAbout(entity) : speech.runSince(words.moment(run.enteredAt))
}

/** Null when nobody can read it: a newer Wegwijs has decided it, or somebody has changed the row. */
function asTold(decision: DecisionFact): (DecisionFact & { reason: ReasonCode }) | null {
  const { reason, unreadable } = decision
  return isReasonCode(reason) && !unreadable ? { ...decision, reason } : null
}

function unreadableLine(
  { businessAt: at, reason }: DecisionFact,
  opening: string,
  { unreadableDecision }: ExplanationSpeech,
): Explained {
  const { told, whatToDo } = unreadableDecision
  return { ...plain, at, sentence: `${opening} ${told(reason)}.`, whatToDo }
}

function messageOf(decision: DecisionFact, { facts }: Explaining): string | null {
  const message = facts.messages.find(({ intentId }) => intentId === decision.intentId)
  return message?.messageId ?? null
}

function labelOf(reason: string): string {
  return reason === 'trigger_false' ? 'trigger' : 'audience'
}

function startConditions({ trigger, audience }: StartTrace): LabelledTrace[] {
  return [
    ...(trigger ? [{ label: 'trigger', trace: trigger }] : []),
    ...(audience ? [{ label: 'audience', trace: audience }] : []),
  ]
}

function beganBecause(start: StartTrace, words: Words, speech: ExplanationSpeech): string {
  const conditions = startConditions(start).map(({ trace }) => words.because(trace))
  return conditions.length === 0 ? '' : speech.because(conditions.join(speech.and))
}

/** The values that a refusal saw are stored with it. */
function storedTrace(
  { reason, detail }: DecisionFact,
  { file }: CompiledCampaign,
): ConditionTrace | null {
  const leaves = leavesStoredWith(detail ?? {})
  if (!leaves) return null
  const condition =
    reason === 'trigger_false' ? triggerPartsOf(file.trigger).where?.condition : file.audience.where
  return condition ? traceOfStored(condition, leaves) : null
}

function stepTraces(
  { enrolmentId, detail }: DecisionFact,
  moment: ReplayedMoment | undefined,
): readonly LabelledTrace[] {
  const step = detail?.step
  if (typeof step !== 'string' || enrolmentId === null) return []
  return moment?.steps.get(stepKey(enrolmentId, step)) ?? []
}

/** Null when it could not be decided again. */
function agreesWith(decision: DecisionFact, moment: ReplayedMoment | undefined): boolean | null {
  if (!moment?.decided) return null
  // What a profile said is kept with the person and not with the event (P7).
  if (moment.event?.type === 'person.upserted.v1') return null
  return moment.decided.decisions.some(
    (again) =>
      again.campaignId === decision.campaignId &&
      again.reason === decision.reason &&
      again.enrolmentId === decision.enrolmentId &&
      ['step', 'message', 'arm'].every((key) => again.detail?.[key] === decision.detail?.[key]),
  )
}

function rebuiltText(
  moment: ReplayedMoment | undefined,
  { campaignId }: Explaining,
  words: Words,
): string {
  const again = moment?.decided?.decisions.find((each) => each.campaignId === campaignId)
  return again ? words.reason(again.reason) : ''
}

function whatToDoOf(reason: string, locale: LocaleName): string | null {
  if (!isReasonCode(reason)) return null
  const { whatToDo } = reasons[reason]
  return whatToDo.en === 'nothing' ? null : whatToDo[locale]
}

function reasonText(reason: string, words: Words): string {
  return isReasonCode(reason) ? words.reason(reason) : reason
}

/** A touchpoint that ends the campaign, or for which it waits, and that was not meant. */
function touchedLine(
  { role, isOfAnother, trace, enrolmentId }: TouchpointTrace,
  event: EventFact,
  words: Words,
  explaining: Explaining,
): Explained {
  const speech = explanationSpeeches[explaining.locale]
  const why = isOfAnother
    ? speech.ofAnother
    : trace && !trace.holds
      ? speech.conditionFailed(words.because(trace))
      : speech.tooLate
  return {
    ...plain,
    at: event.businessAt,
    sentence: `${speech.notMeant[role]}${whichRun(enrolmentId, words, explaining)}: ${why}.`,
    conditions: trace ? [{ label: role, trace }] : [],
    isWorkedOut: true,
  }
}

/**
 * Why a campaign has nothing on record about an event: the trace is made on the facts of then. Without
 * an event that was asked for, only those are told that could have begun it.
 */
function notConsidered(
  event: EventFact,
  moment: ReplayedMoment | undefined,
  explaining: Explaining,
): Explained[] {
  const { campaignId, moments, newest, onlyEvent, locale, versions } = explaining
  // What it would have been asked is not known.
  if (moments === null) return []
  const start = moment?.starts.find((each) => each.campaignId === campaignId)
  const campaign = versions.get(campaignKey(campaignId, start?.version ?? 0)) ?? newest
  const { types } = triggerPartsOf(campaign.file.trigger)
  const couldBegin = types.includes(event.type) && !hasReservedName(event.type)
  if (onlyEvent === null && !couldBegin) return []
  const words = explaining.wordsFor(campaign, event.type)
  const speech = explanationSpeeches[locale]
  const name = `"${campaign.file.name}"`
  const tell = (reason: string, why: string, more: Partial<Explained> = {}): Explained[] => [
    {
      ...plain,
      at: event.businessAt,
      sentence: `${speech.didNotLook(name)}: ${why}.`,
      reason: isReasonCode(reason) ? reason : null,
      whatToDo: whatToDoOf(reason, locale),
      isWorkedOut: true,
      ...more,
    },
  ]
  if (!types.includes(event.type))
    return tell('trigger_other_touchpoint', speech.itWaits(tellTrigger(campaign, locale, words)))
  if (!start) {
    if (event.outcome !== 'applied') return tell(event.outcome, reasonText(event.outcome, words))
    return tell('campaign_not_live', words.reason('campaign_not_live'))
  }
  const conditions = startConditions(start)
  switch (start.verdict) {
    case 'persona_not_in_audience': {
      const persona = (id: string | null) => words.value('person.persona', id)
      const wanted = start.persona.wanted ?? []
      // Which persona they were then is on record.
      const was = event.persona ?? start.persona.is
      if (wanted.includes(was ?? '')) break
      return tell(start.verdict, speech.personas(wanted.map(persona), persona(was)), { conditions })
    }
    case 'trigger_other_touchpoint':
      return tell(start.verdict, speech.itWaits(tellTrigger(campaign, locale, words)), {
        conditions,
      })
    default:
  }
  // It would have been asked, and would have left its reason: something is not as it was then.
  const verdict = start.verdict === 'persona_not_in_audience' ? 'enrolled' : start.verdict
  return tell(verdict, speech.wouldHave(words.reason(verdict)), { conditions, agrees: false })
}

function timerChapters(explaining: Explaining): Explained[][] {
  const { facts, moments, campaignId } = explaining
  const ofTimers = facts.decisions.filter(
    (decision) =>
      decision.source === null && decision.campaignId === campaignId && !isOfStaff(decision),
  )
  return [
    ...Map.groupBy(ofTimers, ({ businessAt, enrolmentId }) => `${businessAt} ${enrolmentId}`),
  ].map(([, decisions]) =>
    decisions.map((decision, index) => {
      const moment = moments?.find(
        ({ at, event, enrolmentId, campaignId: byDate }) =>
          event === null &&
          at === decision.businessAt &&
          (enrolmentId === null ? byDate === campaignId : enrolmentId === decision.enrolmentId),
      )
      return decisionLine(decision, moment, explaining, index === 0)
    }),
  )
}

function isOfStaff({ detail }: DecisionFact): boolean {
  return typeof detail?.words === 'string'
}

function staffChapter(decision: DecisionFact, explaining: Explaining): Explained[][] {
  const { facts, locale, newest, campaignId } = explaining
  const message = facts.messages.find(({ intentId }) => intentId === decision.intentId)
  if (!isOfStaff(decision) || message?.campaignId !== campaignId) return []
  const words = explaining.wordsFor(newest)
  const told = asTold(decision)
  const opening = tellWhen(decision.businessAt, locale, words)
  if (!told) return [[unreadableLine(decision, opening, explanationSpeeches[locale])]]
  const { words: said, by } = told.detail ?? {}
  const clause = tellDecision(
    {
      at: decision.businessAt,
      decision: told,
      campaign: undefined,
      messageId: message.messageId,
      traces: [],
      refusedBy: null,
    },
    locale,
    words,
  )
  return [
    [
      {
        ...plain,
        at: decision.businessAt,
        sentence: `${opening} ${clause} ("${said}", ${by}).`,
        reason: told.reason,
      },
    ],
  ]
}

/** Each attempt, and how the message came to its end, or what it waits for. */
function messageChapters(message: MessageFact, explaining: Explaining): Explained[][] {
  const { locale, newest } = explaining
  const words = explaining.wordsFor(newest)
  const speech = explanationSpeeches[locale]
  const { messageId, state, reason, settledAt, dueAt, expiresAt, attempts, detail } = message
  const to = message.recipient
    ? ` ${toRecipient[locale](message.recipient.as)} (${message.recipient.personId})`
    : ''
  const name = `"${messageId}"${to}`
  const line = (at: string, clause: string, of: string | null = null): Explained[] => [
    {
      ...plain,
      at,
      sentence: `${tellWhen(at, locale, words)} ${clause}.`,
      reason: isReasonCode(of) ? of : null,
      whatToDo: of === null ? null : whatToDoOf(of, locale),
    },
  ]
  const tried = attempts.map((attempt) => {
    const after = attempt.reason === null ? '' : ` (${attemptReasonText(attempt.reason, locale)})`
    const clause = speech.attempts[attempt.outcome]?.(
      name,
      speech.channels[attempt.channel] ?? attempt.channel,
    )
    return line(attempt.businessAt, `${clause ?? attempt.outcome}${after}`, null)
  })
  const isSent = attempts.some(({ outcome }) => outcome === 'accepted')
  if (state === 'delivered' || state === 'bounced')
    return [...tried, line(settledAt ?? dueAt, speech[state](name), reason)]
  if (isSent) return tried
  // That it was taken back is told where it was decided.
  if (state === 'cancelled') return tried
  if (settledAt !== null)
    return [
      ...tried,
      line(
        settledAt,
        speech.notSent(name, reasonText(reason ?? '', words), channelsText(detail, words, speech)),
        reason,
      ),
    ]
  const held = heldBackBy(message)
  const why = held === null ? '' : speech.heldBack(words.reason(held))
  return [
    ...tried,
    [
      {
        ...plain,
        at: dueAt,
        sentence: `${speech.waits(name, words.moment(dueAt), words.moment(expiresAt))}${why}.`,
        reason: held,
        whatToDo: held === null ? null : whatToDoOf(held, locale),
      },
    ],
  ]
}

/** Why it has not gone out yet, as far as that is not for one channel alone: over the next one it may go at once. */
function heldBackBy({ state, reason, detail }: MessageFact): ReasonCode | null {
  if (state !== 'planned' || !isReasonCode(reason) || reason === 'resent_by_staff') return null
  return Object.values(detail?.channels ?? {}).includes(reason) ? null : reason
}

function channelsText(
  detail: MessageFact['detail'],
  words: Words,
  speech: ExplanationSpeech,
): string {
  const channels = detail?.channels
  if (typeof channels !== 'object' || channels === null) return ''
  const each = Object.entries(channels).map(
    ([channel, reason]) =>
      `${speech.channels[channel] ?? channel}: ${reasonText(String(reason), words)}`,
  )
  return each.length === 0 ? '' : ` (${each.join('; ')})`
}

/** Nothing that could have begun it has happened to the person. */
function neverChapter(explaining: Explaining): Explained {
  const { newest, locale, facts } = explaining
  const words = explaining.wordsFor(newest)
  const speech = explanationSpeeches[locale]
  const waits = tellTrigger(newest, locale, words)
  return {
    ...plain,
    at: facts.businessNow,
    depth: 0,
    sentence: `${speech.never(`"${newest.file.name}"`, waits)}.`,
    reason: 'trigger_other_touchpoint',
  }
}

/** Every leaf of the conditions that were told. */
export function leavesOfExplained(
  explained: readonly Pick<Explained, 'conditions'>[],
): LeafTrace[] {
  return explained.flatMap(({ conditions }) =>
    conditions.flatMap(({ trace }) => leavesOfTrace(trace)),
  )
}
