import { z } from 'zod'
import { type AttributeTrigger, attributeTrigger } from './attribute.ts'
import { type BecomesTrigger, becomesTrigger } from './becomes.ts'
import { type DateTrigger, dateTrigger } from './date.ts'
import { type ManualTrigger, manualTrigger } from './manual.ts'
import { type TouchpointTrigger, touchpointTrigger } from './touchpoint.ts'
import type { TriggerKind, TriggerParts } from './trigger-kind.ts'

export type Trigger =
  | TouchpointTrigger
  | AttributeTrigger
  | BecomesTrigger
  | DateTrigger
  | ManualTrigger

/** Every kind of trigger a campaign can have; a new kind is a file of its own and a line here. */
export const triggerKinds = [
  touchpointTrigger,
  attributeTrigger,
  becomesTrigger,
  dateTrigger,
  manualTrigger,
] as const

export const triggerSchema = z
  .union([
    describe(touchpointTrigger),
    describe(attributeTrigger),
    describe(becomesTrigger),
    describe(dateTrigger),
    describe(manualTrigger),
  ])
  .meta({ id: 'trigger', title: 'A trigger', description: 'What starts a campaign for a person.' })

function describe<Own extends object>({ key, meaning, schema }: TriggerKind<Own>) {
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
