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
import { factsOf, timeZoneOf } from '../facts.ts'
import { addDuration, type Instant } from '../instant.ts'
import { type Intent, isOfAnotherEntity, isPending } from '../state.ts'
import { withdrawMessage } from './message-plan.ts'
import { latestOfMessage, mayStillArrive, newestOf } from './message-status.ts'
import type { Step } from './step.ts'
import type { StepKind } from './step-kind.ts'
import type { InPlaceOf, Onward, StepRun } from './step-run.ts'

/** What a provider tells of a message by itself. */
const awaitedStatuses = ['delivered', 'bounced'] as const

type Awaited =
  | { touchpoint: string; where?: Condition | undefined; entity?: EntityMeant }
  | { message: string; status: (typeof awaitedStatuses)[number][] }

export type WaitForStep = {
  waitFor: Awaited & {
    id?: string | undefined
    within: string
    then?: Step[] | undefined
    otherwise?: Step[] | undefined
  }
}

const came = 0
const timedOut = 1

export const waitForStep: StepKind<WaitForStep> = {
  key: 'waitFor',
  meaning:
    'Waits until something happens: a touchpoint, from the moment at which the step begins, or what a provider tells of an earlier message of this campaign. The time for a message runs from when it is due; one that has not gone out when it is over is taken back if `otherwise` says what comes in its place. What a worker has by then, or nobody knows of, goes first: what `otherwise` plans at once is only sent when that one turns out not to have been. What was put into the app is delivered. A touchpoint about an appointment or a stay is heard when it brings a newer version of it. Whatever ends the campaign, such as the cancellation of its own appointment, ends the wait with it. When it comes in time, `then` follows at once; when it does not come `within` that time, `otherwise`; and after either the step behind.',
  shortest: { waitFor: { touchpoint: 'care.survey.answered.v1', within: 'P3D' } },
  explanation: {
    nl: ({ waitFor }, { reason, detail }, words) => {
      const what =
        'touchpoint' in waitFor
          ? words.touchpoint(waitFor.touchpoint)
          : `bericht over "${waitFor.message}"`
      if (reason === 'awaited_came') return `kwam ${what}, waar de campagne op wachtte`
      if (reason === 'awaited_not_in_time')
        return `ging de campagne verder zonder ${what}: dat kwam niet binnen ${words.duration(waitFor.within)}`
      return `ging de campagne wachten op ${what}, uiterlijk tot ${words.moment(String(detail?.until))}`
    },
    en: ({ waitFor }, { reason, detail }, words) => {
      const what =
        'touchpoint' in waitFor
          ? words.touchpoint(waitFor.touchpoint)
          : `word of the message "${waitFor.message}"`
      if (reason === 'awaited_came') return `${what} came, for which the campaign waited`
      if (reason === 'awaited_not_in_time')
        return `the campaign went on without ${what}: it did not come within ${words.duration(waitFor.within)}`
      return `the campaign began to wait for ${what}, at most until ${words.moment(String(detail?.until))}`
    },
  },
  schema: (steps) => {
    const ways = {
      id: identifierSchema
        .optional()
        .describe('How a later version names it that moves people; once in a campaign.'),
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
  waits: true,
  parts: ({ waitFor }) => {
    const path = (...rest: string[]) => ['waitFor', ...rest]
    return {
      ...(waitFor.id === undefined ? {} : { id: { name: waitFor.id, path: path('id') } }),
      arms: [
        { path: path('then'), label: 'then', when: null, steps: waitFor.then ?? [] },
        { path: path('otherwise'), label: 'otherwise', when: null, steps: waitFor.otherwise ?? [] },
      ],
      ...('touchpoint' in waitFor
        ? {
            touchpoints: [
              {
                path: path('touchpoint'),
                type: waitFor.touchpoint,
                within: waitFor.within,
                arm: came,
                ...(waitFor.entity ? { entity: waitFor.entity } : {}),
              },
            ],
            conditions: waitFor.where
              ? [{ path: path('where'), condition: waitFor.where, about: waitFor.touchpoint }]
              : [],
          }
        : {
            messages: [
              {
                path: path('message'),
                id: waitFor.message,
                within: { path: path('within'), duration: waitFor.within },
                ...(isForArrival(waitFor) && { inItsPlace: timedOut }),
              },
            ],
          }),
    }
  },
  decide({ waitFor }, run) {
    if ('message' in waitFor && hasStatus(waitFor, run)) return take(run, came)
    return { waitUntil: endOf(waitFor, run, run.context.now) }
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
  onTimer({ waitFor }, run) {
    if (!('message' in waitFor)) return take(run, timedOut)
    // A receipt may have come just before, and be decided in the same batch.
    if (hasStatus(waitFor, run)) return take(run, came)
    const isPlanned = newestOf(run.draft, run.enrolment, waitFor.message) !== undefined
    const waitUntil = isPlanned ? endOf(waitFor, run) : run.context.now
    if (waitUntil > run.context.now) return { waitUntil }
    takeBack(waitFor.message, run)
    return { ...take(run, timedOut), inPlaceOf: inPlaceOf(waitFor, run) }
  },
}

/**
 * Until when it is waited for, not counted from before `earliest`. A message has its time from when it
 * is due: it may be planned for later, have moved with its appointment, or be put off by quiet hours,
 * and nobody is to get the next one before. What its channel or provider puts off could go another way, and
 * has no more time for that.
 */
function endOf(
  waitFor: WaitForStep['waitFor'],
  { draft, context, enrolment }: StepRun,
  earliest: Instant = '',
): Instant {
  const newest = 'message' in waitFor ? newestOf(draft, enrolment, waitFor.message) : undefined
  const dueAt = newest?.dueSince ?? newest?.dueAt ?? ''
  const from = dueAt > earliest ? dueAt : earliest
  return addDuration(from || context.now, waitFor.within, timeZoneOf(draft, context))
}

/** What follows comes in its place: one that has not gone out by then would be a second one (P2). */
function takeBack(messageId: string, { draft, enrolment, node }: StepRun): void {
  if (node.arms[timedOut]?.first === node.next) return
  for (const intent of [...draft.intents.values()]) {
    const isOwn = intent.enrolmentId === enrolment.enrolmentId && intent.messageId === messageId
    // One that may have been sent before says so first: the last check has the other one wait for it.
    if (isOwn && isPending(intent) && !intent.duplicate)
      withdrawMessage(draft, enrolment, intent, 'awaited_not_in_time')
  }
}

/**
 * Whoever comes in its place is not to be a second one (P2): what a worker has at this moment, or nobody
 * knows of, may turn out to have gone out, and what was sent to have arrived. The last check looks again.
 */
function inPlaceOf(
  waitFor: Extract<Awaited, { message: string }>,
  { draft, enrolment, node }: StepRun,
): InPlaceOf | null {
  const newest = newestOf(draft, enrolment, waitFor.message)
  if (!newest || !isForArrival(waitFor)) return null
  const intentId = mayStillArrive(newest) ? newest.intentId : newest.insteadOf
  return intentId === null ? null : { intentId, arm: `${node.path}.${timedOut}.` }
}

function isForArrival({ status }: Extract<Awaited, { message: string }>): boolean {
  return status.includes('delivered')
}

function hasStatus(
  { message, status }: Extract<Awaited, { message: string }>,
  { draft, enrolment }: StepRun,
): boolean {
  const latest = latestOfMessage(draft, enrolment, message)
  const [furthest] = latest
  // What lies in the app is there though its receipt is still on the way; and where the one went out in
  // whose place this one came, the person has it.
  const isThere = latest.some(liesInApp) || furthest?.reason === 'awaited_after_all'
  const state = isThere ? 'delivered' : furthest?.state
  return status.some((each) => each === state)
}

function liesInApp({ state, channel }: Intent): boolean {
  return state === 'sent' && channel !== undefined && arrivesWhenSent.has(channel)
}

function take({ draft, enrolment, node }: StepRun, arm: number): Onward {
  noteOf(draft, enrolment, arm === came ? 'awaited_came' : 'awaited_not_in_time', {
    detail: { step: node.path, arm },
  })
  return { goTo: node.arms[arm]?.first ?? node.next }
}
