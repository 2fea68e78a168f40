import { type Condition, happenedIn, leavesOf } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Field } from '@wegwijs/campaign/definition/field'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'
import type { Complaint, Fault } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { type Case, casesOf, holdsIn } from './cases.ts'
import { about, type Loaded } from './parts.ts'
import { whereOf } from './trigger.ts'

/** What is known of the people that a campaign is about. */
export type Known = { fields: ReadonlyMap<string, Field>; neverMissing: ReadonlySet<string> }

/** Arms of branches that nobody can take, and steps that nobody comes to: a warning each. */
export function unreachedIn(campaign: Loaded<CampaignFile>, known: Known): Fault[] {
  const where = whereOf(campaign.value)
  const given = where && hangsOnEventAlone(where) ? [where] : []
  const all = { steps: campaign.value.steps, path: ['steps'] }
  return [...unreachedInSteps(campaign, { ...all, given }, known), ...leftBehindIn(campaign, all)]
}

/** Steps behind one at which everybody leaves. */
function leftBehindIn(
  campaign: Loaded<CampaignFile>,
  { steps, path }: Pick<Stretch, 'steps' | 'path'>,
): Fault[] {
  const last = steps.findIndex(everybodyLeavesAt)
  const isBehind = last >= 0 && last < steps.length - 1
  const message = 'this step is never taken: everybody has left the campaign before it'
  return [
    ...(isBehind ? [about(campaign, [...path, last + 1], { message })] : []),
    ...steps.flatMap((step, index) =>
      (partsOf(step).arms ?? []).flatMap((arm) =>
        leftBehindIn(campaign, { steps: arm.steps, path: [...path, index, ...arm.path] }),
      ),
    ),
  ]
}

function everybodyLeavesAt(step: Step): boolean {
  const { ends = false, arms = [] } = partsOf(step)
  const isTakenByAll = arms.some(({ when }) => when === null)
  return ends || (isTakenByAll && arms.every((arm) => arm.steps.some(everybodyLeavesAt)))
}

/** Steps with what is certain of whoever comes there: what the event said, which never changes. */
type Stretch = { steps: readonly Step[]; path: Path; given: readonly Condition[] }

function unreachedInSteps(
  campaign: Loaded<CampaignFile>,
  { steps, path, given }: Stretch,
  known: Known,
): Fault[] {
  return steps.flatMap((step, index) => {
    const { arms = [] } = partsOf(step)
    const at = (within: Path) => [...path, index, ...within]
    const conditions = arms.map(({ when }) => when?.condition ?? null)
    const isChoice = conditions.some((condition) => condition !== null)
    const unreached = isChoice ? unreachedArms(conditions, given, known) : []
    return [
      ...unreached.flatMap(({ index: nth, complaint }) => {
        const arm = arms[nth]
        return arm ? [about(campaign, at(arm.when?.path ?? arm.path), complaint)] : []
      }),
      ...arms.flatMap((arm, nth) => {
        const certain = [...given, ...certainIn(conditions, nth)]
        const inside = { steps: arm.steps, path: at(arm.path), given: certain }
        return unreachedInSteps(campaign, inside, known)
      }),
    ]
  })
}

/** What the event must have said of whoever takes this arm: what it asks, and not what those above it ask. */
function certainIn(conditions: readonly (Condition | null)[], nth: number): Condition[] {
  const own = conditions[nth]
  const above = conditions.slice(0, nth).filter((each) => each !== null)
  return [
    ...(own && hangsOnEventAlone(own) ? [own] : []),
    ...above.filter(hangsOnEventAlone).map((each): Condition => ({ not: each })),
  ]
}

/**
 * Of arms of which the first that holds is taken (null holds always), those that nobody takes. None
 * when it would take too long to tell, or when nobody comes there at all.
 */
export function unreachedArms(
  arms: readonly (Condition | null)[],
  given: readonly Condition[],
  { fields, neverMissing }: Known,
): { index: number; complaint: Complaint }[] {
  const conditions = arms.filter((arm) => arm !== null)
  const all = casesOf([...conditions, ...given], fields, neverMissing)
  const cases = all?.filter((one) => given.every((condition) => holdsIn(condition, one))) ?? []
  if (cases.length === 0) return []
  const holds = arms.map((arm) => new Set(cases.filter((one) => arm === null || holdsIn(arm, one))))
  const taken = new Set(cases.map((one) => holds.findIndex((each) => each.has(one))))
  return arms.flatMap((_, index) =>
    taken.has(index) ? [] : [{ index, complaint: whyUnreached(index, arms, holds) }],
  )
}

function whyUnreached(
  index: number,
  arms: readonly (Condition | null)[],
  holds: readonly ReadonlySet<Case>[],
): Complaint {
  const own = holds[index] ?? new Set()
  const never = 'this arm is never taken'
  if (own.size === 0) return { message: `${never}: its condition holds for nobody` }
  const same = arms.findIndex((arm) => JSON.stringify(arm) === JSON.stringify(arms[index]))
  if (same < index) return { message: `${never}: ${ordinal(same)} has the same condition` }
  const wider = holds.findIndex((each, other) => other < index && own.isSubsetOf(each))
  const whom = arms[index] ? 'everybody for whom it is' : 'everybody'
  if (wider < 0) return { message: `${never}: the arms above it take ${whom}` }
  return { message: `${never}: ${ordinal(wider)} takes ${whom}` }
}

const ordinals = ['first', 'second', 'third', 'fourth', 'fifth']

function ordinal(index: number): string {
  return `the ${ordinals[index] ?? `${index + 1}th`} arm`
}

/** True for what contradicts itself; false also when it would take too long to tell. */
export function isImpossible(condition: Condition, { fields, neverMissing }: Known): boolean {
  const cases = casesOf([condition], fields, neverMissing)
  return cases !== null && !cases.some((one) => holdsIn(condition, one))
}

/** The event that started somebody's run is the same at every step of it. */
function hangsOnEventAlone(condition: Condition): boolean {
  if (happenedIn(condition).length > 0) return false
  return leavesOf(condition).every(({ leaf }) => leaf.field?.startsWith('event.') ?? false)
}
