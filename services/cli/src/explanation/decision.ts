import type { CompiledCampaign } from '@wegwijs/campaign/compiled-campaign'
import type { StartTrace } from '@wegwijs/campaign/explain/campaign-trace'
import {
  type ConditionTrace,
  leavesStoredWith,
  traceOfStored,
} from '@wegwijs/campaign/explain/condition-trace'
import { tellDecision, tellWhen } from '@wegwijs/campaign/explain/decision'
import type { LabelledTrace, Words } from '@wegwijs/campaign/explain/words'
import { isReasonCode, type ReasonCode } from '@wegwijs/campaign/reasons'
import { campaignKey } from '@wegwijs/campaign/state'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import { type ReplayedMoment, stepKey } from '@wegwijs/dry-run/replay'
import type { DecisionFact } from '@wegwijs/store/explain'
import { type Explained, type Explaining, plain, whatToDoOf, whichRun } from './explained.ts'
import { type ExplanationSpeech, explanationSpeeches } from './speech.ts'

/** A decision that is stored, with what its conditions saw: as stored, or as deciding again shows. */
export function decisionLine(
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

/** What was decided as a time had come, a chapter for each run and moment. */
export function timerChapters(explaining: Explaining): Explained[][] {
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

/** What staff decided about a message of the campaign, in their own words. */
export function staffChapter(decision: DecisionFact, explaining: Explaining): Explained[][] {
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

function isOfStaff({ detail }: DecisionFact): boolean {
  return typeof detail?.words === 'string'
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

export function startConditions({ trigger, audience }: StartTrace): LabelledTrace[] {
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
