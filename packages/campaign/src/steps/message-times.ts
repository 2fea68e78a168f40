import type { Addressee } from '../addressees.ts'
import { factsOf } from '../facts.ts'
import { addDuration, type Instant, laterOf } from '../instant.ts'
import { fieldOf, resolveMoment } from '../moment.ts'
import type { ReasonCode } from '../reasons.ts'
import { type SendingWindow, sendableAt, windowOf } from '../sending-window.ts'
import type { MessageStep } from './message.ts'
import type { StepParts } from './step-kind.ts'
import type { StepRun } from './step-run.ts'

/** Fields that a message counts its moments from; `key` is that of its step. */
export function momentsOf(
  { send, until }: Pick<MessageStep['message'], 'send' | 'until'>,
  key: string,
): NonNullable<StepParts['moments']> {
  return [
    ...(send ? fieldOf(send) : []).map((field) => ({ path: [key, 'send', 'until'], field })),
    ...(until ? [{ path: [key, 'until'], field: until }] : []),
  ]
}

/** `moment` is what the step says, which may have passed; `dueAt` when it can be sent at the earliest;
 * `outlastedBy`: what lasts longer than it is worth having; `window`: null when it may go out at any time. */
export type Times = {
  moment: Instant
  dueAt: Instant
  expiresAt: Instant
  outlastedBy: (ReasonCode & `${string}_outlast`) | null
  window: SendingWindow | null
}

/**
 * When the message is due and until when it is worth sending, on the clocks of whoever gets it; null when
 * its moment has no data. With `isAtOnce` its own moment has come before, and only the days and hours of it
 * still count.
 */
export function messageTimes(
  step: MessageStep,
  run: Omit<StepRun, 'node'>,
  addressee?: Addressee,
  { isAtOnce = false } = {},
): Times | null {
  const { draft, context, campaign, enrolment } = run
  const own = factsOf(draft, context, enrolment)
  const { isWorkingDay } = context.definition
  const facts = { ...own, isWorkingDay, ...(addressee && { timeZone: addressee.timeZone }) }
  const { send, until } = step.message
  const { quietHours } = campaign.policy
  const expires = step.message.expires ?? campaign.policy.expires
  const said = send ? resolveMoment(send, facts) : context.now
  const moment = isAtOnce ? context.now : said
  const end = until ? facts.read(until) : null
  if (moment === null || end === undefined) return null
  const earliest = laterOf(moment, context.now)
  const window = send && said !== null ? windowOf(send, said, { earliest, expires }, facts) : null
  // Who would be woken by it gets it in the morning, if it is still worth having then.
  const dueAt = sendableAt(earliest, window, quietHours, facts.timeZone)
  const latest = addDuration(dueAt ?? earliest, expires, facts.timeZone)
  const expiresAt = typeof end === 'string' && end < latest ? end : latest
  if (dueAt === earliest || (dueAt !== null && dueAt < expiresAt))
    return { moment, dueAt, expiresAt, outlastedBy: null, window }
  const isQuiet = quietHours && sendableAt(earliest, window, undefined, facts.timeZone) !== dueAt
  const outlastedBy = isQuiet ? 'quiet_hours_outlast' : 'sending_window_outlast'
  return { moment, dueAt: earliest, expiresAt: context.now, outlastedBy, window }
}
