import { z } from 'zod'
import { noteOf } from '../draft.ts'
import { factsOf } from '../facts.ts'
import { fieldOf, resolveMoment, waitMomentSchema } from '../moment.ts'
import type { StepKind } from './step-kind.ts'

const waitStepSchema = z.strictObject({
  wait: waitMomentSchema.describe('Until when.'),
})
export type WaitStep = z.infer<typeof waitStepSchema>

export const waitStep: StepKind<WaitStep> = {
  key: 'wait',
  meaning:
    'Goes on at a later moment: after some time, at the next local time or weekday, or around a moment of the event or the entity. A moment that has passed, or whose data is missing, does not wait.',
  explanation: {
    nl: (_, { reason, detail }, words) =>
      typeof detail?.until === 'string'
        ? `ging de campagne wachten tot ${words.moment(detail.until)}`
        : `ging de campagne verder zonder te wachten: ${words.reason(reason)}`,
    en: (_, { reason, detail }, words) =>
      typeof detail?.until === 'string'
        ? `the campaign began to wait until ${words.moment(detail.until)}`
        : `the campaign went on without waiting: ${words.reason(reason)}`,
  },
  schema: () => waitStepSchema,
  waits: true,
  parts: ({ wait }) => ({
    pause: wait,
    ...(wait.id === undefined ? {} : { id: { name: wait.id, path: ['wait', 'id'] } }),
    moments: fieldOf(wait).map((field) => ({ path: ['wait', 'until'], field })),
  }),
  decide({ wait }, { draft, context, enrolment, node }) {
    const until = resolveMoment(wait, {
      ...factsOf(draft, context, enrolment),
      isWorkingDay: context.definition.isWorkingDay,
    })
    if (until === null) {
      noteOf(draft, enrolment, 'moment_unknown', { detail: { step: node.path } })
      return { goTo: node.next }
    }
    return until > context.now ? { waitUntil: until } : { goTo: node.next }
  },
}
