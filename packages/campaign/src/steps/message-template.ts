import { z } from 'zod'
import { identifierSchema } from '../definition/words.ts'

/** The word that stands for everybody whose persona is not named. */
export const otherwise = 'otherwise'

/** One template, or one for each persona and one for everybody else. */
export const messageTemplateSchema = z
  .union([
    identifierSchema.describe('The folder in `templates/` with its texts.'),
    z
      .object({ otherwise: identifierSchema.describe('The template of everybody else.') })
      .catchall(identifierSchema.describe('The template of the persona of this name.'))
      .describe('A template for some personas, by their names, and one for everybody else.'),
  ])
  .describe('Its texts: one template for everybody, or one for each of some personas.')
export type MessageTemplate = z.infer<typeof messageTemplateSchema>

/** Of whom it is the template: a persona, or everybody else (null). `path` is within `template`. */
export type TemplateFor = {
  readonly template: string
  readonly persona: string | null
  readonly path: readonly string[]
}

export function templatesFor(template: MessageTemplate): TemplateFor[] {
  if (typeof template === 'string') return [{ template, persona: null, path: [] }]
  return Object.entries(template).map(([name, each]) => ({
    template: each,
    persona: name === otherwise ? null : name,
    path: [name],
  }))
}

/** What somebody of that persona reads: as they are when it is planned. */
export function templateOf(template: MessageTemplate, persona: string | null): string {
  if (typeof template === 'string') return template
  const own = persona !== null && Object.hasOwn(template, persona) ? template[persona] : undefined
  return own ?? template.otherwise
}
