import { lot } from '@wegwijs/dry-run/outcome-model'

/**
 * How the sandbox can be told to fail. Those above the line do not take the message, those below do.
 *
 * | mode              | SMTP, after the message        | SMS over HTTP         |
 * | ----------------- | ------------------------------ | --------------------- |
 * | refuse4xx         | 451 (try again)                | 422 (no)              |
 * | refuse5xx         | 554 (no)                       | 500                   |
 * | rateLimit         | 450                            | 429 with Retry-After  |
 * | resetBeforeAccept | connection reset               | connection reset      |
 * | hang              | no answer, until the client goes | the same            |
 * |                                                                            |
 * | resetAfterAccept  | connection reset               | connection reset      |
 * | hangAfterAccept   | no answer, until the client goes | the same            |
 * | slow              | accepted after `delayMs`       | accepted after `delayMs` |
 * | accept            | accepted: takes a message out of the faults that follow          |
 *
 * These change nothing of the answer, only how its receipts come; a message may meet several:
 *
 * | mode              | the receipt                                                      |
 * | ----------------- | ---------------------------------------------------------------- |
 * | receiptLate       | comes after `delayMs`                                            |
 * | receiptTwice      | comes again, `delayMs` after the first                           |
 * | receiptDisordered | of a delivery: `opened` comes, and `delayMs` later `delivered`   |
 */
const answerModes = [
  'accept',
  'refuse4xx',
  'refuse5xx',
  'rateLimit',
  'resetAfterAccept',
  'hangAfterAccept',
  'resetBeforeAccept',
  'hang',
  'slow',
] as const
export type AnswerMode = (typeof answerModes)[number]

const receiptModes = ['receiptLate', 'receiptTwice', 'receiptDisordered'] as const
export type ReceiptMode = (typeof receiptModes)[number]

export const faultModes = [...answerModes, ...receiptModes] as const
export type FaultMode = AnswerMode | ReceiptMode

export type FaultChannel = 'email' | 'sms'

export type Fault = {
  channel: FaultChannel
  mode: FaultMode
  /** Share of the intents that meet it, 0 to 1; which ones is decided by their id. */
  rate: number
  /** How often one intent meets it; without it every time. */
  times?: number
  /** For `slow`, and for receipts. */
  delayMs?: number
  /** For `rateLimit`. */
  retryAfterSeconds?: number
}

/** One that changes what is answered. */
export type AnswerFault = Omit<Fault, 'mode'> & { mode: AnswerMode }

export type Faults = {
  /** Takes the place of the fault of the same channel and mode, else comes after the others. */
  set(fault: Fault): void
  /** Those of one channel, or all. */
  clear(channel?: FaultChannel): void
  list(): readonly Fault[]
  /** How often each was met since the start, also of those that were cleared: `sms hang`. */
  met(): Readonly<Record<string, number>>
  /** The first fault that a message of this intent meets now, which counts as one of its times. */
  meet(channel: FaultChannel, intentId: string): AnswerFault | undefined
  /** What happens to the receipts of this intent, by mode; each counts as one of its times. */
  meetReceipt(channel: FaultChannel, intentId: string): ReadonlyMap<ReceiptMode, Fault>
}

export function createFaults(): Faults {
  let faults: Fault[] = []
  const met = new Map<string, number>()
  const sums = new Map<string, number>()
  const keyOf = (fault: Fault, intentId = '') => `${fault.channel} ${fault.mode} ${intentId}`

  const isMet = (fault: Fault, intentId: string) =>
    lot('fault', fault.channel, fault.mode, intentId) < fault.rate &&
    (met.get(keyOf(fault, intentId)) ?? 0) < (fault.times ?? Number.POSITIVE_INFINITY)

  const count = (fault: Fault, intentId: string) => {
    const name = `${fault.channel} ${fault.mode}`
    sums.set(name, (sums.get(name) ?? 0) + 1)
    if (fault.times === undefined) return
    const key = keyOf(fault, intentId)
    met.set(key, (met.get(key) ?? 0) + 1)
  }

  return {
    set(fault) {
      const index = faults.findIndex((other) => keyOf(other) === keyOf(fault))
      faults = index < 0 ? [...faults, fault] : faults.with(index, fault)
    },
    clear(channel) {
      faults = channel === undefined ? [] : faults.filter((fault) => fault.channel !== channel)
      met.clear()
    },
    list: () => faults,
    met: () => Object.fromEntries(sums),
    meet(channel, intentId) {
      const fault = faults
        .filter(isAnswerFault)
        .find((each) => each.channel === channel && isMet(each, intentId))
      if (fault !== undefined) count(fault, intentId)
      return fault
    },
    meetReceipt(channel, intentId) {
      const own = new Map<ReceiptMode, Fault>()
      for (const fault of faults) {
        const { mode } = fault
        if (fault.channel !== channel || !isReceiptMode(mode) || !isMet(fault, intentId)) continue
        count(fault, intentId)
        own.set(mode, fault)
      }
      return own
    },
  }
}

function isReceiptMode(mode: FaultMode): mode is ReceiptMode {
  return receiptModes.some((each) => each === mode)
}

function isAnswerFault(fault: Fault): fault is Fault & AnswerFault {
  return !isReceiptMode(fault.mode)
}

/** Reads a fault as it was sent; a text tells what is wrong with it. */
export function readFault(value: unknown): Fault | string {
  if (typeof value !== 'object' || value === null) return 'expected an object'
  const {
    channel,
    mode,
    rate = 1,
    times,
    delayMs,
    retryAfterSeconds,
    ...rest
  } = value as Record<string, unknown>
  const unknown = Object.keys(rest)
  if (unknown.length > 0) return `unknown: ${unknown.join(', ')}`
  if (channel !== 'email' && channel !== 'sms') return 'channel: expected email or sms'
  const known = faultModes.find((each) => each === mode)
  if (known === undefined) return `mode: expected one of ${faultModes.join(', ')}`
  if (typeof rate !== 'number' || !(rate >= 0 && rate <= 1)) return 'rate: expected 0 to 1'
  const numbers = { times, delayMs, retryAfterSeconds }
  const given = Object.entries(numbers).filter(([, number]) => number !== undefined)
  const bad = given.find(([, number]) => !Number.isSafeInteger(number) || Number(number) < 0)
  if (bad !== undefined) return `${bad[0]}: expected a whole number from 0`
  return { channel, mode: known, rate, ...Object.fromEntries(given) }
}
