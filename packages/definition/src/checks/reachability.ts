import { type Condition, happenedIn, leavesOf } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Field } from '@wegwijs/campaign/definition/field'
import { kindOf, partsOf } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import type { Complaint, Fault } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { type Case, casesOf, holdsIn } from './cases.ts'
import { about, type Loaded } from './parts.ts'
import { whereOf } from './trigger.ts'
import { type Ways, waysThrough } from './ways.ts'

/** What is known of the people that a campaign is about. */
export type Known = { fields: ReadonlyMap<string, Field>; neverMissing: ReadonlySet<string> }

/** Arms of branches that nobody can take, and steps that nobody comes to: a warning each. */
export function unreachedIn(campaign: Loaded<CampaignFile>, known: Known): Fault[] {
  const all = { steps: campaign.value.steps, path: ['steps'] }
  const entered = conditionsOfEntry(campaign.value)
  const given = {
    now: entered,
    ever: entered.flatMap(conjunctsOf).filter(hangsOnEventAlone),
    planned: [],
  }
  const ways = waysThrough(campaign.value.steps)
  return [
    ...unreachedInSteps(campaign, { ...all, ...given }, { ...known, ways }).faults,
    ...leftBehindIn(campaign, all),
  ]
}

/** What held of everybody when they entered. */
function conditionsOfEntry(file: CampaignFile): Condition[] {
  if (file.move) return []
  const { personas, where } = file.audience
  // A trigger of another kind looks at who the person was before.
  const started = triggerPartsOf(file.trigger).touchpoint ? whereOf(file) : undefined
  return [
    ...(started ? [started] : []),
    ...(where ? [where] : []),
    ...(personas ? [{ field: 'person.persona', op: 'in' as const, value: [...personas] }] : []),
  ]
}

function conjunctsOf(condition: Condition): Condition[] {
  return 'all' in condition ? condition.all.flatMap(conjunctsOf) : [condition]
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

/**
 * Steps with what is certain of whoever comes there. `ever` is what the event said, which never changes.
 * `now` is what has held of the person in the same instant: everything that let them in, and what the arms
 * asked that they took since. It is null from when they wait for something, or a field of theirs is set.
 * `planned` are the messages that were planned in that instant: nothing else can have become of them yet.
 *
 * Who is taken along from an older version entered that one, by other conditions, and comes to a step without
 * the arm that it stands in: of them nothing is certain.
 */
type Stretch = {
  steps: readonly Step[]
  path: Path
  now: readonly Condition[] | null
  ever: readonly Condition[]
  planned: readonly string[]
}

/**
 * `isNow`: everybody is behind these steps in the instant in which they came to them. `waited`: somebody has
 * waited. `planned`: of whoever has not, the messages since they last waited.
 */
type Followed = { faults: Fault[]; isNow: boolean; waited: boolean; planned: readonly string[] }

function unreachedInSteps(
  campaign: Loaded<CampaignFile>,
  { steps, path, now: before, ever, planned: plannedBefore }: Stretch,
  known: Known & { ways: Ways },
): Followed {
  const faults: Fault[] = []
  let now = before
  let planned = plannedBefore
  let waited = false
  steps.forEach((step, index) => {
    const { arms = [], sets, message } = partsOf(step)
    const { waits = false } = kindOf(step)
    const at = (within: Path) => [...path, index, ...within]
    const conditions = arms.map(({ when }) => when?.condition ?? null)
    const isChoice = conditions.some((condition) => condition !== null)
    const givens = now ? [[...ever, ...now], ever] : [ever]
    const unreached = isChoice
      ? [
          ...unreachedArms(conditions, givens, known),
          ...unreachedTooEarly(conditions, { givens, planned }, known),
        ]
      : []
    for (const { index: nth, complaint } of unreached) {
      const arm = arms[nth]
      if (arm) faults.push(about(campaign, at(arm.when?.path ?? arm.path), complaint))
    }
    if (waits || sets) now = null
    if (waits) planned = []
    // Who comes to it again may have had the message before.
    else if (message && !campaign.value.move && !known.ways.mayComeAgain(step))
      planned = [...planned, message.id]
    const followed = arms.map((arm, nth) => {
      const certain = campaign.value.move ? [] : certainIn(conditions, nth)
      const inside = {
        steps: arm.steps,
        path: at(arm.path),
        now: now && [...now, ...certain.filter((each) => !hangsOnRun(each))],
        ever: [...ever, ...certain.filter(hangsOnEventAlone)],
        planned,
      }
      return unreachedInSteps(campaign, inside, known)
    })
    faults.push(...followed.flatMap((inside) => inside.faults))
    if (followed.some(({ isNow }) => !isNow)) now = null
    const hasWaited = followed.some((inside) => inside.waited)
    planned = hasWaited
      ? []
      : [...new Set([planned, ...followed.map((inside) => inside.planned)].flat())]
    waited ||= waits || hasWaited
  })
  return { faults, isNow: now !== null, waited, planned }
}

/**
 * Arms that nobody takes since they ask what has become of a message that has only just been planned: its status
 * is `planned`, or there is none where nobody is to get it.
 */
function unreachedTooEarly(
  arms: readonly (Condition | null)[],
  { givens, planned }: { givens: readonly (readonly Condition[])[]; planned: readonly string[] },
  known: Known,
): { index: number; complaint: Complaint }[] {
  const asked = new Set(
    arms.flatMap((arm) => (arm ? leavesOf(arm) : [])).map(({ leaf }) => leaf.field),
  )
  const early = planned.filter((id) => asked.has(statusOf(id)))
  if (early.length === 0) return []
  const justPlanned = early.map((id): Condition => {
    const field = statusOf(id)
    return {
      any: [
        { field, op: 'eq', value: 'planned' },
        { field, op: 'exists', value: false },
      ],
    }
  })
  const anyway = new Set(unreachedArms(arms, givens, known).map(({ index }) => index))
  const names = early.map((id) => `"${id}"`).join(' and ')
  const message = `this arm is never taken: ${names} has only just been planned, and has not gone out yet; wait for it first, as with "waitFor: { message: ${early[0]} }"`
  return unreachedArms(
    arms,
    givens.map((given) => [...given, ...justPlanned]),
    known,
  )
    .filter(({ index }) => !anyway.has(index))
    .map(({ index }) => ({ index, complaint: { message } }))
}

function statusOf(id: string): string {
  return `enrolment.${id}.status`
}

/** What holds of whoever takes this arm: what it asks, and not what those above it ask. */
function certainIn(conditions: readonly (Condition | null)[], nth: number): Condition[] {
  const own = conditions[nth]
  const above = conditions.slice(0, nth).filter((each) => each !== null)
  return [...(own ? [own] : []), ...above.map((each): Condition => ({ not: each }))]
}

/**
 * Of arms of which the first that holds is taken (null holds always), those that nobody takes. `givens` is
 * what holds of whoever comes there; the first with which it does not take too long to tell counts. None when
 * there is no such, or when nobody comes there at all.
 */
export function unreachedArms(
  arms: readonly (Condition | null)[],
  givens: readonly (readonly Condition[])[],
  known: Known,
): { index: number; complaint: Complaint }[] {
  const cases = casesGiven(arms, givens, known)
  if (cases.length === 0) return []
  const holds = arms.map((arm) => new Set(cases.filter((one) => arm === null || holdsIn(arm, one))))
  const taken = new Set(cases.map((one) => holds.findIndex((each) => each.has(one))))
  return arms.flatMap((_, index) =>
    taken.has(index) ? [] : [{ index, complaint: whyUnreached(index, arms, holds, known) }],
  )
}

function casesGiven(
  arms: readonly (Condition | null)[],
  givens: readonly (readonly Condition[])[],
  { fields, neverMissing }: Known,
): Case[] {
  const conditions = arms.filter((arm) => arm !== null)
  for (const given of givens) {
    const all = casesOf([...conditions, ...given], fields, neverMissing)
    if (all) return all.filter((one) => given.every((condition) => holdsIn(condition, one)))
  }
  return []
}

function whyUnreached(
  index: number,
  arms: readonly (Condition | null)[],
  holds: readonly ReadonlySet<Case>[],
  known: Known,
): Complaint {
  const own = holds[index] ?? new Set()
  const arm = arms[index]
  const never = 'this arm is never taken'
  if (own.size === 0) {
    const whom = arm && isImpossible(arm, known) ? 'nobody' : 'nobody who comes here'
    return { message: `${never}: its condition holds for ${whom}` }
  }
  const same = arms.findIndex((each) => JSON.stringify(each) === JSON.stringify(arm))
  if (same < index) return { message: `${never}: ${ordinal(same)} has the same condition` }
  const wider = holds.findIndex((each, other) => other < index && own.isSubsetOf(each))
  const whom = arm ? 'everybody for whom it is' : 'everybody'
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

/** What a run says of itself changes with the steps that it takes. */
function hangsOnRun(condition: Condition): boolean {
  return leavesOf(condition).some(({ leaf }) => leaf.field.startsWith('enrolment.'))
}

/** The event that started somebody's run is the same at every step of it. */
function hangsOnEventAlone(condition: Condition): boolean {
  if (happenedIn(condition).length > 0) return false
  return leavesOf(condition).every(({ leaf }) => leaf.field?.startsWith('event.') ?? false)
}
