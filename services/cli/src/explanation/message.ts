import { tellWhen } from '@wegwijs/campaign/explain/decision'
import type { Words } from '@wegwijs/campaign/explain/words'
import { isReasonCode, type ReasonCode } from '@wegwijs/campaign/reasons'
import { toRecipient } from '@wegwijs/campaign/steps/message'
import type { MessageFact } from '@wegwijs/store/explain'
import { attemptReasonText } from '../attempt-reasons.ts'
import { type Explained, type Explaining, plain, reasonText, whatToDoOf } from './explained.ts'
import { type ExplanationSpeech, explanationSpeeches } from './speech.ts'

/** Each attempt, and how the message came to its end, or what it waits for. */
export function messageChapters(message: MessageFact, explaining: Explaining): Explained[][] {
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
