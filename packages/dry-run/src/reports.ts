import type { ChannelName } from '@wegwijs/campaign/definition/words'
import { ownSource } from '@wegwijs/campaign/event-check'
import type { Intent, JourneyEvent, Person, PersonState } from '@wegwijs/campaign/state'
import type { DeliverContext } from './deliver.ts'
import { answerOf, bounceDetail, type Outcomes, outcomeOf } from './outcome-model.ts'
import type { Sending } from './sending.ts'

/**
 * What a provider reports of a message that it took, still to be decided, in this order: receipts are
 * events in again (P1). What lies in the app has arrived.
 */
export function receiptsOf(
  { person, intent, channel, recipientId }: SentMessage,
  { outcomes, sending, now }: DeliverContext,
): JourneyEvent[] {
  const { intentId } = intent
  const report = (status: ReceiptStatus, detail?: string) =>
    receiptOf({ person, intentId, channel, status, detail, recipientId }, sending, now)
  if (channel === 'app') return [report('delivered')]
  const outcome =
    typeof outcomes === 'function'
      ? outcomes(intent, channel)
      : outcomeOf({ intentId, channel }, outcomes)
  switch (outcome) {
    case 'none':
      return []
    case 'bounced':
      return [report('bounced', bounceDetail(channel))]
    case 'delivered':
      return [report('delivered')]
    case 'answered':
      return [report('delivered'), answerTo(intent, outcomes) ?? report('replied')]
  }

  function answerTo({ question }: Intent, model: Outcomes): JourneyEvent | null {
    if (question === null) return null
    const rates = typeof model === 'function' ? {} : model
    const answer = answerOf({ intentId, question }, rates)
    return answer === null ? null : answerEventOf({ person, intentId, answer }, now)
  }
}

/** `recipientId`: who got it, of a message that is for one of several. */
export type SentMessage = Pick<PersonState, 'person'> & {
  intent: Intent
  channel: ChannelName
  recipientId: string | undefined
}

/** An answer, as the event that the gateway makes of it. */
export function answerEventOf(
  given: { person: Pick<Person, 'personId'>; intentId: string; answer: string },
  at: string,
): JourneyEvent {
  const { person, intentId, answer } = given
  return {
    source: `${ownSource}:answers`,
    id: `${intentId}-${answer}`,
    subject: person.personId,
    type: 'message.answered.v1',
    time: at,
    data: { intentId, answer, by: 'provider' },
    entity: null,
    traceparent: null,
  }
}

/** What came of a task, as the event that `wegwijs task done` makes of it. */
export function taskDoneEvent(
  {
    person,
    taskId,
    outcome,
  }: { person: Pick<Person, 'personId'>; taskId: string; outcome: string },
  at: string,
): JourneyEvent {
  return {
    source: `${ownSource}:tasks`,
    id: `${taskId}-${outcome}`,
    subject: person.personId,
    type: 'task.done.v1',
    time: at,
    data: { taskId, outcome },
    entity: null,
    traceparent: null,
  }
}

export type ReceiptStatus =
  | 'delivered'
  | 'bounced'
  | 'complained'
  | 'replied'
  | 'opened'
  | 'clicked'

type Report = {
  person: Pick<Person, 'personId'>
  intentId: string
  channel: ChannelName
  status: ReceiptStatus
  /** Why, or what was answered. */
  detail: string | undefined
  /** Who got it, where that is somebody else than whom it is about. */
  recipientId?: string | undefined
}

/** What a provider reports of a message, as the event that the gateway makes of it. */
export function receiptOf(
  { person, intentId, channel, status, detail, recipientId }: Report,
  { channels }: Pick<Sending, 'channels'>,
  at: string,
): JourneyEvent {
  const provider = channels[channel]?.provider ?? channel
  return {
    source: `${ownSource}:receipts:${provider}`,
    id: `${intentId}-${status}`,
    subject: person.personId,
    type: `message.${status}.v1`,
    time: at,
    data: {
      intentId,
      provider,
      channel,
      ...(detail === undefined ? {} : { detail }),
      ...(recipientId === undefined ? {} : { recipientId }),
    },
    entity: null,
    traceparent: null,
  }
}
