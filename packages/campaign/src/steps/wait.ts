import { z } from 'zod'
import { noteOf } from '../draft.ts'
import { readerOf, timeZoneOf } from '../facts.ts'
import { momentSchema, resolveMoment } from '../moment.ts'
import type { StepResult, StepRun } from './step-run.ts'

/** Goes on at a later moment. A moment that has passed, or whose data is missing, does not wait. */
export const waitStepSchema = z.strictObject({ wait: momentSchema.describe('Until when.') }).meta({
  id: 'step-wait',
  title: 'Step: wait',
  description:
    'Goes on at a later moment. A moment that has passed, or whose data is missing, does not wait.',
})
export type WaitStep = z.infer<typeof waitStepSchema>

export function runWait(step: WaitStep, run: StepRun): StepResult {
  const { draft, context, enrolment, node } = run
  const until = resolveMoment(step.wait, {
    now: context.now,
    timeZone: timeZoneOf(draft, context),
    isWorkingDay: context.definition.isWorkingDay,
    read: readerOf(draft, context, enrolment),
  })
  if (until === null) {
    noteOf(draft, enrolment, 'moment_unknown', { detail: { step: node.path } })
    return { goTo: node.next }
  }
  return until > context.now ? { waitUntil: until } : { goTo: node.next }
}
