import { type ReasonCode, reasons } from '@wegwijs/campaign/reasons'
import type { Status } from '@wegwijs/store/status'

/** What the whole of it came to, beyond what the record itself can tell. */
export type Outcome = {
  status: Status
  /** Events that were published, each as often as it was. */
  published: number
  /** Messages that were accepted, by channel. */
  channels: Readonly<Record<'email' | 'sms' | 'app', number>>
  /** Business time from the first event to the last thing that happened. */
  days: number
  /** Real time. */
  seconds: number
}

const sentStates = ['sent', 'delivered', 'bounced'] as const
const unsentStates = ['skipped', 'cancelled', 'expired', 'failed', 'held'] as const
const waitingStates = ['planned', 'queued', 'sending'] as const

/** The numbers a person wants to know, as lines. */
export function summaryLines({ status, published, channels, days, seconds }: Outcome): string[] {
  const { messages, enrolments, deadLetters, people } = status
  const duplicates = sumOf(status.positions.map((position) => position.duplicates))
  const receipts = sumOf(status.positions.map((position) => position.applied)) + duplicates
  const sent = totalOf(messages, sentStates)
  const waiting = totalOf(messages, waitingStates)
  return [
    `${count(days)} days of business time in ${duration(seconds)}`,
    '',
    row(
      'events in',
      published,
      duplicates > 0 ? `${count(duplicates)} came twice, counted once` : '',
    ),
    row(
      'receipts back',
      receipts + deadLetters.open - published,
      'with what teams said of their tasks',
    ),
    row('people', people),
    row('enrolments', sumOf(Object.values(enrolments)), parts(enrolments)),
    row('messages planned', sumOf(Object.values(messages))),
    row('  sent', sent, channelParts(channels)),
    row('    of these', totalOf(messages, ['delivered']), 'delivered, by their receipts'),
    row('', messages.bounced ?? 0, 'bounced'),
    row('  not sent', totalOf(messages, unsentStates)),
    ...status.unsent.map(({ state, reason, count: some }) =>
      row('', some, `${state}: ${reasonText(reason)}`),
    ),
    ...(waiting === 0 ? [] : [row('  still to be sent', waiting)]),
    row('dead letters', deadLetters.open, parts(deadLetters.byClass)),
  ]
}

const numbers = new Intl.NumberFormat('en')

export function count(value: number): string {
  return numbers.format(value)
}

export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}

function row(name: string, value: number, words = ''): string {
  return `  ${name.padEnd(20)}${count(value).padStart(8)}  ${words}`.trimEnd()
}

function parts(counts: Readonly<Record<string, number | undefined>>): string {
  return Object.entries(counts)
    .map(([name, value]) => `${count(value ?? 0)} ${name}`)
    .join(', ')
}

function channelParts({ email, sms, app }: Outcome['channels']): string {
  return `${count(email)} by e-mail, ${count(sms)} by SMS, ${count(app)} in the app`
}

function reasonText(code: string): string {
  return Object.hasOwn(reasons, code) ? reasons[code as ReasonCode].text.en : code
}

function totalOf(messages: Status['messages'], states: readonly (keyof Status['messages'])[]) {
  return sumOf(states.map((state) => messages[state] ?? 0))
}

function sumOf(values: readonly (number | undefined)[]): number {
  return values.reduce((sum: number, value) => sum + (value ?? 0), 0)
}
