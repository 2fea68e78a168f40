import { tellTrigger } from '@wegwijs/campaign/explain/decision'
import type { EventFact, MessageFact } from '@wegwijs/store/explain'
import { staffChapter, timerChapters } from './decision.ts'
import { eventChapter } from './event.ts'
import { type Explained, type Explaining, plain } from './explained.ts'
import { messageChapters } from './message.ts'
import { explanationSpeeches } from './speech.ts'

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
