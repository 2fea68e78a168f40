import { attributesFileSchema } from '@wegwijs/campaign/definition/attributes'
import { campaignFileSchema } from '@wegwijs/campaign/definition/campaign'
import { channelsFileSchema } from '@wegwijs/campaign/definition/channels'
import { journeysFileSchema } from '@wegwijs/campaign/definition/journeys'
import { personasFileSchema } from '@wegwijs/campaign/definition/personas'
import { policiesFileSchema } from '@wegwijs/campaign/definition/policies'
import { specificationsFileSchema } from '@wegwijs/campaign/definition/specification'
import { reasonSchema } from '@wegwijs/campaign/definition/specification-words'
import { touchpointsFileSchema } from '@wegwijs/campaign/definition/touchpoints'
import { appFileSchema, manifestSchema } from '@wegwijs/template/manifest'
import type { z } from 'zod'
import { logMappingSchema } from './log-mapping-schema.ts'
import { titleAt } from './schema-hints.ts'
import { sectionAt } from './schema-walk.ts'
import type { Path } from './yaml-source.ts'

/** One kind of YAML file in an organisation's folder. */
export type FileKind = {
  /** Name of its JSON Schema, and of its section in the reference. */
  id: string
  /** Where such files stand, as an editor's settings want it. */
  files: string
  meaning: string
  matches: RegExp
  schema: z.ZodType
  /** Keys of an author who looks for them here → the file in which they stand. */
  elsewhere?: Readonly<Record<string, string>>
}

/** Every kind of YAML file that a definition's folder may hold, in the order in which one is written. */
export const fileKinds: readonly FileKind[] = [
  {
    id: 'touchpoints',
    files: 'touchpoints.yaml',
    meaning: 'Who tells us what happens, and what they may tell.',
    matches: /^touchpoints\.yaml$/,
    schema: touchpointsFileSchema,
  },
  {
    id: 'journeys',
    files: 'journeys.yaml',
    meaning: 'The care paths that people walk, each as phases.',
    matches: /^journeys\.yaml$/,
    schema: journeysFileSchema,
  },
  {
    id: 'personas',
    files: 'personas.yaml',
    meaning: 'The kinds of people we write to, each with a tone and the channels they like.',
    matches: /^personas\.yaml$/,
    schema: personasFileSchema,
  },
  {
    id: 'attributes',
    files: 'attributes.yaml',
    meaning:
      'What the organisation knows of people beside what is known of everybody, and how telling it is.',
    matches: /^attributes\.yaml$/,
    schema: attributesFileSchema,
  },
  {
    id: 'policies',
    files: 'policies.yaml',
    meaning:
      'What holds for the whole organisation: its name, zone, holidays, and what each class of campaigns may do.',
    matches: /^policies\.yaml$/,
    schema: policiesFileSchema,
    elsewhere: { person: 'attributes.yaml' },
  },
  {
    id: 'channels',
    files: 'channels.yaml',
    meaning:
      'What may travel over each channel, and under whose name. Hosts and passwords are configuration, not definition.',
    matches: /^channels\.yaml$/,
    schema: channelsFileSchema,
  },
  {
    id: 'campaign',
    files: 'campaigns/*.yaml',
    meaning: 'One campaign: what starts it, whom it is for, and what happens then.',
    matches: /^campaigns\/[^/]+(?<!\.test)\.yaml$/,
    schema: campaignFileSchema,
  },
  {
    id: 'specifications',
    files: 'campaigns/*.test.yaml',
    meaning:
      'What the campaign beside it is to do, in examples: given somebody, when this happens, then that is sent. `wegwijs test` plays them; they are no part of what is applied.',
    matches: /^campaigns\/[^/]+\.test\.yaml$/,
    schema: specificationsFileSchema,
  },
  {
    id: 'template',
    files: 'templates/*/template.yaml',
    meaning:
      'What a template is called, how telling it is on each channel, and the subject of its e-mail. Its texts stand beside it: `email.nl.mjml`, `email.nl.txt`, `sms.nl.hbs`, `app.nl.yaml`, and the same in each language.',
    matches: /^templates\/[^/]+\/template\.yaml$/,
    schema: manifestSchema,
  },
  {
    id: 'app-message',
    files: 'templates/*/app.*.yaml',
    meaning: 'The message of a template for the app, in one language.',
    matches: /^templates\/[^/]+\/app\.[^/]+\.yaml$/,
    schema: appFileSchema,
  },
  {
    id: 'log-mapping',
    files: 'mappings/*.yaml',
    meaning:
      'How the event log of another system is read as touchpoint events. A row whose activity is not listed is told as unreadable.',
    matches: /(^|\/)mappings\/[^/]+\.yaml$/,
    schema: logMappingSchema,
  },
]

/** The kind of the file at `path` in a definition's folder; undefined for what is none of them. */
export function kindOf(path: string): FileKind | undefined {
  return fileKinds.find((kind) => kind.matches.test(path))
}

/** The page that tells of everything in a definition; from the root of the repository. */
const referencePage = 'docs/reference/definition.md'

const titleOfReasons = reasonSchema.meta()?.title

/** The page that tells of every reason. */
const reasonsPage = 'docs/reference/reasons.md'

/** Where to read about what stands at `path` in a file, such as `docs/reference/definition.md#step-wait`. */
export function referenceTo(file: string, path: Path = []): string {
  const kind = kindOf(file)
  if (kind && titleAt(kind.schema, path) === titleOfReasons) return reasonsPage
  const section = kind ? (sectionAt(kind.schema, path) ?? kind.id) : sectionWithoutKind(file)
  return `${referencePage}#${section}`
}

function sectionWithoutKind(file: string): string {
  return /^(templates|layout)\//.test(file) ? 'template-texts' : 'the-folder'
}
