import { earlierOf, type Instant } from './instant.ts'
import { refusalByRelation, type Telling } from './recipients.ts'
import type { Intent, PersonState } from './state.ts'
import { turnOf } from './steps/message-status.ts'

/**
 * Other messages beside which a message would be one too many (P2): the same one to another record of whoever
 * gets it, and the one in whose place it came. Twin of packages/store/src/other-messages.ts, which knows of the
 * tables, too.
 */

/**
 * What becomes of the same message that another record of whoever gets it was to get, too. `told`: they have
 * it, or may have it, and nobody knows. `open`: it goes before this one, and has not gone yet; until then
 * nobody gives way to it for good. `held`: staff have not said what came of it, and may have it sent once more.
 */
export type SameReceiver =
  | { readonly state: 'told' | 'held' }
  | {
      readonly state: 'open'
      /** Of the last of them. */
      readonly dueAt: Instant
    }

/** Null when there is none such. */
export function sameReceiver(
  state: PersonState,
  receiverId: string,
  { intent, ...telling }: Telling & { readonly intent: Intent },
): SameReceiver | null {
  if (!intent.recipient) return null
  const { intents } = state
  const mayStillGo = (other: Intent) =>
    canGoInTime(other, intent, telling.now) &&
    refusalByRelation(state, other, receiverId, telling) === null
  let open: (SameReceiver & { readonly state: 'open' }) | null = null
  let isHeld = false
  for (const other of intents.values()) {
    if (other === intent || !isSameMessage(other, intent)) continue
    if (!isToThem(other, receiverId, telling) || !isBeside(other, intent, intents)) continue
    const standing = standingOf(other, intent, telling.now, mayStillGo)
    if (standing === 'told') return { state: 'told' }
    if (standing === 'held') isHeld = true
    if (standing === 'open' && (open === null || open.dueAt < other.dueAt))
      open = { state: 'open', dueAt: other.dueAt }
  }
  return open ?? (isHeld ? { state: 'held' } : null)
}

/** Null when it neither goes nor may have gone. */
function standingOf(
  other: Intent,
  intent: Intent,
  now: Instant,
  mayStillGo: (other: Intent) => boolean,
): SameReceiver['state'] | null {
  const { state, reason, duplicate, unknownOutcome } = other
  // It may have been sent before, and this one surely was not.
  const isInDoubt = duplicate && !intent.duplicate
  const isOnce = isInDoubt && unknownOutcome === 'at-most-once'
  switch (state) {
    case 'delivered':
      return 'told'
    case 'sent':
    case 'bounced':
      // Over a channel before it was waited for in vain, unless it went only since then.
      return isBeforeInCascade(other, intent) && !isSentSince(other, intent) ? null : 'told'
    case 'held':
      if (intent.duplicate && !goesFirst(other, intent)) return null
      return unknownOutcome === 'at-most-once' || intent.expiresAt <= now ? 'told' : 'held'
    case 'sending':
      return 'open'
    case 'planned':
    case 'queued':
      return goesFirst(other, intent) && (isOnce || mayStillGo(other)) ? 'open' : null
    default: {
      const isOver = isOnce || (isInDoubt && state === 'cancelled')
      return isOver && reason !== 'merged_duplicate' ? 'told' : null
    }
  }
}

/**
 * While this one still can. Put off to its own end, or held back by operations, the other one may come to
 * nothing, and so would one that waits for it.
 */
function canGoInTime(other: Intent, intent: Intent, now: Instant): boolean {
  const { state, reason, dueAt, expiresAt } = other
  const isHeldBack = state === 'planned' && reason?.endsWith('_stopped') === true
  return !isHeldBack && expiresAt > now && dueAt < earlierOf(expiresAt, intent.expiresAt)
}

/** Of two that may both go: one that may have been sent before, else the one over the later channel. */
function goesFirst(other: Intent, intent: Intent): boolean {
  if (other.duplicate !== intent.duplicate) return other.duplicate
  const [turn, own] = [turnOf(other), turnOf(intent)]
  return turn === own ? other.intentId < intent.intentId : turn > own
}

function isToThem(
  { recipient }: Intent,
  receiverId: string,
  { otherOf }: Pick<Telling, 'otherOf'>,
): boolean {
  if (!recipient) return false
  return (otherOf?.(recipient.personId)?.personId ?? recipient.personId) === receiverId
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

/**
 * Over a channel before, though not one in whose place this came, nor of before the cascade began anew; or to
 * another record of theirs.
 */
function isBeside(other: Intent, intent: Intent, intents: PersonState['intents']): boolean {
  const isToSameRecord = other.recipient?.personId === intent.recipient?.personId
  if (!isBeforeInCascade(other, intent)) return !isToSameRecord
  const { intentId, plannedAt } = other
  const before = intents.get(intent.insteadOf ?? '')
  if (intentId === intent.insteadOf || intentId === before?.insteadOf) return false
  if (!isToSameRecord) return true
  const began = [...intents.values()].filter(
    (each) =>
      turnOf(each) === 0 &&
      each.enrolmentId === intent.enrolmentId &&
      each.messageId === intent.messageId &&
      each.recipient?.personId === intent.recipient?.personId &&
      each.plannedAt <= intent.plannedAt,
  )
  return !began.some((each) => plannedAt < each.plannedAt)
}

/** What was waited for in vain, and in whose place this one came, is there after all. */
export function hasFirstArrived(intent: Intent, intents: PersonState['intents']): boolean {
  const first = intents.get(intent.insteadOf ?? '')
  return (
    first !== undefined &&
    awaitedWith(first, intent, intents).some(
      (each) => isSentSince(each, intent) || hasArrived(each, intents),
    )
  )
}

/** Since the other one was planned, which did not know of it. */
function isSentSince({ state, sentAt }: Intent, { plannedAt }: Intent): boolean {
  return state === 'sent' && sentAt !== undefined && sentAt >= plannedAt
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
