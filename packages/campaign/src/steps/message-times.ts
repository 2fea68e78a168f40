import type { Addressee } from '../addressees.ts'
import { factsOf } from '../facts.ts'
import { addDuration, type Instant } from '../instant.ts'
import { fieldOf, resolveMoment } from '../moment.ts'
import { quietUntil } from '../quiet-hours.ts'
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
 * `isOutlasted`: the quiet hours last longer than it is worth having. */
export type Times = { moment: Instant; dueAt: Instant; expiresAt: Instant; isOutlasted: boolean }

/**
 * When the message is due and until when it is worth sending, on the clocks of whoever gets it; null when
 * its moment has no data.
 */
export function messageTimes(
  step: MessageStep,
  run: Omit<StepRun, 'node'>,
  addressee?: Addressee,
): Times | null {
  const { draft, context, campaign, enrolment } = run
  const own = factsOf(draft, context, enrolment)
  const facts = addressee ? { ...own, timeZone: addressee.timeZone } : own
  const { send, expires, until } = step.message
  const moment = send
    ? resolveMoment(send, { ...facts, isWorkingDay: context.definition.isWorkingDay })
    : context.now
  const end = until ? facts.read(until) : null
  if (moment === null || end === undefined) return null
  const { quietHours } = campaign.policy
  const earliest = moment > context.now ? moment : context.now
  const dueAt = (quietHours && quietUntil(earliest, quietHours, facts.timeZone)) ?? earliest
  const latest = addDuration(dueAt, expires ?? campaign.policy.expires, facts.timeZone)
  const expiresAt = typeof end === 'string' && end < latest ? end : latest
  // Who would be woken by it gets it in the morning, if it is still worth having then.
  const isOutlasted = dueAt > earliest && expiresAt <= dueAt
  return { moment, dueAt, expiresAt: isOutlasted ? context.now : expiresAt, isOutlasted }
}
