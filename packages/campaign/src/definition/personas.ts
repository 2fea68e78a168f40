import { z } from 'zod'
import { conditionSchema } from '../condition.ts'
import { channelNames, identifierSchema, localisedTextSchema } from './words.ts'

/**
 * A named kind of person. The first whose `when` holds is a person's persona, unless the
 * person carries an assigned one; the last has no `when` and takes everybody else.
 */
const personaSchema = z.strictObject({
  id: identifierSchema,
  name: localisedTextSchema,
  description: z.string().min(1),
  tone: z.string().min(1),
  channels: z.array(z.enum(channelNames)).min(1),
  when: conditionSchema.optional(),
})
export type Persona = z.infer<typeof personaSchema>

/** `personas.yaml` */
export const personasFileSchema = z.strictObject({ personas: z.array(personaSchema).min(1) })
export type PersonasFile = z.infer<typeof personasFileSchema>
