import { z } from 'zod'
import type { JsonValue } from '../json.ts'
import type { Person } from '../state.ts'
import { maxAgeSchema } from './max-age.ts'
import type { TriggerKind } from './trigger-kind.ts'

const valueSchema = z.union([z.string(), z.number(), z.boolean()])

const attributeTriggerSchema = z.strictObject({
  attribute: z
    .string()
    .regex(/^person\.[a-z][A-Za-z0-9]*$/, 'expected a field such as "person.usesPortal"')
    .describe('The field that changes, such as `person.usesPortal`.'),
  from: valueSchema.optional().describe('Only when it was this; without it, anything or nothing.'),
  to: valueSchema
    .optional()
    .describe('Only when it becomes this; without it, anything or nothing.'),
  maxAge: maxAgeSchema,
})
export type AttributeTrigger = z.infer<typeof attributeTriggerSchema>

export const attributeTrigger: TriggerKind<AttributeTrigger> = {
  key: 'attribute',
  meaning:
    'Starts when a field of the person changes: a profile (`person.upserted`) says something else than was known. A profile that says the same again starts nothing. There is no `event` and no `entity`.',
  explanation: {
    nl: ({ attribute, from, to }, words) => {
      const was = from === undefined ? '' : ` van ${words.written(attribute, from)}`
      const is = to === undefined ? '' : ` in ${words.written(attribute, to)}`
      return `wacht tot ${words.field(attribute)} verandert${was}${is}`
    },
    en: ({ attribute, from, to }, words) => {
      const was = from === undefined ? '' : ` from ${words.written(attribute, from)}`
      const is = to === undefined ? '' : ` to ${words.written(attribute, to)}`
      return `waits until ${words.field(attribute)} changes${was}${is}`
    },
  },
  schema: attributeTriggerSchema,
  parts: ({ attribute, from, to }) => ({
    types: ['person.upserted.v1'],
    attribute: {
      path: ['attribute'],
      field: attribute,
      values: [
        ...(from === undefined ? [] : [{ path: ['from'], value: from }]),
        ...(to === undefined ? [] : [{ path: ['to'], value: to }]),
      ],
    },
  }),
  decide({ attribute, from, to }, { before, person }) {
    const [was, is] = [fieldIn(before, attribute), fieldIn(person, attribute)]
    // Of most profiles, and of most of their fields: nothing has happened.
    if (was === is) return false
    const fits = (from === undefined || was === from) && (to === undefined || is === to)
    return fits ? null : { reason: 'attribute_otherwise' }
  },
}

function fieldIn({ fields }: Person, attribute: string): JsonValue | undefined {
  const name = attribute.slice('person.'.length)
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}
