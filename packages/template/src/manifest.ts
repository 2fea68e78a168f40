import { z } from 'zod'
import { channelNames, type Position, sensitivities, type TemplateSources } from './template.ts'
import { addFault, firstCharacter, type Work } from './work.ts'

export const manifestFile = 'template.yaml'

/** What `template.yaml` says: what the folder holds and how telling it is on each channel. */
export const manifestSchema = z.strictObject({
  name: z.string().min(1).describe('The name of its folder.'),
  sensitivity: z
    .partialRecord(z.enum(channelNames), z.enum(sensitivities))
    .describe('How telling the message is on each channel that has one.'),
  subject: z
    .record(z.string(), z.string().min(1))
    .default({})
    .describe(
      'The subject of the e-mail in each language (Handlebars); needed if there are e-mails.',
    ),
})
export type Manifest = z.infer<typeof manifestSchema>

/** `app.nl.yaml`: Handlebars all three. */
export const appFileSchema = z.strictObject({
  title: z.string().min(1).describe('The line in the list (Handlebars).'),
  body: z.string().min(1).describe('The text (Handlebars).'),
  url: z.string().min(1).optional().describe('Where a tap leads (Handlebars).'),
})

/** Reads a parsed YAML value; each thing that is wrong with it becomes a fault at its place. */
export function readValue<Value>(
  schema: z.ZodType<Value>,
  file: string,
  work: Work,
): Value | undefined {
  const result = schema.safeParse(work.sources.values[file])
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    const path = issue.path.filter((part) => typeof part !== 'symbol')
    const where = path.length === 0 ? '' : `${path.join('.')}: `
    addFault(work, file, placeOf(work.sources, file, path), `${where}${issue.message}`)
  }
  return undefined
}

export function placeOf(
  sources: TemplateSources,
  file: string,
  path: readonly (string | number)[],
): Position {
  return sources.positionOf?.(file, path) ?? firstCharacter
}
