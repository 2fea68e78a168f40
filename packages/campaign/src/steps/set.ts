import { z } from 'zod'
import { fieldReferenceSchema } from '../definition/words.ts'
import { noteOf } from '../draft.ts'
import { factsOf } from '../facts.ts'
import { choosePersona } from '../people.ts'
import type { StepKind } from './step-kind.ts'

type Value = string | number | boolean | null

export type SetStep = { set: { field: string } & ({ to: Value } | { from: string }) }

export const setStep: StepKind<SetStep> = {
  key: 'set',
  meaning:
    'Remembers something about the person: a field that `attributes.yaml` lets campaigns set, so that no publisher says otherwise. It holds at once, for the steps that follow and for every campaign, and the persona may follow from it; it starts no campaign. A value that is copied from a field that is not known changes nothing; `to: null` takes what was remembered away.',
  shortest: { set: { field: 'person.feltWell', to: true } },
  explanation: {
    nl: ({ set }, { reason }, words) => {
      const field = words.field(set.field)
      if (reason === 'field_unknown')
        return `bleef "${field}" zoals het was: de waarde ervoor is niet bekend`
      if ('to' in set && set.to === null) return `is gewist wat van "${field}" was onthouden`
      return `is "${field}" onthouden${'to' in set ? `: ${words.value(set.field, set.to)}` : ''}`
    },
    en: ({ set }, { reason }, words) => {
      const field = words.field(set.field)
      if (reason === 'field_unknown')
        return `"${field}" stayed as it was: the value for it is not known`
      if ('to' in set && set.to === null) return `what was remembered of "${field}" was taken away`
      return `"${field}" was remembered${'to' in set ? `: ${words.value(set.field, set.to)}` : ''}`
    },
  },
  schema: () => {
    const field = z
      .string()
      .regex(/^person\.[a-z][A-Za-z0-9]*$/, 'expected a field such as "person.feltWell"')
      .describe('The field: one of `campaigns` in `attributes.yaml`.')
    const to = z
      .union([z.string(), z.number(), z.boolean(), z.null()])
      .describe('The value; `null` takes it away.')
    const from = fieldReferenceSchema.describe('The field from which it is copied.')
    return z.strictObject({
      set: z
        .union([
          z.strictObject({ field, to }).describe('A value that stands here.'),
          z.strictObject({ field, from }).describe('What another field says now.'),
        ])
        .describe('What is remembered.'),
    })
  },
  parts: ({ set }) => ({
    sets: { field: set.field, ...('to' in set ? { to: set.to } : { from: set.from }) },
  }),
  decide({ set }, { draft, context, enrolment, node }) {
    const value = 'to' in set ? set.to : factsOf(draft, context, enrolment).read(set.from)
    const detail = { step: node.path, field: set.field }
    if (value === undefined) {
      noteOf(draft, enrolment, 'field_unknown', { detail })
      return { goTo: node.next }
    }
    const name = set.field.slice('person.'.length)
    const { [name]: _, ...others } = draft.person.fields
    draft.person = {
      ...draft.person,
      fields: value === null ? others : { ...others, [name]: value },
    }
    noteOf(draft, enrolment, 'field_set', { detail })
    choosePersona(draft, context)
    return { goTo: node.next }
  },
}
