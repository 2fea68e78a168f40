import { leavesOf } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'
import type { Fault } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { about, type Loaded } from './parts.ts'
import { type StepAt, stepsOf } from './walk.ts'
import { waysThrough } from './ways.ts'

/**
 * Steps that ask what has become of another one (a message, a question, a task) past which nobody has come who is
 * there: it stands further on, or on another way. Who is taken along from an older version may have been past it
 * in that one. A step to which nobody comes, since all have left before it, asks nothing.
 */
export function checkAskedTooEarly(campaign: Loaded<CampaignFile>): Fault[] {
  const { steps, move } = campaign.value
  if (move || campaign.invented) return []
  const all = stepsOf(steps)
  const asked = stepsByField(all)
  const ways = waysThrough(steps)
  return all.flatMap(({ step, path }, index) =>
    (ways.mayComeTo(step) ? askedBy(step) : []).flatMap(({ field, name, path: within }) => {
      const of = asked.get(field)
      if (!of || of.step === step || ways.mayComeBehind(step, of.step)) return []
      const { line } = campaign.source.positionOf(of.path)
      const where = of.nth > index ? 'stands further on' : 'stands on another way'
      const message = `"${of.id}" ${where}, in line ${line}: nobody who comes here has come past it; expected what stands before this`
      return [about(campaign, [...path, ...within], { message, found: name })]
    }),
  )
}

/** By what is asked of it, `enrolment.welcome.status`; the first of those that have one name. */
function stepsByField(all: readonly StepAt[]): Map<string, StepAt & { id: string; nth: number }> {
  return new Map(
    all
      .flatMap((at, nth) => {
        const { id, fields = [] } = partsOf(at.step)
        return fields.map(
          ([name]) => [`enrolment.${name}`, { ...at, nth, id: id?.name ?? name }] as const,
        )
      })
      .reverse(),
  )
}

type Asked = { field: string; name: string; path: Path }

/** What a step asks of the run, with where it says so. */
function askedBy(step: Step): Asked[] {
  const { arms = [], conditions = [], messages = [], sets, emits } = partsOf(step)
  const ofArms = arms.flatMap(({ when }) => when ?? [])
  const copied = (name: unknown, path: Path): Asked[] =>
    typeof name === 'string' ? [{ field: name, name, path }] : []
  return [
    ...[...ofArms, ...conditions].flatMap(({ condition, path }) =>
      leavesOf(condition, [...path]).map(({ leaf: { field }, path: at }) => ({
        field,
        name: field,
        path: [...at, 'field'],
      })),
    ),
    ...messages.map(({ id, path }) => ({ field: `enrolment.${id}.status`, name: id, path })),
    ...copied(sets?.from, ['set', 'from']),
    ...Object.entries(emits?.data ?? {}).flatMap(([name, from]) =>
      copied(from, ['emit', 'data', name]),
    ),
  ]
}
