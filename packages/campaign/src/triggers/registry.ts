import { z } from 'zod'
import { attributeTrigger } from './attribute.ts'
import { becomesTrigger } from './becomes.ts'
import { dateTrigger } from './date.ts'
import { manualTrigger } from './manual.ts'
import { touchpointTrigger } from './touchpoint.ts'
import type { TriggerKind, TriggerParts } from './trigger-kind.ts'

/** Every kind of trigger a campaign can have; a new kind is a file of its own and a line here. */
export const triggerKinds = [
  touchpointTrigger,
  attributeTrigger,
  becomesTrigger,
  dateTrigger,
  manualTrigger,
] as const

type TriggerOf<Kind> = Kind extends TriggerKind<infer Own> ? Own : never

/** Any trigger of a campaign: of one of the kinds above. */
export type Trigger = TriggerOf<(typeof triggerKinds)[number]>

export const triggerSchema: z.ZodType<Trigger> = z
  .union(triggerKinds.map((kind) => describedSchemaOf(kind as TriggerKind<Trigger>)))
  .meta({ id: 'trigger', title: 'A trigger', description: 'What starts a campaign for a person.' })

function describedSchemaOf({ key, meaning, schema }: TriggerKind<Trigger>): z.ZodType<Trigger> {
  return schema.meta({ id: `trigger-${key}`, title: `Trigger: ${key}`, description: meaning })
}

/** The kind of a trigger that its schema accepted. */
export function triggerKindOf(trigger: Trigger): TriggerKind<Trigger> {
  const kind = triggerKinds.find(({ key }) => key in trigger)
  if (!kind) throw new RangeError('there is no such trigger')
  return kind as TriggerKind<Trigger>
}

export function triggerPartsOf(trigger: Trigger): TriggerParts {
  return triggerKindOf(trigger).parts(trigger)
}
