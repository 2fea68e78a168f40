import { readdir, readFile, writeFile } from 'node:fs/promises'
import { reasons } from '@wegwijs/campaign/reasons'
import { type FileKind, fileKinds } from './file-kinds.ts'
import { type JsonSchema, jsonSchemaFiles, jsonSchemaOf } from './json-schemas.ts'
import { flowPairs } from './value-text.ts'

/**
 * Makes docs/reference/definition.md, docs/reference/reasons.md and docs/reference/schemas from the
 * schemas and lists of the code: `node packages/definition/src/reference.ts`. A test fails when one
 * of them differs.
 */
const referenceFolder = new URL('../../../docs/reference/', import.meta.url)

/** Text of each page by its path in docs/reference. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ['definition.md', definitionPage()],
    ['reasons.md', reasonsPage()],
    ...jsonSchemaFiles().map(({ name, text }): [string, string] => [`schemas/${name}`, text]),
  ])
}

function reasonsPage(): string {
  const rows = Object.entries(reasons)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([code, { text, whatToDo }]) =>
        `| <a id="${code}"></a>\`${code}\` | ${cell(text.en)} | ${cell(whatToDo.en)} |`,
    )
  return `# Reasons

<!-- Made by packages/definition/src/reference.ts from packages/campaign/src/reasons.ts. -->

Why something was, or was not, done: every event, decision and message carries one of these codes,
and \`wegwijs explain\` shows it. The list is closed: there is no other.

| code | what it means | what you can do |
| --- | --- | --- |
${rows.join('\n')}
`
}

const head = `# A definition, field by field

<!-- Made by packages/definition/src/reference.ts from the schemas that check the files. -->

What an organisation wants said, and to whom, stands in a folder of files; [the example
hospital](../../examples/hospital/README.md) is one. \`wegwijs validate <folder>\` tells everything that
is wrong with it, and names the section of this page. A key that this page does not have is refused.
`

const folder = `<a id="the-folder"></a>

## The folder

Every file is a text in UTF-8. A YAML file at the top or among the campaigns that is none of these is
refused: a file that nobody reads would be a campaign that never runs.

${table(
  ['files', 'what they say'],
  fileKinds.map((kind) => [`[\`${kind.files}\`](#${kind.id})`, kind.meaning]),
)}
\`mappings/\` is no part of what goes live: \`wegwijs validate\` tells what is wrong with a mapping and ends as with
any fault, \`wegwijs plan\` and \`apply\` do not read it.

\`layout/\` holds the parts that all e-mails share, \`templates/<id>/\` the texts of a template.

<a id="editors"></a>

### Help while you type

Each kind of file has a JSON Schema in [schemas](schemas), with what this page says of each key.
\`wegwijs schemas <folder>\` writes them into \`.schemas\` of the folder, with the names that stand in it:
touchpoints, personas, journeys, templates and fields are then offered while you type. An editor with the YAML language
server (Visual Studio Code with Red Hat's extension, JetBrains, Neovim, Helix) completes and checks
while you type when the file says where its schema is, on its first line:

\`\`\`yaml
# yaml-language-server: $schema=../.schemas/campaign.json
\`\`\`

\`wegwijs fmt <folder>\` keeps the line.
`

const texts = `<a id="template-texts"></a>

## The texts of a template

\`email.nl.mjml\` ([MJML](https://documentation.mjml.io)), \`email.nl.txt\` (made from the MJML when it is not
there), \`sms.nl.hbs\`, and the strings of \`app.nl.yaml\` and of \`subject\`, each in every language. They are
[Handlebars](https://handlebarsjs.com/guide/), with this and nothing else:

${table(
  ['you write', 'you get'],
  [
    [
      '`{{person.givenName}}`',
      'the value; who has none gets no message, unless an `{{#if}}` around it asks first',
    ],
    [
      '`{{date entity.startsAt}}`, `{{time …}}`, `{{weekday …}}`, `{{dateTime …}}`',
      "a moment in the person's language and zone",
    ],
    ['`{{#if person.givenName}}…{{else}}…{{/if}}`, `{{#unless …}}`', 'one text or the other'],
    [
      '`{{#each …}}…{{/each}}`, `{{#with …}}…{{/with}}`',
      'each item of a list, a shorter way to a part',
    ],
    [
      '`<mj-include path="layout/footer.nl.mjml" />`',
      'a part that all e-mails share, from `layout/`',
    ],
  ],
)}
Variables are \`person.*\`, \`organisation.*\`, the data of the trigger as \`event.*\` and \`entity.*\`, the
person's phases as \`journey.<id>.phase\`, and what became of a message of the same run as
\`enrolment.<message>.status\`; in a question \`question.*\` and \`answers.<answer>.*\`, and of whoever gets it
\`recipient.as\`. Ids stand as they are written, such as \`journey.planned-operation.phase\`. A text that shows a
field more telling than its template declares, or its channel may bear, is refused.

An SMS holds 160 characters of the GSM alphabet, and 70 as soon as one letter is none of it (\`ë\`, a curly
quote): a warning names the letter and what it costs.
`

function definitionPage(): string {
  const sections = new Map<string, JsonSchema>()
  const kinds = fileKinds.map((kind) => {
    const schema = jsonSchemaOf(kind)
    for (const [name, part] of Object.entries(schema.$defs ?? {})) sections.set(name, part)
    return kindSection(kind, schema)
  })
  const parts = [...sections].map(([name, schema]) => partSection(name, schema))
  return `${[head, folder, ...kinds, texts, '# The parts\n', ...parts].join('\n')}`
}

function kindSection({ id, files, meaning }: FileKind, schema: JsonSchema): string {
  return `<a id="${id}"></a>

## ${files
    .replace('*/', '<id>/')
    .replace('*.test.yaml', '<name>.test.yaml')
    .replace('*.yaml', files.startsWith('templates') ? '<language>.yaml' : '<name>.yaml')
    .replaceAll('<', '&lt;')}

${meaning} Schema: [${id}.json](schemas/${id}.json).

${fieldsTable(schema)}`
}

function partSection(name: string, schema: JsonSchema): string {
  return `<a id="${name}"></a>

## ${schema.title ?? name}

${schema.description ? `${schema.description}\n\n` : ''}${shortestOf(schema)}${waysOf(schema)}`
}

function shortestOf({ examples: [example] = [] }: JsonSchema): string {
  return example ? `At its shortest: \`${flowPairs(example)}\`\n\n` : ''
}

/** What has alternatives is told alternative by alternative. */
function waysOf(schema: JsonSchema): string {
  const ways = schema.anyOf ?? schema.oneOf
  if (!ways) return fieldsTable(schema)
  return ways
    .map((way) =>
      way.properties ? `${wayHeading(way)}\n\n${fieldsTable(way)}` : `- ${wayInOneLine(way)}\n`,
    )
    .join(ways.every((way) => !way.properties) ? '' : '\n')
}

function wayInOneLine(way: JsonSchema): string {
  return way.description && way.$ref === undefined
    ? `${typeOf(way)}: ${way.description}`
    : typeOf(way)
}

function wayHeading(way: JsonSchema): string {
  const keys = way.required ?? Object.keys(way.properties ?? {})
  return `**\`${keys.join('`, `')}\`** ${way.description ?? ''}`
}

type Row = { key: string; schema: JsonSchema; required: boolean }

function fieldsTable(schema: JsonSchema): string {
  const rows = rowsOf(schema, '').map(({ key, schema: field, required }) => [
    `\`${key}\``,
    typeOf(field),
    leftOut(field, required),
    field.description ?? '',
  ])
  if (rows.length === 0) return ''
  // What several ways have in common is told once.
  const told = new Map(rows.map((row) => [row.join('|'), row]))
  return table(['key', 'what it takes', 'left out', 'what it means'], [...told.values()])
}

/** Nested keys become rows of their own, `trigger.maxAge`; what has a section of its own does not. */
function rowsOf(schema: JsonSchema, prefix: string): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const key = `${prefix}${name}`
    const row = { key, schema: field, required: schema.required?.includes(name) ?? false }
    return [row, ...rowsInside(field, key)]
  })
}

function rowsInside(field: JsonSchema, key: string): Row[] {
  const ways = field.anyOf ?? field.oneOf ?? []
  return [
    ...rowsOf(field, `${key}.`),
    ...(field.items ? rowsInside(field.items, `${key}[]`) : []),
    ...(typeof field.additionalProperties === 'object'
      ? rowsInside(field.additionalProperties, `${key}.<name>`)
      : []),
    // Of several ways one is taken, so none of their keys is required.
    ...ways.flatMap((way) => rowsInside(way, key).map((row) => ({ ...row, required: false }))),
  ]
}

function leftOut(field: JsonSchema, required: boolean): string {
  if (required) return 'required'
  if (field.default === undefined) return ''
  const text = JSON.stringify(field.default)
  return ['{}', '[]', '""'].includes(text) ? 'none' : `\`${text.replaceAll('"', '')}\``
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'number',
  integer: 'whole number',
  boolean: 'true or false',
  object: 'mapping',
  array: 'list',
}

/** What a key takes, for a person. */
function typeOf(schema: JsonSchema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace('#/$defs/', '')
    return `[${name.replaceAll('-', ' ')}](#${name})`
  }
  if (schema.const !== undefined) return `\`${schema.const}\``
  if (schema.enum?.join() === Object.keys(reasons).join()) return '[reason](reasons.md)'
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ')
  const ways = schema.anyOf ?? schema.oneOf
  if (ways) return [...new Set(ways.map(typeOf))].join(' or ')
  if (schema.type === 'array' && schema.items) return `list of ${typeOf(schema.items)}`
  if (schema.prefixItems) return `list: ${schema.prefixItems.map(typeOf).join(', ')}`
  if (typeof schema.additionalProperties === 'object') {
    const names = schema.propertyNames?.enum?.map((name) => `\`${name}\``).join(', ')
    return `${names ? `for each of ${names}: ` : 'by name: '}${typeOf(schema.additionalProperties)}`
  }
  if (schema.format === 'date') return 'day'
  if (schema.type === 'string' && schema.title) return schema.title
  return [schema.type ?? 'anything']
    .flat()
    .map((name) => typeNames[name] ?? name)
    .join(' or ')
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return `| ${headings.join(' | ')} |
| ${headings.map(() => '---').join(' | ')} |
${rows.map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')}
`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

/** The pages on disk that are not what the code gives, or that the code no longer gives. */
export async function staleReferences(): Promise<string[]> {
  const pages = referencePages()
  const stale: string[] = []
  for (const [path, text] of pages) {
    const onDisk = await readFile(new URL(path, referenceFolder), 'utf8').catch(() => '')
    if (onDisk !== text) stale.push(path)
  }
  const schemas = await readdir(new URL('schemas/', referenceFolder))
  return [...stale, ...schemas.map((name) => `schemas/${name}`).filter((path) => !pages.has(path))]
}

if (import.meta.main)
  for (const [path, text] of referencePages()) await writeFile(new URL(path, referenceFolder), text)
