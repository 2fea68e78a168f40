import { z } from 'zod'
import { conditionSchema } from '../condition.ts'
import { channelNames, identifierSchema, localisedTextSchema } from './words.ts'

/**
 * A named kind of person. The first whose `when` holds is a person's persona, unless the
 * person carries an assigned one; the last has no `when` and takes everybody else.
 */
const personaSchema = z
  .strictObject({
    id: identifierSchema.describe('How campaigns name it.'),
    name: localisedTextSchema.describe('What people call it.'),
    description: z.string().min(1).describe('Who these people are and what helps them.'),
    tone: z.string().min(1).describe('How to write to them; for the author of templates.'),
    channels: z
      .array(z.enum(channelNames))
      .min(1)
      .describe(
        'Over which channels they like to be reached, the best first. A message without `channels` of its own tries these, after the one of them that the person prefers.',
      ),
    when: conditionSchema
      .optional()
      .describe(
        'Who belongs to it, by fields of the person. The last persona has none: it takes everybody else.',
      ),
  })
  .meta({
    id: 'persona',
    title: 'A persona',
    description:
      'A named kind of person. The first whose `when` holds is the persona of somebody, unless a system has assigned one.',
  })
export type Persona = z.infer<typeof personaSchema>

/** `personas.yaml` */
export const personasFileSchema = z.strictObject({
  personas: z
    .array(personaSchema)
    .min(1)
    .describe('Every persona, in the order in which we look: the first that fits counts.'),
})
export type PersonasFile = z.infer<typeof personasFileSchema>
