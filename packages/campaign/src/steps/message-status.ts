import type { Field } from '../definition/field.ts'
import type { Draft } from '../draft.ts'
import {
  type Enrolment,
  type Intent,
  type IntentState,
  intentStates,
  statesByReach,
} from '../state.ts'
import type { MessageStep } from './message.ts'

/** What has become of it, for later conditions. */
export function statusFieldOf({
  id,
}: Pick<MessageStep['message'], 'id'>): readonly [string, Field] {
  return [
    `${id}.status`,
    {
      type: 'text',
      sensitivity: 'neutral',
      required: false,
      values: [...intentStates],
      label: { nl: `status van het bericht "${id}"`, en: `status of the message "${id}"` },
      valueLabels: stateLabels,
    },
  ]
}

const stateLabels: Readonly<Record<IntentState, { nl: string; en: string }>> = {
  planned: { nl: 'ingepland', en: 'planned' },
  queued: { nl: 'klaar om te versturen', en: 'queued' },
  sending: { nl: 'onderweg', en: 'being sent' },
  sent: { nl: 'verstuurd', en: 'sent' },
  delivered: { nl: 'bezorgd', en: 'delivered' },
  bounced: { nl: 'niet aangekomen', en: 'bounced' },
  skipped: { nl: 'overgeslagen', en: 'skipped' },
  cancelled: { nl: 'ingetrokken', en: 'cancelled' },
  expired: { nl: 'verlopen', en: 'expired' },
  failed: { nl: 'mislukt', en: 'failed' },
  held: { nl: 'vastgehouden', en: 'held' },
}

/** The newest message that the step of that id planned. */
export function newestOf(
  draft: Draft,
  enrolment: Enrolment,
  messageId: string,
): Intent | undefined {
  let newest: Intent | undefined
  for (const intent of draft.intents.values()) {
    if (intent.enrolmentId !== enrolment.enrolmentId || intent.messageId !== messageId) continue
    if (!newest || isNewer(intent, newest)) newest = intent
  }
  return newest
}

/**
 * By the time of planning; of one time, the one for the newer version of the entity; of several recipients,
 * the one that has come furthest.
 */
export function isNewer(intent: Intent, than: Intent): boolean {
  if (intent.plannedAt !== than.plannedAt) return intent.plannedAt > than.plannedAt
  const [version, known] = [intent.entity?.version ?? -1, than.entity?.version ?? -1]
  if (version !== known) return version > known
  const isToTheSame = intent.recipient?.personId === than.recipient?.personId
  const isLater = isToTheSame ? isLaterOfCascade(intent, than) : undefined
  return isLater ?? isFurther(intent, than)
}

/**
 * Of two of a cascade that were planned in one instant, since the first bounced in it or more became known
 * of its appointment; undefined when it is not told by that which one came later.
 */
export function isLaterOfCascade(intent: Intent, than: Intent): boolean | undefined {
  const [isReplaced, isKnownReplaced] = [intent, than].map(isSuperseded)
  if (isReplaced !== isKnownReplaced) return isKnownReplaced
  const [turn, known] = [turnOf(intent), turnOf(than)]
  return turn === known ? undefined : turn > known
}

function isSuperseded({ reason }: Intent): boolean {
  return reason === 'entity_superseded'
}

export function turnOf({ turn = 0 }: Intent): number {
  return turn
}

function isFurther({ state }: Intent, than: Intent): boolean {
  return statesByReach.indexOf(state) < statesByReach.indexOf(than.state)
}

/**
 * What the step of that id planned last, to all who get it, and what came of it over one channel after the
 * other; the furthest first.
 */
export function latestOf(messages: Iterable<Intent>): Intent[] {
  const own = [...messages]
  const firsts = own.filter((intent) => turnOf(intent) === 0)
  const [first] = firsts.toSorted((one, other) => (isNewer(one, other) ? -1 : 1))
  if (!first) return []
  const isLatest = (intent: Intent) =>
    turnOf(intent) === 0
      ? intent.plannedAt === first.plannedAt && intent.entity?.version === first.entity?.version
      : intent.plannedAt >= first.plannedAt
  return own
    .filter(isLatest)
    .toSorted((one, other) => Number(isFurther(other, one)) - Number(isFurther(one, other)))
}

/** What has become of the message of that id: of the one that has come furthest. */
export function latestOfMessage(
  { intents }: Pick<Draft, 'intents'>,
  { enrolmentId }: Enrolment,
  messageId: string,
): Intent[] {
  return latestOf(
    [...intents.values()].filter(
      (intent) => intent.enrolmentId === enrolmentId && intent.messageId === messageId,
    ),
  )
}

/** By what is known of it now. What was taken back just now may have been sent before. */
export function mayStillArrive({ state, duplicate }: Intent): boolean {
  return state === 'sending' || state === 'held' || state === 'sent' || duplicate
}
