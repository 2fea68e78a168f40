import { happenedIn } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import { triggerKindOf, triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import type { Fault } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { about, type Loaded, type Parts } from './parts.ts'
import { hasPublisher } from './told-touchpoints.ts'
import { stepsOf } from './walk.ts'

/** What starts, ends or is waited for in a campaign, and that no publisher may tell: it never happens. */
export function untoldIn(campaign: Loaded<CampaignFile>, parts: Parts): Fault[] {
  const { exit, goal, steps } = campaign.value
  const tell: Tell = (type, path, never, found = type) => {
    if (hasPublisher(parts, type)) return []
    const message = `${never}: no publisher of touchpoints.yaml may tell ${type}; it belongs in "types" of the one that does`
    const what = found === null ? {} : { found }
    return [about(campaign, path, { message, ...what, hangsOn: 'publisher' })]
  }
  return [
    ...untoldStart(campaign, tell),
    ...exit.flatMap(({ touchpoint }, index) =>
      tell(touchpoint, ['exit', index, 'touchpoint'], 'this ends nothing'),
    ),
    ...(goal ? tell(goal.touchpoint, ['goal', 'touchpoint'], 'nobody reaches this') : []),
    ...stepsOf(steps).flatMap(({ step, path }) =>
      (partsOf(step).touchpoints ?? []).flatMap(({ type, path: within }) =>
        tell(type, [...path, ...within], 'this is never heard'),
      ),
    ),
  ]
}

/** `found` is what stands there, where that is not the type; null of what has no name. */
type Tell = (type: string, path: Path, never: string, found?: string | null) => Fault[]

function untoldStart({ value: { trigger } }: Loaded<CampaignFile>, tell: Tell): Fault[] {
  const { types, touchpoint, attribute, date, becomes, where } = triggerPartsOf(trigger)
  const at = (path: Path) => ['trigger', ...path]
  const never = 'this never starts'
  const profile = 'person.upserted.v1'
  if (touchpoint) return tell(touchpoint.type, at(touchpoint.path), never)
  if (attribute) return tell(profile, at(attribute.path), never, attribute.field)
  if (date?.field.startsWith('person.')) return tell(profile, at(date.path), never, date.field)
  // What has happened before may begin to hold by itself.
  if (becomes && where)
    return happenedIn(where.condition).length > 0 ? [] : tell(profile, at(where.path), never, null)
  return types.flatMap((type) => tell(type, at([triggerKindOf(trigger).key]), never, null))
}
