import type { z } from 'zod'
import { type Condition, leavesOf } from '../condition.ts'
import type { JsonValue } from '../json.ts'
import { everyStep, partsOf, stepsSchema } from '../steps/registry.ts'
import type { Step } from '../steps/step.ts'
import { type CampaignFile, campaignFileSchema } from './campaign.ts'

type Exit = CampaignFile['exit'][number]

/** What is not clear of a version of which only a part can be read. */
export type Unclear = {
  /** Why it cannot be read whole. */
  why: Error
  /** Places of the first level of steps that hold one which cannot be read. */
  steps: ReadonlySet<number>
  /** What starts it cannot be read, nor by which date it may have begun too early. */
  trigger: boolean
  /** Touchpoints that end it, under conditions that cannot be read or that ask of a step which cannot. */
  exits: readonly Pick<Exit, 'touchpoint' | 'entity'>[]
  /** When it counts that its goal is reached is not clear: of `goal` no more holds than what it names. */
  goal: boolean
  /** It may be ended, or be for something, of which not even the name can be read. */
  isHidden: boolean
}

export type PartlyRead = { file: CampaignFile; unclear: Unclear }

/**
 * What a version of a campaign says that cannot be read whole, for those who are through it: its exits and its
 * goal hold for them, and what it told of an appointment is told anew. Nobody can be led through it: where
 * a step cannot be read stands an end.
 */
export function readPartly(content: unknown, id: string, why: Error): PartlyRead {
  const stored = isMapping(content) ? content : {}
  const { shape } = campaignFileSchema
  const read = <Part extends keyof typeof shape>(part: Part) =>
    shape[part].safeParse(stored[part]).data as z.output<(typeof shape)[Part]> | undefined
  // Of which class its messages are, and so what they may do, is in no step.
  const steps = read('class') === undefined ? [] : stepsIn(stored.steps)
  const isClear = asksOnlyOf(steps.filter((step) => step !== null))
  const exits = exitsIn(stored.exit, isClear)
  const goal = goalIn(stored.goal, isClear)
  const trigger = read('trigger')
  const file: CampaignFile = {
    id,
    name: read('name') ?? id,
    description: read('description'),
    journey: read('journey') ?? '',
    class: read('class') ?? 'care',
    trigger: trigger ?? { manual: true, maxAge: 'P1D' },
    audience: read('audience') ?? {},
    entry: read('entry') ?? 'once',
    exit: exits.flatMap((each) => each.whole ?? []),
    goal: goal.file,
    move: read('move'),
    steps: steps.length === 0 ? [{ end: true }] : steps.map((step) => step ?? { end: true }),
  }
  const unclear: Unclear = {
    why,
    steps: new Set(
      steps.length === 0 ? [0] : steps.flatMap((step, index) => (step ? [] : [index])),
    ),
    trigger: trigger === undefined,
    exits: exits.flatMap((each) => each.named ?? []),
    goal: goal.isUnclear,
    isHidden:
      !isMapping(content) ||
      // When its date has moved away from what it told is not clear either.
      trigger === undefined ||
      Object.keys(stored).some((key) => !Object.hasOwn(shape, key)) ||
      (stored.exit !== undefined && !Array.isArray(stored.exit)) ||
      exits.some(({ whole, named }) => !whole && !named) ||
      (goal.isUnclear && goal.file === undefined),
  }
  return { file, unclear }
}

function stepsIn(stored: unknown): (Step | null)[] {
  return Array.isArray(stored)
    ? stored.map((step: JsonValue) => stepsSchema.safeParse([step]).data?.[0] ?? null)
    : []
}

/**
 * Whether a condition can be held against a run: what became of a step that cannot be read is a value that is
 * missing, and would say that nothing ends it.
 */
function asksOnlyOf(steps: readonly Step[]): (condition: Condition | undefined) => boolean {
  const fields = everyStep(steps).flatMap((step) => partsOf(step).fields ?? [])
  const known = new Set(fields.map(([name]) => `enrolment.${name}`))
  return (condition) =>
    condition === undefined ||
    leavesOf(condition).every(
      ({ leaf: { field } }) => !field.startsWith('enrolment.') || known.has(field),
    )
}

type ReadExit = { whole?: Exit; named?: Pick<Exit, 'touchpoint' | 'entity'> }

function exitsIn(stored: unknown, isClear: ReturnType<typeof asksOnlyOf>): ReadExit[] {
  const one = campaignFileSchema.shape.exit.unwrap().element
  return (Array.isArray(stored) ? stored : []).map((each: unknown): ReadExit => {
    const whole = one.safeParse(each).data
    if (whole && isClear(whole.where)) return { whole }
    const named = one.safeParse(only(each, ['touchpoint', 'entity'])).data
    return named ? { named } : {}
  })
}

function goalIn(
  stored: unknown,
  isClear: ReturnType<typeof asksOnlyOf>,
): { file: CampaignFile['goal']; isUnclear: boolean } {
  const { goal } = campaignFileSchema.shape
  const whole = goal.safeParse(stored)
  if (whole.success && isClear(whole.data?.where)) return { file: whole.data, isUnclear: false }
  const named = goal.safeParse(only(stored, ['touchpoint', 'entity', 'within'])).data
  return { file: named, isUnclear: true }
}

function only(value: unknown, keys: readonly string[]): Record<string, unknown> {
  if (!isMapping(value)) return {}
  return Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)))
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
