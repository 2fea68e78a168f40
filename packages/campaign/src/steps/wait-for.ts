import { z } from 'zod'
import { type Condition, conditionSchema } from '../condition.ts'
import {
  arrivesWhenSent,
  type EntityMeant,
  entityMeantSchema,
  identifierSchema,
  positiveDurationSchema,
  touchpointTypeSchema,
} from '../definition/words.ts'
import { noteOf } from '../draft.ts'
import { factsOf } from '../facts.ts'
import { addDuration } from '../instant.ts'
import { isOfAnotherEntity } from '../state.ts'
import { newestOf } from './message.ts'
import type { Step } from './step.ts'
import type { StepKind } from './step-kind.ts'
import type { Onward, StepRun } from './step-run.ts'

/** What a provider tells of a message by itself. */
const awaitedStatuses = ['delivered', 'bounced'] as const

type Awaited =
  | { touchpoint: string; where?: Condition | undefined; entity?: EntityMeant }
  | { message: string; status: (typeof awaitedStatuses)[number][] }

export type WaitForStep = {
  waitFor: Awaited & { within: string; then?: Step[] | undefined; otherwise?: Step[] | undefined }
}

const came = 0
const timedOut = 1

export const waitForStep: StepKind<WaitForStep> = {
  key: 'waitFor',
  meaning:
    'Waits until something happens: a touchpoint, from the moment at which the step begins, or what a provider tells of an earlier message of this campaign. What was put into the app counts as delivered: nobody tells of it. When it comes in time, `then` follows at once; when it does not come `within` that time, `otherwise`; and after either the step behind.',
  schema: (steps) => {
    const ways = {
      within: positiveDurationSchema.describe('How long it is waited for, such as `P3D`.'),
      // biome-ignore lint/suspicious/noThenProperty: the word in the file; no promise is made of it
      then: steps.optional().describe('What happens when it comes in time.'),
      otherwise: steps.optional().describe('What happens when it does not.'),
    }
    const touchpoint = z
      .strictObject({
        touchpoint: touchpointTypeSchema.describe('What is waited for.'),
        where: conditionSchema
          .optional()
          .describe('Only one of which this holds; `event` is its data.'),
        entity: entityMeantSchema,
        ...ways,
      })
      .describe('Waits for a touchpoint.')
    const message = z
      .strictObject({
        message: identifierSchema.describe('The id of a message of this campaign.'),
        status: z
          .array(z.enum(awaitedStatuses))
          .min(1)
          .describe('What must have become of it: one of these.'),
        ...ways,
      })
      .describe('Waits for what a provider tells of a message.')
    return z.strictObject({
      waitFor: z.union([touchpoint, message]).describe('What is waited for, and for how long.'),
    })
  },
  parts: ({ waitFor }) => {
    const path = (...rest: string[]) => ['waitFor', ...rest]
    return {
      arms: [
        { path: path('then'), label: 'then', when: null, steps: waitFor.then ?? [] },
        { path: path('otherwise'), label: 'otherwise', when: null, steps: waitFor.otherwise ?? [] },
      ],
      ...('touchpoint' in waitFor
        ? {
            touchpoints: [{ path: path('touchpoint'), type: waitFor.touchpoint }],
            conditions: waitFor.where
              ? [{ path: path('where'), condition: waitFor.where, about: waitFor.touchpoint }]
              : [],
          }
        : { messages: [{ path: path('message'), id: waitFor.message }] }),
    }
  },
  decide({ waitFor }, run) {
    const { draft, context, enrolment } = run
    if ('message' in waitFor && hasStatus(waitFor, run)) return take(run, came)
    const { timeZone } = factsOf(draft, context, enrolment)
    return { waitUntil: addDuration(context.now, waitFor.within, timeZone) }
  },
  onTouchpoint({ waitFor }, event, run) {
    if (!('touchpoint' in waitFor) || waitFor.touchpoint !== event.type) return null
    const { draft, context, enrolment, node } = run
    if (waitFor.entity !== 'any' && isOfAnotherEntity(enrolment, event)) return null
    const facts = factsOf(draft, context, enrolment, event)
    return node.conditions.every((holds) => holds(facts)) ? take(run, came) : null
  },
  onReceipt: ({ waitFor }, run) =>
    'message' in waitFor && hasStatus(waitFor, run) ? take(run, came) : null,
  // A receipt may have come just before, and be decided in the same batch.
  onTimer: ({ waitFor }, run) =>
    take(run, 'message' in waitFor && hasStatus(waitFor, run) ? came : timedOut),
}

function hasStatus(
  { message, status }: Extract<Awaited, { message: string }>,
  { draft, enrolment }: StepRun,
): boolean {
  const newest = newestOf(draft, enrolment, message)
  const isThere = newest?.state === 'sent' && newest.channel && arrivesWhenSent.has(newest.channel)
  const state = isThere ? 'delivered' : newest?.state
  return status.some((each) => each === state)
}

function take({ draft, enrolment, node }: StepRun, arm: number): Onward {
  noteOf(draft, enrolment, arm === came ? 'awaited_came' : 'awaited_not_in_time', {
    detail: { step: node.path, arm },
  })
  return { goTo: node.arms[arm]?.first ?? node.next }
}
