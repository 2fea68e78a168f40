import { isReasonCode, reasons } from '@wegwijs/campaign/reasons'
import { instantOf, showLocalMoment } from '@wegwijs/campaign/specification/local-moment'
import type { Intent, PersonState } from '@wegwijs/campaign/state'
import type { History } from './specification.ts'

/** The moment of asking. */
export type Asked = {
  campaign: string
  /** On whose clocks moments are told. */
  timeZone: string
  history: History
  state: PersonState
  /** `person`, or how the specification calls whoever else gets it. */
  receiverOf: (intent: Intent) => string
  /** At the end each message of the campaign that was sent must have been named. */
  isLast: boolean
}

/** Whether this is the expected moment; any is when none was named. */
export function isAt(
  expected: string | undefined,
  instant: string | null,
  { timeZone }: Asked,
): boolean {
  return expected === undefined || instantOf(expected, timeZone) === instant
}

export function show(instant: string, { timeZone }: Asked): string {
  return showLocalMoment(instant, timeZone)
}

/** ` (expired: it was no longer worth sending)` */
export function reasonWords(code: string | null): string {
  if (code === null) return ''
  const text = isReasonCode(code) ? `: ${reasons[code].text.en}` : ''
  return ` (${code}${text})`
}
