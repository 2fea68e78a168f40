import { ownIdSpace, ownSource } from '@wegwijs/campaign/event-check'
import type { AnswerData } from '@wegwijs/campaign/reserved-types'
import type { StopEvent } from '@wegwijs/store/stops'
import { signEvent } from '@wegwijs/wire/signature'
import { asSaid } from './said-at.ts'

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
  const event = {
    id: `${intentId}-${answer}`,
    source: `${ownSource}:answers`,
    type: 'message.answered.v1',
    subject: personId,
    time: now,
    data: { intentId, answer, by },
  }
  return { event: signEvent(asSaid(event, at, { now, stands }), secret), idSpace: ownIdSpace }
}
