import type { Accepted } from '@wegwijs/system-tests/provider-files'
import { type Asked, addressNumberIn, type Ledger, type Stop } from './ledger.ts'
import type { MessageRecord } from './messages.ts'

/** How a message ended that no provider got. */
export type MessageEnd = Pick<MessageRecord, 'state' | 'reason'> & { road: string }

/** What was seen against what had to be; each list names references. */
export type Verdict = {
  /** Events that were acknowledged, and messages that they asked for. */
  events: number
  asked: number
  /** Lines that the providers wrote. */
  accepted: number
  /** Acknowledged, not stopped, and neither sent nor held because nobody knows. */
  lost: string[]
  /** More than one line without a mark, or more marked ones than its class allows. */
  doubled: string[]
  /** Began to be sent after its stop was answered. */
  afterStop: string[]
  /** Sent to an address that an earlier event had already replaced: events applied out of order. */
  outOfOrder: string[]
  /** Sent though nobody asked for it. */
  unasked: string[]
  /** Marked resends, and messages that are held because nobody knows. */
  marked: number
  held: number
}

export type Evidence = {
  ledger: Ledger
  accepted: readonly Accepted[]
  records: readonly MessageRecord[]
  /** True for a message for which the provider has sent a bounce. */
  isBounced: (message: Accepted) => boolean
  mayEnd?: ((end: MessageEnd) => boolean) | undefined
}

/**
 * Holds what the providers wrote against what was acknowledged, by the promises alone:
 *
 * - P1: a message that was asked for is there, unless its person was stopped or its provider has
 *   bounced one of theirs, or it is held because nobody knows whether it is there.
 * - P2: once; a second line is marked, and only where its class resends.
 * - P3: not after a stop was answered, except for what was already on its way in that moment.
 * - P6: to the newest address that had been told before it was asked for.
 */
export function judge({ ledger, accepted, records, isBounced, mayEnd }: Evidence): Verdict {
  const lines = Map.groupBy(accepted, ({ reference }) => reference)
  const recordOf = new Map(records.map((record) => [record.reference, record]))
  const stopOf = new Map(ledger.stops().map((stop) => [stop.subject, stop]))
  const asked = ledger.asked()
  const bounced = new Set(accepted.filter(isBounced).map(({ reference }) => subjectOf(reference)))
  const verdict: Verdict = {
    events: ledger.events(),
    asked: asked.length,
    accepted: accepted.length,
    lost: [],
    doubled: [],
    afterStop: [],
    outOfOrder: [],
    unasked: [],
    marked: accepted.filter(({ duplicate }) => duplicate).length,
    held: 0,
  }
  for (const each of asked) {
    const { reference, subject } = each
    const own = lines.get(reference) ?? []
    lines.delete(reference)
    const record = recordOf.get(reference)
    const stop = stopOf.get(subject)
    if (isHeld(record)) verdict.held += 1
    if (isDoubled(own)) verdict.doubled.push(reference)
    if (own.some((line) => isAfterStop(line, each, stop))) verdict.afterStop.push(reference)
    if (own.some((line) => isAtOldAddress(line, each))) verdict.outOfOrder.push(reference)
    const isExcused =
      each.acknowledgedAt === null || stop !== undefined || isHeld(record) || bounced.has(subject)
    const end = { state: record?.state, reason: record?.reason ?? null, road: roadOf(reference) }
    if (own.length > 0 || isExcused) continue
    if (end.state !== undefined && mayEnd?.(end as MessageEnd)) continue
    verdict.lost.push(`${reference} (${end.state ?? 'never planned'} ${end.reason ?? ''})`)
  }
  verdict.unasked.push(...lines.keys())
  return verdict
}

function isHeld(record: MessageRecord | undefined): boolean {
  return record?.state === 'held' && record.reason === 'outcome_unknown'
}

function isDoubled(lines: readonly Accepted[]): boolean {
  const marked = lines.filter(({ duplicate }) => duplicate).length
  const road = roadOf(lines[0]?.reference ?? '')
  return lines.length - marked > 1 || marked > (resent.has(road) ? 1 : 0)
}

/** Roads whose class sends once more when nobody knows: see the clinic. */
const resent: ReadonlySet<string> = new Set(['again', 'remind'])

function isAfterStop(line: Accepted, asked: Asked, stop: Stop | undefined): boolean {
  if (!stop?.answer || line.receivedAt <= stop.answer.answeredAt) return false
  if (asked.publishedAt > stop.answer.answeredAt) return true
  const then = stop.answer.messages.find(({ reference }) => reference === asked.reference)
  if (then === undefined) return true
  // Given up as unknown before the stop: what comes unmarked was handed over before that.
  const wasGivenUp = then.duplicate || isHeld(then)
  if (!line.duplicate) return !onItsWay.has(then.state) && !wasGivenUp
  return !onItsWay.has(then.state) || !then.duplicate
}

/** Claimed at that moment, or claimed and ended since the answer. */
const onItsWay: ReadonlySet<string> = new Set(['sending', 'sent', 'delivered', 'bounced'])

function isAtOldAddress(line: Accepted, { addressNumber }: Asked): boolean {
  const number = addressNumberIn(line.to)
  return number !== null && number < addressNumber
}

export function subjectOf(reference: string): string {
  return reference.split('/')[0] ?? ''
}

function roadOf(reference: string): string {
  return reference.split('/').at(-1) ?? ''
}
