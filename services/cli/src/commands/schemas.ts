import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { whyNoFolder } from '@wegwijs/definition/folder'
import { jsonSchemaFiles } from '@wegwijs/definition/json-schemas'
import { loadDefinition } from '@wegwijs/definition/load-definition'
import { fail } from '@wegwijs/runtime/failure'
import type { Command } from 'commander'
import { table } from '../output.ts'
import { type Call, runs, type Shell } from '../shell.ts'

/** Hidden, so that it counts as no part of the definition. */
const schemaFolder = '.schemas'

/** `wegwijs schemas`: what an editor needs to complete and check while somebody types. */
export function addSchemas(program: Command, shell: Shell): void {
  program
    .command('schemas')
    .summary('write the JSON Schemas that an editor completes and checks by')
    .description(
      'Write the JSON Schema of every kind of file into .schemas of a definition, with the names that it declares, and tell the first line by which an editor finds each. See docs/reference/definition.md#editors.',
    )
    .argument('<folder>', 'the folder of the definition, such as examples/hospital')
    .action(runs(shell, schemas))
}

async function schemas({ output }: Call, _: unknown, folder = ''): Promise<void> {
  const problem = await whyNoFolder(folder)
  if (problem !== undefined) throw fail('WEGWIJS_USAGE', { problem: `${folder}: ${problem}` })
  const { bundle } = await loadDefinition(folder)
  const files = jsonSchemaFiles(bundle ?? undefined)
  await mkdir(join(folder, schemaFolder), { recursive: true })
  for (const { name, text } of files) await writeFile(join(folder, schemaFolder, name), text)
  const lines = files.map((file) => ({
    files: file.files,
    line: `# yaml-language-server: $schema=${wayUp(file.files)}${schemaFolder}/${file.name}`,
  }))
  output.data(lines, () =>
    table(
      ['FILES', 'FIRST LINE'],
      lines.map(({ files: where, line }) => [where, line]),
    ),
  )
  output.say(
    bundle
      ? `${files.length} schemas written to ${join(folder, schemaFolder)}, with the names of this definition: run it again when there are others`
      : `${files.length} schemas written to ${join(folder, schemaFolder)}, without the names of this definition, for it has faults`,
  )
}

/** From where such a file stands to the folder of the definition. */
function wayUp(files: string): string {
  return '../'.repeat(files.split('/').length - 1)
}
