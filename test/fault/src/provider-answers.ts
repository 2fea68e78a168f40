import type { MetFault } from '@wegwijs/sandbox/accepted'
import type { AnswerMode, FaultChannel } from '@wegwijs/sandbox/faults'
import type { MessageRecord } from './messages.ts'

type Answer = { channel: FaultChannel; mode: AnswerMode }

/**
 * What a provider says by the way in which it does not simply accept a message (the table of
 * services/sandbox/src/faults.ts): no for good, no for now, or nothing at all, after which nobody can
 * say whether it has the message.
 */
export function meaningOf({ channel, mode }: Answer): 'for good' | 'for now' | 'unknown' {
  const isForGood = channel === 'sms' ? mode === 'refuse4xx' : mode === 'refuse5xx'
  if (isForGood) return 'for good'
  return mode === 'rateLimit' || (channel === 'email' && mode === 'refuse4xx')
    ? 'for now'
    : 'unknown'
}

/** Whether a message has met a no for good: that alone may end it as refused. */
export function isRefusedForGood(met: readonly MetFault[], intentId: string): boolean {
  return met.some((each) => each.intentId === intentId && meaningOf(each) === 'for good')
}

/** So many of which some must be sent: of fewer each may be of somebody who stopped meanwhile. */
const MANY = 6

/**
 * Holds how messages ended against what their providers said of them:
 *
 * - one that met a no for good is refused, and no other;
 * - of one that met silence nobody knows, and of no other: it is held or marked, unless a receipt told;
 * - one that met a no for now goes on, so that of many some are sent.
 *
 * Resolves what is not so in words; what ends without being sent for a no for now is lost by P1.
 */
export function wrongEnds(met: readonly MetFault[], records: readonly MessageRecord[]): string[] {
  const metBy = Map.groupBy(met, ({ intentId }) => intentId)
  const wrong: string[] = []
  const forNow: MessageRecord[] = []
  for (const record of records) {
    const own = metBy.get(record.intentId) ?? []
    const meanings = new Set(own.map(meaningOf))
    const told = own.map(({ channel, mode }) => `${channel} ${mode}`).join(', ') || 'nothing'
    const rule = brokenRule(record, meanings)
    if (rule !== null) {
      wrong.push(`${record.reference} ${rule}: met ${told}, is ${record.state} ${record.reason}`)
    }
    if (meanings.has('for now') && meanings.size === 1) forNow.push(record)
  }
  if (forNow.length >= MANY && !forNow.some(({ state }) => sent.has(state))) {
    wrong.push(`of ${forNow.length} messages that met a no for now none was sent`)
  }
  return wrong
}

const sent: ReadonlySet<string> = new Set(['sent', 'delivered', 'bounced'])
/** A receipt has told that the provider has it. */
const told: ReadonlySet<string> = new Set(['delivered', 'bounced'])
/** Somebody stopped it, or its address had bounced, before its turn came again. */
const stopped: ReadonlySet<string> = new Set(['skipped', 'cancelled'])

function brokenRule(
  { state, reason, duplicate }: MessageRecord,
  meanings: ReadonlySet<ReturnType<typeof meaningOf>>,
): string | null {
  const isRefused = state === 'failed' && reason === 'provider_refused'
  if (meanings.has('for good') !== isRefused) {
    return isRefused ? 'was refused without a no for good' : 'was refused for good'
  }
  const isUnknown = duplicate || (state === 'held' && reason === 'outcome_unknown')
  if (isUnknown && !meanings.has('unknown')) return 'is unknown though it was answered'
  const isTold = told.has(state) || stopped.has(state)
  return meanings.has('unknown') && !isUnknown && !isTold ? 'is known though nobody told' : null
}
