import { entityTypeOf } from '@wegwijs/campaign/catalogue'
import type { Condition } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { addDuration, type Instant, laterOf } from '@wegwijs/campaign/instant'
import { kindOf, partsOf } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'
import type { Fault } from '../fault.ts'
import { fieldsOf } from './campaign-fields.ts'
import { casesOf, holdsIn } from './cases.ts'
import { about, type Loaded, type Parts } from './parts.ts'
import type { StepAt } from './walk.ts'

/**
 * Touchpoints that are waited for and end the campaign themselves, by an exit or since they call its own appointment
 * off: whoever hears of one has left before the step does, so it always runs out of time. By a goal only as long as
 * that counts, so only where the wait is over by then, and something was to happen that never does: else it is a wait
 * like any other.
 */
export function unheardIn(campaign: Loaded<CampaignFile>, parts: Parts): Fault[] {
  const { exit, goal, steps, move } = campaign.value
  // Who is taken along from an older version entered long before.
  const { all } = followed({ steps, path: ['steps'] }, move ? null : start)
  return all.flatMap(({ step, path, latest }) => {
    const { touchpoints = [], conditions = [], arms = [] } = partsOf(step)
    return touchpoints.flatMap(({ type, entity, within, arm, path: inStep }) => {
      const asked = conditions
        .filter(({ about: each }) => each === type)
        .map(({ condition }) => condition)
      const isLeftBy = (ends: readonly Ending[]) => {
        // What happens to one appointment ends nothing that hangs on another one.
        const meant = ends.filter(
          (each) => each.touchpoint === type && (each.entity === 'any' || entity !== 'any'),
        )
        const holding = meant.map(({ where }) => where ?? null)
        return leavesFirst(holding, asked, fieldsOf(campaign, parts, type))
      }
      const tell = (message: string) => [
        about(campaign, [...path, ...inStep], { message, found: type }),
      ]
      // Of an older version somebody may be in it without an appointment.
      const withdrawn =
        move || entity === 'any' ? undefined : ownEntityWithdrawnBy(type, campaign, parts)
      if (withdrawn)
        return tell(
          `this is never heard: ${type} says that the ${withdrawn} of the campaign does not take place, which ends the campaign; what is to follow belongs in a campaign that it starts`,
        )
      if (isLeftBy(exit))
        return tell(`this is never heard: "exit" ends the campaign when ${type} happens`)
      const isOver = isOverBy(goal, latest, within)
      // The end of the campaign comes all the same.
      const leadsOn = (arms[arm]?.steps ?? []).some((each) => !partsOf(each).ends)
      if (!goal || !isOver || !leadsOn || !isLeftBy([...exit, goal])) return []
      return tell(
        `this is never heard in the time of "goal", which ends the campaign when ${type} happens`,
      )
    })
  })
}

/** The type of the entity that the campaign hangs on, where this touchpoint withdraws it. */
function ownEntityWithdrawnBy(
  type: string,
  { value }: Loaded<CampaignFile>,
  { touchpoints }: Parts,
): string | undefined {
  const own = touchpoints && entityTypeOf({ touchpoints: touchpoints.value }, value)
  const touchpoint = touchpoints?.value.touchpoints.find((each) => each.type === type)
  return touchpoint?.withdraws && touchpoint.entity === own ? own : undefined
}

type Ending = Pick<CampaignFile['exit'][number], 'touchpoint' | 'where' | 'entity'>

/** Any moment will do: only the time from when somebody enters is looked at. */
const start: Instant = '2026-01-01T00:00:00.000Z'

function isOverBy(goal: CampaignFile['goal'], latest: Instant | null, within: string): boolean {
  if (!goal || latest === null) return false
  return addDuration(latest, within, 'UTC') <= addDuration(start, goal.within, 'UTC')
}

/** A step with the latest moment at which somebody comes to it who enters at `start`; null where that hangs on the data. */
type Timed = StepAt & { latest: Instant | null }

function followed(
  { steps, path }: { steps: readonly Step[]; path: (string | number)[] },
  from: Instant | null,
): { all: Timed[]; latest: Instant | null } {
  let latest = from
  const all = steps.flatMap((step, index) => {
    const at = [...path, index]
    const own: Timed = { step, path: at, latest }
    if (kindOf(step).waits) latest = afterWait(step, latest)
    const inside = (partsOf(step).arms ?? []).map((arm) =>
      followed({ steps: arm.steps, path: [...at, ...arm.path] }, latest),
    )
    for (const arm of inside) latest = latest && arm.latest && laterOf(latest, arm.latest)
    return [own, ...inside.flatMap((arm) => arm.all)]
  })
  return { all, latest }
}

function afterWait(step: Step, latest: Instant | null): Instant | null {
  const { pause, touchpoints: [awaited] = [] } = partsOf(step)
  const isPlain = pause && 'for' in pause && !pause.at && !pause.between && pause.on === 'any-day'
  const lasts = awaited?.within ?? (isPlain ? pause.for : undefined)
  return lasts && latest ? addDuration(latest, lasts, 'UTC') : null
}

/** Whether some exit holds whenever all that is asked does; null holds always. */
function leavesFirst(
  exits: readonly (Condition | null)[],
  asked: readonly Condition[],
  fields: ReturnType<typeof fieldsOf>,
): boolean {
  const conditions = exits.filter((exit) => exit !== null)
  if (conditions.length < exits.length) return true
  const cases = fields && casesOf([...conditions, ...asked], fields, new Set())
  const meant = cases?.filter((one) => asked.every((condition) => holdsIn(condition, one))) ?? []
  return meant.length > 0 && meant.every((one) => conditions.some((exit) => holdsIn(exit, one)))
}
