import { z } from 'zod'
import { fieldNameSchema } from '../definition/field.ts'
import { fieldReferenceSchema, touchpointTypeSchema } from '../definition/words.ts'
import { type Decision, noteOf } from '../draft.ts'
import { factsOf } from '../facts.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { StepKind } from './step-kind.ts'

/** A field of ours, or a value that stands there. */
export type EmittedValue = string | { value: string | number | boolean }

export type EmitStep = { emit: { type: string; data?: Record<string, EmittedValue> | undefined } }

/** What other systems are told. `eventId` is the same whenever it is decided again. */
export type Emitted = { type: string; eventId: string; data: JsonObject }

/** What a decision tells them; null when it tells nothing. */
export function emittedBy({ reason, detail }: Pick<Decision, 'reason' | 'detail'>): Emitted | null {
  const { type, eventId, data } = detail ?? {}
  if (reason !== 'event_emitted' || !isJsonObject(data)) return null
  return { type: String(type), eventId: String(eventId), data }
}

export const emitStep: StepKind<EmitStep> = {
  key: 'emit',
  meaning:
    'Tells other systems something: publishes an event about the person on the topic `emitted`. What may be told stands under `emits` in `touchpoints.yaml`, with the data that it has. Its id hangs on the run, the step and the version of the appointment, so that it is one event however often it is published. A field that is not known is left out; when one is missing that the type requires, nothing is told.',
  shortest: { emit: { type: 'care.call.wanted.v1' } },
  explanation: {
    nl: ({ emit }, { reason }) =>
      reason === 'event_incomplete'
        ? `is aan andere systemen niets verteld (${emit.type}): er ontbrak een verplicht gegeven`
        : `is het aan andere systemen verteld (${emit.type})`,
    en: ({ emit }, { reason }) =>
      reason === 'event_incomplete'
        ? `other systems were told nothing (${emit.type}): something was missing that they are promised`
        : `other systems were told of it (${emit.type})`,
  },
  schema: () =>
    z.strictObject({
      emit: z
        .strictObject({
          type: touchpointTypeSchema.describe(
            'What is told: a type of `emits` in `touchpoints.yaml`.',
          ),
          data: z
            .record(
              fieldNameSchema,
              z.union([
                fieldReferenceSchema.describe(
                  'What this field says then, such as `event.recommends`.',
                ),
                z
                  .strictObject({
                    value: z.union([z.string(), z.number(), z.boolean()]).describe('Always this.'),
                  })
                  .describe('A value that stands here.'),
              ]),
            )
            .optional()
            .describe('Its data, each field from one of ours.'),
        })
        .describe('What is told.'),
    }),
  parts: ({ emit }) => ({ emits: { type: emit.type, data: emit.data ?? {} } }),
  decide({ emit }, { draft, context, enrolment, node }) {
    const facts = factsOf(draft, context, enrolment)
    const data: JsonObject = {}
    for (const [name, from] of Object.entries(emit.data ?? {})) {
      const value = typeof from === 'string' ? facts.read(from) : from.value
      if (value !== undefined && value !== null) data[name] = value
    }
    const promised = context.definition.emits.get(emit.type)?.data ?? {}
    const missing = Object.entries(promised).find(
      ([name, { required }]) => required && !Object.hasOwn(data, name),
    )
    const version = String(enrolment.entity?.version ?? 0)
    if (missing) {
      const detail = { step: node.path, type: emit.type, missing: missing[0] }
      noteOf(draft, enrolment, 'event_incomplete', { detail })
    } else {
      const eventId = context.deriveId('emitted', enrolment.enrolmentId, node.path, version)
      const emitted: Emitted = { type: emit.type, eventId, data }
      noteOf(draft, enrolment, 'event_emitted', { detail: { step: node.path, ...emitted } })
    }
    return { goTo: node.next }
  },
}
