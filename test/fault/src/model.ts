import type { Accepted } from '@wegwijs/system-tests/provider-files'
import { type Asked, addressNumberIn, type Ledger, type Stop } from './ledger.ts'
import { leaseMs, type MessageRecord } from './messages.ts'

/** How a message ended that no provider got. */
export type MessageEnd = Pick<MessageRecord, 'intentId' | 'state' | 'reason'> & { road: string }

/** What a message may break. */
export type Rule = 'lost' | 'doubled' | 'afterStop' | 'outOfOrder'

/** How many messages were held against each rule: those that could have broken it. */
export type Judged = Readonly<Record<Rule, number>>

/** What was seen against what had to be; each list names references. */
export type Verdict = {
  /** Events that were acknowledged, and messages that they asked for. */
  events: number
  asked: number
  /** Hand-overs that a provider has taken, also those that it folded. */
  accepted: number
  /** Acknowledged, and neither sent, nor held because nobody knows, nor ended by what may end it. */
  lost: string[]
  /** More than one hand-over without a mark, or more marked ones than its class allows. */
  doubled: string[]
  /** Began to be sent after its stop was answered, or came when nothing might be on its way any more. */
  afterStop: string[]
  /** Sent to an address that an earlier event had already replaced: events applied out of order. */
  outOfOrder: string[]
  /** Sent though nobody asked for it. */
  unasked: string[]
  /** Marked resends, and messages that are held because nobody knows. */
  marked: number
  held: number
  judged: Record<Rule, number>
}

export type Evidence = {
  ledger: Ledger
  /** What the providers have taken, also what they folded. */
  handOvers: readonly Accepted[]
  records: readonly MessageRecord[]
  /** Why events started nothing, by the reference of the message that they asked for. */
  refusals: ReadonlyMap<string, string>
  /** True for a message for which the provider has sent a bounce. */
  isBounced: (message: Accepted) => boolean
  mayEnd?: ((end: MessageEnd) => boolean) | undefined
}

/** A verdict on nothing. */
export function emptyVerdict(): Verdict {
  return {
    events: 0,
    asked: 0,
    accepted: 0,
    lost: [],
    doubled: [],
    afterStop: [],
    outOfOrder: [],
    unasked: [],
    marked: 0,
    held: 0,
    judged: { lost: 0, doubled: 0, afterStop: 0, outOfOrder: 0 },
  }
}

/** What people who arrive, move and are stopped would show, and a round that has a load did not. */
export function notJudged({ judged: { afterStop, outOfOrder } }: Verdict): string[] {
  return [
    ...(afterStop > 0 ? [] : ['no message was held against a stop']),
    ...(outOfOrder > 0 ? [] : ['no message was held against an address of before']),
  ]
}

/**
 * Holds what the providers wrote against what was acknowledged, by the promises alone:
 *
 * - P1: a message that was asked for is there, unless it was ended, or never planned, for the stop of its
 *   person, or for a bounce of the address that it would have gone to, or is held because nobody knows
 *   whether it is there.
 * - P2: once; a second hand-over is marked, and only where its class resends. That the provider folds it
 *   makes no difference.
 * - P3: not after a stop was answered, except for what was already on its way in that moment, and of that
 *   nothing later than a lease.
 * - P6: to the newest address that had been told before it was asked for.
 */
export function judge(evidence: Evidence): Verdict {
  const { ledger, handOvers, isBounced } = evidence
  const lines = Map.groupBy(handOvers, ({ reference }) => reference)
  const recordOf = new Map(evidence.records.map((record) => [record.reference, record]))
  const stopOf = new Map(ledger.stops().map((stop) => [stop.subject, stop]))
  const bounces = Map.groupBy(handOvers.filter(isBounced), (line) => subjectOf(line.reference))
  const asked = ledger.asked()
  const verdict: Verdict = {
    ...emptyVerdict(),
    events: ledger.events(),
    asked: asked.length,
    accepted: handOvers.length,
    marked: handOvers.filter(({ duplicate }) => duplicate).length,
  }
  const hold = (rule: Rule, isBroken: boolean, what: string) => {
    verdict.judged[rule] += 1
    if (isBroken) verdict[rule].push(what)
  }
  for (const each of asked) {
    const { reference, subject } = each
    const own = lines.get(reference) ?? []
    lines.delete(reference)
    const record = recordOf.get(reference)
    const stop = stopOf.get(subject)
    if (isHeld(record)) verdict.held += 1
    if (own.length > 0) hold('doubled', isDoubled(own), reference)
    const stopped = againstStop(own, each, stop)
    if (stopped !== 'no case') hold('afterStop', stopped === 'broken', reference)
    const addressed = own.filter(({ to }) => addressNumberIn(to) !== null)
    if (each.addressNumber > 1 && addressed.length > 0) {
      hold(
        'outOfOrder',
        addressed.some((line) => isAtOldAddress(line, each)),
        reference,
      )
    }
    if (each.acknowledgedAt === null) continue
    const isMissing = own.length === 0
    const about = { record, stop, bounces: bounces.get(subject) ?? [] }
    if (isMissing && isExcused(each, about, evidence)) continue
    hold(
      'lost',
      isMissing,
      `${reference} (${record?.state ?? 'never planned'} ${record?.reason ?? ''})`,
    )
  }
  verdict.unasked.push(...lines.keys())
  return verdict
}

type About = {
  record: MessageRecord | undefined
  stop: Stop | undefined
  /** Those of its person. */
  bounces: readonly Accepted[]
}

/** Whether what ended it, or kept it from being planned, is something for which it need not come. */
function isExcused(asked: Asked, { record, stop, bounces }: About, evidence: Evidence): boolean {
  const { reference } = asked
  if (record === undefined) {
    return stop !== undefined && stopReasons.has(evidence.refusals.get(reference) ?? '')
  }
  if (isHeld(record)) return true
  const { intentId, state, reason } = record
  const isEnded = state === 'skipped' || state === 'cancelled'
  if (stop && isEnded && stopReasons.has(reason ?? '')) return true
  if (bounces.some((bounce) => isRefusedFor(bounce, asked, record))) return true
  return evidence.mayEnd?.({ intentId, state, reason, road: roadOf(reference) }) ?? false
}

/** What a withdrawal or a death is called where it ends a message, or keeps it from being planned. */
const stopReasons: ReadonlySet<string> = new Set(['consent_withdrawn', 'person_deceased'])

/** It was skipped after this bounce, of the address to which it would have gone. */
function isRefusedFor(bounce: Accepted, { addressNumber }: Asked, record: MessageRecord): boolean {
  const { state, reason, channels, touchedAt } = record
  if (state !== 'skipped' || reason !== 'no_usable_channel') return false
  if (channels[bounce.channel] !== 'contact_refused' || bounce.receivedAt > touchedAt) return false
  const number = addressNumberIn(bounce.to)
  return number === null || number >= addressNumber
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

/**
 * So long after the answer of a stop a claim may end to be made that did not see it: its lease is
 * counted from the end of its statement, and its check was made at the begin. What is read of the
 * messages of the person later than this cannot tell such claims from any other.
 */
const CLAIM_MS = 1_000

type Answer = NonNullable<Stop['answer']>

/**
 * Holds a message against the stop of its person. `no case` for one that was handed over before the
 * answer, and for one of which nobody can say when it was claimed, since that was read too late.
 */
function againstStop(
  own: readonly Accepted[],
  asked: Asked,
  stop: Stop | undefined,
): 'no case' | 'kept' | 'broken' {
  if (!stop?.answer) return 'no case'
  const { answer } = stop
  const then = answer.messages.find(({ reference }) => reference === asked.reference)
  if (then?.claimedAt && isLater(then.claimedAt, answer.answeredAt, CLAIM_MS)) return 'broken'
  const late = own.filter(({ receivedAt }) => receivedAt > answer.answeredAt)
  if (own.length > 0 && late.length === 0) return 'no case'
  if (late.some((line) => isAfterStop(line, asked, { answer, then }))) return 'broken'
  const isTooLateToTell =
    late.length > 0 && !then?.claimedAt && isLater(answer.readAt, answer.answeredAt, CLAIM_MS)
  return isTooLateToTell ? 'no case' : 'kept'
}

function isAfterStop(
  line: Accepted,
  asked: Asked,
  { answer, then }: { answer: Answer; then: MessageRecord | undefined },
): boolean {
  const { answeredAt, readAt } = answer
  if (isLater(line.receivedAt, answeredAt, leaseMs)) return true
  if (asked.publishedAt > answeredAt || then === undefined) return true
  // Given up as unknown before the stop: what comes unmarked was handed over before that.
  if (!line.duplicate && (then.duplicate || isHeld(then))) return false
  if (line.duplicate && !then.duplicate) return true
  if (then.claimedAt !== null) return false
  // Its claim was settled before it was read: whatever came by then may have come of it.
  return !ended.has(then.state) || line.receivedAt > readAt
}

const ended: ReadonlySet<string> = new Set(['sent', 'delivered', 'bounced'])

/** By more than so many milliseconds. */
function isLater(instant: string, than: string, ms: number): boolean {
  return Date.parse(instant) - Date.parse(than) > ms
}

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
