import { z } from 'zod'
import { fieldsSchema } from './field.ts'

/** `attributes.yaml` */
export const attributesFileSchema = z.strictObject({
  person: fieldsSchema
    .default({})
    .describe(
      'What is known of a person beside name, year of birth, language, zone and addresses; conditions and templates name it as `person.…`.',
    ),
})
export type AttributesFile = z.infer<typeof attributesFileSchema>
