import { z } from 'zod'
import { noteOf } from '../draft.ts'
import type { Words } from '../explain/words.ts'
import { factsOf } from '../facts.ts'
import type { Instant } from '../instant.ts'
import { dateOfPersonIn, resolveMoment, waitMomentSchema } from '../moment.ts'
import type { StepKind, StepParts } from './step-kind.ts'
import type { StepRun } from './step-run.ts'

const waitStepSchema = z.strictObject({
  wait: waitMomentSchema.describe('Until when.'),
})
export type WaitStep = z.infer<typeof waitStepSchema>
type Said = WaitStep['wait']

export const waitStep: StepKind<WaitStep> = {
  key: 'wait',
  meaning:
    'Goes on at a later moment: after some time, at the next local time or weekday, or around a moment of the event or the entity, or a moment or calendar day of the person. When the entity moves, or another date of the person is told, the wait moves with it, at once. A moment that has passed, or whose data is missing, does not wait. A date of the person that is taken away while somebody waits for it leaves the wait as it is.',
  shortest: { wait: { for: 'P2D' } },
  explanation: {
    nl: ({ wait }, { reason, detail }, words) =>
      typeof detail?.until === 'string'
        ? `ging de campagne wachten tot ${words.moment(detail.until)}${inDutch(wait, words)}`
        : `ging de campagne verder zonder te wachten: ${words.reason(reason)}`,
    en: ({ wait }, { reason, detail }, words) =>
      typeof detail?.until === 'string'
        ? `the campaign began to wait until ${words.moment(detail.until)}${inEnglish(wait, words)}`
        : `the campaign went on without waiting: ${words.reason(reason)}`,
  },
  schema: () => waitStepSchema,
  waits: true,
  parts: ({ wait }) => ({
    pause: wait,
    ...(wait.id === undefined ? {} : { id: { name: wait.id, path: ['wait', 'id'] } }),
    moments: momentsOf(wait),
  }),
  decide({ wait }, run) {
    const { draft, context, enrolment, node } = run
    const until = momentOf(wait, run)
    if (until === null) {
      noteOf(draft, enrolment, 'moment_unknown', { detail: { step: node.path } })
      return { goTo: node.next }
    }
    return until > context.now ? { waitUntil: until } : { goTo: node.next }
  },
  dateOfPerson({ wait }, run) {
    const field = dateOfPersonIn(wait)
    return field === null ? null : { field, moment: momentOf(wait, run) }
  },
}

function momentOf(wait: Said, { draft, context, enrolment }: StepRun): Instant | null {
  const { isWorkingDay } = context.definition
  return resolveMoment(wait, { ...factsOf(draft, context, enrolment), isWorkingDay })
}

function momentsOf(wait: Said): NonNullable<StepParts['moments']> {
  if (!('until' in wait)) return []
  const { until: field, at, offset } = wait
  const span = offset === undefined ? null : { path: ['wait', 'offset'], duration: offset }
  return [{ path: ['wait', 'until'], field, around: { hasTime: at !== undefined, span } }]
}

/** From which date of the person it is counted, behind the moment: not where that would tell of their health. */
function inDutch(wait: Said, words: Words): string {
  const { field, span, isBefore } = aroundOf(wait)
  if (field === null || !words.shows(field)) return ''
  const side = isBefore ? 'voor' : 'na'
  return ` (${span === null ? '' : `${words.duration(span)} ${side} `}${words.field(field)})`
}

function inEnglish(wait: Said, words: Words): string {
  const { field, span, isBefore } = aroundOf(wait)
  if (field === null || !words.shows(field)) return ''
  const side = isBefore ? 'before' : 'after'
  return ` (${span === null ? '' : `${words.duration(span)} ${side} `}${words.field(field)})`
}

function aroundOf(wait: Said): { field: string | null; span: string | null; isBefore: boolean } {
  const offset = 'until' in wait ? wait.offset : undefined
  const [, sign = '', span = null] = /^([-+]?)(.+)$/.exec(offset ?? '') ?? []
  return { field: dateOfPersonIn(wait), span, isBefore: sign === '-' }
}
