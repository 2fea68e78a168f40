import { ownIdSpace, ownSource } from '@wegwijs/campaign/event-check'
import type { AnswerData } from '@wegwijs/campaign/reserved-types'
import type { StopEvent } from '@wegwijs/store/stops'
import { signEvent } from '@wegwijs/wire/signature'

/** `at` is when it was answered, an ISO moment. */
export type GivenAnswer = AnswerData & { personId: string; at: string }

/**
 * An answer as the event that services/journey decides on. Its id hangs on the message and the answer,
 * so that the same answer is one however often, and in whatever way, it is given (P2).
 */
export function answerEvent(
  { intentId, answer, by, personId, at }: GivenAnswer,
  { now, stands = false, secret }: { now: string; stands?: boolean; secret: string },
): StopEvent {
  const time = new Date(at).toISOString()
  const event = {
    id: `${intentId}-${answer}`,
    source: `${ownSource}:answers`,
    type: 'message.answered.v1',
    subject: personId,
    // In a rehearsal the clocks of others say nothing of business time; nothing happened after now.
    time: stands || time > now ? now : time,
    data: { intentId, answer, by },
  }
  return { event: signEvent(event, secret), idSpace: ownIdSpace }
}
