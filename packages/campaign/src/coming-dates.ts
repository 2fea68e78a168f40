import type { CompiledCampaign } from './compiled-campaign.ts'
import type { DecideContext, Draft } from './draft.ts'
import { timeZoneOf } from './facts.ts'
import { type Instant, subtractDuration } from './instant.ts'
import type { JsonValue } from './json.ts'
import { entityKey } from './state.ts'
import { triggerKindOf, triggerPartsOf } from './triggers/registry.ts'
import type { Coming } from './triggers/trigger-kind.ts'

/** The type of the event that begins a run for its date; nobody publishes it. */
export const dateEventType = 'date'

/** The same for every campaign that waits without a run, so that those of two records are found as one. */
export function timerIdOf(
  { person: { personId } }: Draft,
  campaignId: string,
  entity: { type: string; id: string } | null,
  context: DecideContext,
): string {
  return context.deriveId('date timer', personId, campaignId, entity ? entityKey(entity) : '')
}

/** Whether the campaign waits without a run for somebody's own sake (null), or for entities of this type. */
export function waitsFor(
  { file: { trigger } }: CompiledCampaign,
  of: { type: string } | null,
): boolean {
  return triggerPartsOf(trigger).entity?.type === of?.type
}

/** When the date of a campaign comes, by what is known now; null when there is none, or the campaign waits for another. */
export function comingOf(
  draft: Draft,
  campaign: CompiledCampaign,
  of: { type: string; id: string } | null,
  from: Instant,
  context: DecideContext,
): Coming | null {
  if (!waitsFor(campaign, of)) return null
  const { trigger } = campaign.file
  const kind = triggerKindOf(trigger)
  const entity = of && draft.entities.get(entityKey(of))
  if (of && entity?.state !== 'active') return null
  const value = fieldOfTrigger(entity ? entity.data : draft.person.fields, trigger)
  const { isWorkingDay } = context.definition
  const timeZone = timeZoneOf(draft, context)
  return kind.comesAt?.(trigger, { value, from, timeZone, isWorkingDay }) ?? null
}

export function fieldIn(
  data: Readonly<Record<string, JsonValue>>,
  { file }: CompiledCampaign,
): JsonValue | undefined {
  return fieldOfTrigger(data, file.trigger)
}

function fieldOfTrigger(
  data: Readonly<Record<string, JsonValue>>,
  trigger: CompiledCampaign['file']['trigger'],
): JsonValue | undefined {
  const field = triggerPartsOf(trigger).date?.field ?? ''
  const name = field.slice(field.indexOf('.') + 1)
  return Object.hasOwn(data, name) ? data[name] : undefined
}

export function oldestMoment({ file }: CompiledCampaign, context: DecideContext): Instant {
  return subtractDuration(context.now, file.trigger.maxAge, context.definition.timeZone)
}

export function isYearly({ file: { trigger } }: CompiledCampaign): boolean {
  return triggerPartsOf(trigger).date?.isYearly ?? false
}
