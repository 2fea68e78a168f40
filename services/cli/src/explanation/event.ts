import type { TouchpointTrace } from '@wegwijs/campaign/explain/campaign-trace'
import { tellTrigger } from '@wegwijs/campaign/explain/decision'
import type { Words } from '@wegwijs/campaign/explain/words'
import { isHeldOut, isReasonCode } from '@wegwijs/campaign/reasons'
import { hasReservedName } from '@wegwijs/campaign/reserved-types'
import { campaignKey } from '@wegwijs/campaign/state'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import type { ReplayedMoment } from '@wegwijs/dry-run/replay'
import type { EventFact } from '@wegwijs/store/explain'
import { decisionLine, startConditions } from './decision.ts'
import {
  type Explained,
  type Explaining,
  plain,
  reasonText,
  whatToDoOf,
  whichRun,
} from './explained.ts'
import { type ExplanationSpeech, explanationSpeeches } from './speech.ts'

/** An event, what campaigns decided of it, and why this one did not look at it. Empty: it has nothing to do with it. */
export function eventChapter(event: EventFact, explaining: Explaining): Explained[] {
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
