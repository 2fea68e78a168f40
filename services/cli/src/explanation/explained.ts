import type { CompiledCampaign } from '@wegwijs/campaign/compiled-campaign'
import type { LeafTrace } from '@wegwijs/campaign/condition'
import type { LocaleName } from '@wegwijs/campaign/definition/words'
import { leavesOfTrace } from '@wegwijs/campaign/explain/condition-trace'
import type { LabelledTrace, Words } from '@wegwijs/campaign/explain/words'
import { isReasonCode, type ReasonCode, reasons } from '@wegwijs/campaign/reasons'
import type { ReplayedMoment } from '@wegwijs/dry-run/replay'
import type { PersonFacts } from '@wegwijs/store/explain'
import { explanationSpeeches } from './speech.ts'

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

export const plain = {
  depth: 1,
  event: null,
  reason: null,
  whatToDo: null,
  conditions: [],
  agrees: null,
  isWorkedOut: false,
} as const satisfies Partial<Explained>

export function whatToDoOf(reason: string, locale: LocaleName): string | null {
  if (!isReasonCode(reason)) return null
  const { whatToDo } = reasons[reason]
  return whatToDo.en === 'nothing' ? null : whatToDo[locale]
}

export function reasonText(reason: string, words: Words): string {
  return isReasonCode(reason) ? words.reason(reason) : reason
}

/**
 * Of several runs of the campaign, which one is meant: what is true of one is not of the others. A run is
 * told by its appointment or stay, or by when it began.
 */
export function whichRun(
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

/** Every leaf of the conditions that were told. */
export function leavesOfExplained(
  explained: readonly Pick<Explained, 'conditions'>[],
): LeafTrace[] {
  return explained.flatMap(({ conditions }) =>
    conditions.flatMap(({ trace }) => leavesOfTrace(trace)),
  )
}
