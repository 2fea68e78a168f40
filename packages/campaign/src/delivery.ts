import { Temporal } from 'temporal-polyfill'
import { fractionOf } from './chance.ts'
import type { ChannelName } from './definition/words.ts'
import { type Instant, instantOf } from './instant.ts'
import type { ReasonCode } from './reasons.ts'

/**
 * What becomes of a message after one attempt at handing it to a provider.
 *
 *   accepted      → sent
 *   refused       → the next channel of the message; failed when there is none. By our own check
 *                   (`unasked`) it says nothing of an earlier attempt, whose outcome stays open
 *   unrenderable  → the next channel; failed when there is none
 *   deferred      → planned again later, with jitter; when that would be past its expiry, the next
 *                   channel; expired when there is none. An `at-most-once` that the provider may
 *                   have from an earlier attempt is held instead: another channel does not fold it
 *   not_started   → planned again as if it had never been claimed
 *   unknown       → P2: over a channel that folds repeats, planned again under the same key; else
 *                   `at-least-once` is resent once, marked; else held for a person
 *
 * Only planned, sent, failed, expired and held come out of here. Nothing is planned for a moment at
 * or past its expiry (P3).
 */
export type AttemptOutcome =
  | { readonly kind: 'accepted'; readonly reference?: string }
  | { readonly kind: 'refused'; readonly reason: string; readonly unasked?: boolean }
  | { readonly kind: 'unrenderable'; readonly reason: string }
  | { readonly kind: 'deferred'; readonly reason: string; readonly retryAfterMs?: number }
  | { readonly kind: 'not_started'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string }

/** A message whose attempt has just ended. */
export type AttemptedIntent = {
  readonly intentId: string
  readonly channels: readonly ChannelName[]
  /** Index into `channels` of the one that was tried. */
  readonly channelIndex: number
  /** Attempts on this channel, the one that ended among them. */
  readonly attempts: number
  readonly dueAt: Instant
  readonly expiresAt: Instant
  readonly unknownOutcome: 'at-most-once' | 'at-least-once'
  /** A repeat over this channel with the same key is harmless. */
  readonly idempotent: boolean
  /** The person may have it already: an earlier attempt ended without an answer. */
  readonly duplicate: boolean
}

export type AfterAttempt = {
  readonly state: 'planned' | 'sent' | 'failed' | 'expired' | 'held'
  /** Why it is in this state; null when nothing happened. */
  readonly reason: ReasonCode | null
  readonly channelIndex: number
  /** Attempts on the channel that `channelIndex` names. */
  readonly attempts: number
  readonly dueAt: Instant
  readonly duplicate: boolean
  /** What was wrong with the channel that was tried, in the provider's own code. */
  readonly fault: { readonly channel: ChannelName; readonly reason: string } | null
}

/** The first wait lies between nothing and this; each further one may be twice as long. */
const FIRST_RETRY_MS = 10_000
const LONGEST_RETRY_MS = 15 * 60_000
/** A provider that said "later" is not asked again in the same instant. */
const SHORTEST_RETRY_MS = 1_000
/** What a provider may ask for at most; every message expires long before. */
const LONGEST_RETRY_AFTER_MS = 366 * 24 * 60 * 60_000

/** The state after an attempt. `now` is business time; the same arguments give the same answer. */
export function afterAttempt(
  intent: AttemptedIntent,
  outcome: AttemptOutcome,
  now: Instant,
): AfterAttempt {
  switch (outcome.kind) {
    case 'accepted':
      return { ...unchanged(intent), state: 'sent', reason: 'provider_accepted' }
    case 'refused':
      return afterRefusal(intent, outcome, now)
    case 'unrenderable':
      return afterNoHandOver(intent, outcome.reason, now, {
        state: 'failed',
        reason: 'template_error',
      })
    case 'deferred':
      return afterDeferral(intent, outcome, now)
    case 'not_started':
      return { ...unchanged(intent), state: 'planned', attempts: Math.max(0, intent.attempts - 1) }
    case 'unknown':
      return afterUnknown(intent, outcome.reason, now)
  }
}

/** When to try again after attempt number `attempts`: full jitter, from the id and not from chance. */
export function retryAt(
  intentId: string,
  attempts: number,
  now: Instant,
  retryAfterMs = 0,
): Instant {
  const longestMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, attempts - 1))
  const jitterMs = Math.floor(longestMs * fractionOf(`${intentId}/${attempts}`))
  // biome-ignore lint/complexity/useMathMinMax: what a provider sent as a number may be none
  const waitMs = retryAfterMs > SHORTEST_RETRY_MS ? retryAfterMs : SHORTEST_RETRY_MS
  const askedMs = Math.ceil(Math.min(LONGEST_RETRY_AFTER_MS, waitMs))
  // Added, not the larger of both: all that were turned away at once would come back at once.
  return addMilliseconds(now, askedMs + jitterMs)
}

function unchanged(intent: AttemptedIntent): Omit<AfterAttempt, 'state'> {
  const { channelIndex, attempts, dueAt, duplicate } = intent
  return { reason: null, channelIndex, attempts, dueAt, duplicate, fault: null }
}

type Final = { state: 'failed' | 'expired'; reason: ReasonCode }

/**
 * A no to the same key, from a provider that folds repeats, says that there was no yes before. From any
 * other it says nothing of an earlier attempt: staff may have had a held message sent once more.
 */
function afterRefusal(
  intent: AttemptedIntent,
  { reason, unasked = false }: AttemptOutcome & { kind: 'refused' },
  now: Instant,
): AfterAttempt {
  const final = { state: 'failed', reason: 'provider_refused' } as const
  if (unasked || !intent.idempotent) return afterNoHandOver(intent, reason, now, final)
  return endChannel({ ...intent, duplicate: false }, reason, now, final)
}

/** Nothing was handed over this time; what an earlier attempt left open stays open. */
function afterNoHandOver(
  intent: AttemptedIntent,
  reason: string,
  now: Instant,
  final: Final,
): AfterAttempt {
  if (intent.duplicate && intent.unknownOutcome === 'at-most-once') {
    return { ...unchanged(intent), ...heldAsUnknown, fault: faultOf(intent, reason) }
  }
  return endChannel(intent, reason, now, final)
}

/** This channel is over for this message; `final` is what it comes to when it was the last one. */
function endChannel(
  intent: AttemptedIntent,
  reason: string,
  now: Instant,
  final: Final,
): AfterAttempt {
  const fault = faultOf(intent, reason)
  const channelIndex = intent.channelIndex + 1
  if (channelIndex >= intent.channels.length || now >= intent.expiresAt) {
    return { ...unchanged(intent), ...final, fault }
  }
  const start = { state: 'planned', channelIndex, attempts: 0, dueAt: now } as const
  return { ...unchanged(intent), ...start, reason: final.reason, fault }
}

function afterDeferral(
  intent: AttemptedIntent,
  outcome: AttemptOutcome & { kind: 'deferred' },
  now: Instant,
): AfterAttempt {
  const dueAt = retryAt(intent.intentId, intent.attempts, now, outcome.retryAfterMs)
  if (dueAt >= intent.expiresAt) {
    const final = { state: 'expired', reason: 'provider_unavailable' } as const
    return afterNoHandOver(intent, outcome.reason, now, final)
  }
  const fault = faultOf(intent, outcome.reason)
  return { ...unchanged(intent), state: 'planned', reason: 'provider_deferred', dueAt, fault }
}

const heldAsUnknown = { state: 'held', reason: 'outcome_unknown' } as const

/** P2: the provider may have it. Never another channel: that would be a second message. */
function afterUnknown(intent: AttemptedIntent, reason: string, now: Instant): AfterAttempt {
  const fault = faultOf(intent, reason)
  const dueAt = retryAt(intent.intentId, intent.attempts, now)
  const mayRepeat =
    intent.idempotent || (intent.unknownOutcome === 'at-least-once' && !intent.duplicate)
  if (!mayRepeat || dueAt >= intent.expiresAt) {
    return { ...unchanged(intent), ...heldAsUnknown, fault }
  }
  const again = { state: 'planned', reason: 'outcome_unknown', dueAt, duplicate: true } as const
  return { ...unchanged(intent), ...again, fault }
}

function faultOf(intent: AttemptedIntent, reason: string): AfterAttempt['fault'] {
  const channel = intent.channels[intent.channelIndex]
  return channel === undefined ? null : { channel, reason }
}

function addMilliseconds(instant: Instant, milliseconds: number): Instant {
  return instantOf(Temporal.Instant.from(instant).add({ milliseconds }))
}
