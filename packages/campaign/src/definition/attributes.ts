import { z } from 'zod'
import { fieldsSchema } from './field.ts'

/** `attributes.yaml` */
export const attributesFileSchema = z.strictObject({
  person: fieldsSchema
    .default({})
    .describe(
      'What is known of a person beside name, year of birth, language, zone and addresses; conditions and templates name it as `person.…`.',
    ),
  campaigns: fieldsSchema
    .default({})
    .describe(
      'What campaigns remember of a person with `set`; named as `person.…`, too. No publisher says anything of these, so that nobody contradicts a campaign.',
    ),
})
export type AttributesFile = z.infer<typeof attributesFileSchema>
