import type { DecideContext } from './draft.ts'
import { type Intent, isPending, type PersonState } from './state.ts'
import { turnOf } from './steps/message-status.ts'

/**
 * Other messages beside which a message would be one too many (P2): the same one to another record of whoever
 * gets it, and the one in whose place it came. Twin of packages/store/src/other-messages.ts, which knows of the
 * tables, too.
 */

/** Another record of whoever gets it was to get it, too, and gets it, or has. */
export function goesToThemAlready(
  { intents }: PersonState,
  receiver: PersonState,
  { intent, otherOf }: { intent: Intent; otherOf?: DecideContext['otherOf'] },
): boolean {
  if (!intent.recipient) return false
  const isToThem = ({ recipient }: Intent) =>
    recipient &&
    (otherOf?.(recipient.personId)?.personId ?? recipient.personId) === receiver.person.personId
  return [...intents.values()].some(
    (other) =>
      other !== intent &&
      isSameMessage(other, intent) &&
      isToThem(other) &&
      (isBeforeInCascade(other, intent)
        ? isInDoubtBeside(other, intent, intents)
        : goesInstead(other, intent)),
  )
}

function isSameMessage(other: Intent, intent: Intent): boolean {
  const isOverSame =
    other.partOf === undefined ||
    intent.partOf === undefined ||
    other.channels[0] === intent.channels[0]
  return (
    other.enrolmentId === intent.enrolmentId &&
    other.messageId === intent.messageId &&
    other.entity?.version === intent.entity?.version &&
    isOverSame
  )
}

/** Over a channel before, though not one in whose place this came, nor of before the cascade began anew. */
function isInDoubtBeside(other: Intent, intent: Intent, intents: PersonState['intents']): boolean {
  const { intentId, state, duplicate, plannedAt } = other
  const before = intents.get(intent.insteadOf ?? '')
  if (intentId === intent.insteadOf || intentId === before?.insteadOf) return false
  if (other.recipient?.personId === intent.recipient?.personId) {
    const began = [...intents.values()].filter(
      (each) =>
        turnOf(each) === 0 &&
        each.enrolmentId === intent.enrolmentId &&
        each.messageId === intent.messageId &&
        each.recipient?.personId === intent.recipient?.personId &&
        each.plannedAt <= intent.plannedAt,
    )
    if (began.some((each) => plannedAt < each.plannedAt)) return false
  }
  const isSaid = state === 'sent' || state === 'bounced'
  return ['sending', 'held', 'delivered'].includes(state) || (duplicate && !isSaid)
}

/** Of two that wait, one that may have been sent before, else the one over the later channel. */
function goesInstead(other: Intent, intent: Intent): boolean {
  if (other.recipient?.personId === intent.recipient?.personId) return false
  if (other.duplicate) return true
  if (!isPending(other))
    return ['sending', 'sent', 'delivered', 'bounced', 'held'].includes(other.state)
  if (intent.duplicate) return false
  const [turn, own] = [turnOf(other), turnOf(intent)]
  return turn === own ? other.intentId < intent.intentId : turn > own
}

/** What was waited for in vain, and in whose place this one came, is there after all. */
export function hasFirstArrived(intent: Intent, intents: PersonState['intents']): boolean {
  const first = intents.get(intent.insteadOf ?? '')
  return (
    first !== undefined &&
    awaitedWith(first, intent, intents).some((each) => hasArrived(each, intents))
  )
}

/**
 * What was waited for in vain: another message, over all its channels, or the same one over a channel before in
 * a cascade. Any other one of the same step is of an older version.
 */
function awaitedWith(
  first: Intent,
  intent: Intent,
  intents: PersonState['intents'],
): readonly Intent[] {
  if (!isAwaited(first, intent)) return []
  if (first.partOf === undefined || first.messageId === intent.messageId) return [first]
  return [...intents.values()].filter(({ partOf }) => partOf === first.partOf)
}

function isAwaited(first: Intent, intent: Intent): boolean {
  return first.messageId !== intent.messageId || isBeforeInCascade(first, intent)
}

function isBeforeInCascade(before: Intent, intent: Intent): boolean {
  return before.messageId === intent.messageId && turnOf(before) < turnOf(intent)
}

/** The one in whose place it came, or of a cascade any before that. */
function hasArrived(first: Intent, intents: PersonState['intents']): boolean {
  const { state, reason, insteadOf, messageId } = first
  if (state === 'delivered' || (state === 'cancelled' && reason === 'awaited_after_all'))
    return true
  const before = turnOf(first) > 0 ? intents.get(insteadOf ?? '') : undefined
  return before?.messageId === messageId && hasArrived(before, intents)
}
