import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import type { Decision } from '@wegwijs/campaign/draft'
import { nameOfStep, placedSteps } from '@wegwijs/campaign/move'
import type { ReasonCode } from '@wegwijs/campaign/reasons'
import { campaignKey } from '@wegwijs/campaign/state'

/** How often a step that sends nothing came to something: a task, an event for others, a field that is set. */
export type StepCount = {
  campaign: string
  version: number
  /** Its id, or where it stands (`3.1.2`). */
  step: string
  kind: 'task' | 'emit' | 'set'
  /** Id of the task, type of the event, or the field. */
  name: string
  /** Of a task also its outcome, such as `done: well`; or the reason why it came to nothing. */
  cameTo: string
  count: number
}

/** The same with how often it is now, and how often it would be. */
export type StepDifference = Omit<StepCount, 'count' | 'version'> & { now: number; would: number }

/** What a decision tells of such a step; null when it tells of something else. */
export function stepCountedBy(
  { campaignId, version, reason, detail }: Decision,
  placeOf: (campaign: string, version: number, path: string) => string,
): Omit<StepCount, 'count'> | null {
  if (campaignId === null || version === null || detail === null) return null
  const told = toldOf(reason, detail)
  if (!told) return null
  const step = told.kind === 'task' ? told.name : placeOf(campaignId, version, String(detail.step))
  return { campaign: campaignId, version, step, ...told }
}

function toldOf(
  reason: ReasonCode,
  detail: NonNullable<Decision['detail']>,
): Pick<StepCount, 'kind' | 'name' | 'cameTo'> | null {
  const { task, type, field } = detail
  if (reason === 'event_emitted') return { kind: 'emit', name: String(type), cameTo: 'told' }
  if (reason === 'event_incomplete') return { kind: 'emit', name: String(type), cameTo: reason }
  if (reason === 'field_set') return { kind: 'set', name: String(field), cameTo: 'set' }
  if (reason === 'field_unknown') return { kind: 'set', name: String(field), cameTo: reason }
  if (task === undefined || reason === 'task_moved' || reason === 'task_closed') return null
  const of = { kind: 'task', name: String(task) } as const
  if (reason === 'task_made') return { ...of, cameTo: 'made' }
  if (reason === 'task_done') return { ...of, cameTo: `done: ${String(detail.outcome)}` }
  return { ...of, cameTo: reason }
}

/** Where the steps of every version stand, as people call them. */
export function placesOf({
  campaigns,
}: Pick<CompiledDefinition, 'campaigns'>): (
  campaign: string,
  version: number,
  path: string,
) => string {
  const known = new Map<string, ReadonlyMap<string, string>>()
  return (campaign, version, path) => {
    const key = campaignKey(campaign, version)
    const places =
      known.get(key) ??
      new Map(
        placedSteps(campaigns.get(key)?.file.steps ?? []).map((each) => [
          each.path,
          nameOfStep(each),
        ]),
      )
    known.set(key, places)
    return places.get(path) ?? path
  }
}

/** What would come to pass more or less often than now, whatever the versions are called. */
export function compareSteps(
  now: readonly StepCount[],
  would: readonly StepCount[],
): StepDifference[] {
  const all = new Map<string, StepDifference>()
  const add = (counts: readonly StepCount[], side: 'now' | 'would') => {
    for (const { count, version: _, ...of } of counts) {
      const key = Object.values(of).join('\n')
      const known = all.get(key) ?? { ...of, now: 0, would: 0 }
      all.set(key, { ...known, [side]: known[side] + count })
    }
  }
  add(now, 'now')
  add(would, 'would')
  return [...all]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, difference]) => difference)
    .filter((each) => each.now !== each.would)
}
