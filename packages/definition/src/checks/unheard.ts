import type { Condition } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { Fault } from '../fault.ts'
import { fieldsOf } from './campaign-fields.ts'
import { casesOf, holdsIn } from './cases.ts'
import { about, type Loaded, type Parts } from './parts.ts'
import { stepsOf } from './walk.ts'

/**
 * Touchpoints that are waited for and end the campaign themselves: whoever hears of one has left before the
 * step does, so it always runs out of time.
 */
export function unheardIn(campaign: Loaded<CampaignFile>, parts: Parts): Fault[] {
  return stepsOf(campaign.value.steps).flatMap(({ step, path }) => {
    const { touchpoints = [], conditions = [] } = partsOf(step)
    return touchpoints.flatMap(({ type, entity, path: within }) => {
      // What happens to one appointment ends nothing that hangs on another one.
      const exits = campaign.value.exit.filter(
        (exit) => exit.touchpoint === type && (exit.entity === 'any' || entity !== 'any'),
      )
      const asked = conditions.filter(({ about: each }) => each === type)
      const isLeft = leavesFirst(
        exits.map(({ where }) => where ?? null),
        asked.map(({ condition }) => condition),
        fieldsOf(campaign, parts, type),
      )
      if (!isLeft) return []
      const message = `this is never heard: "exit" ends the campaign when ${type} happens`
      return [about(campaign, [...path, ...within], { message, found: type })]
    })
  })
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
