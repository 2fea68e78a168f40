import { userInfo } from 'node:os'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { type Fault, formatFault } from '@wegwijs/definition/fault'
import { loadDefinition } from '@wegwijs/definition/load-definition'
import { exitCodes } from '@wegwijs/runtime/failure'
import { applyDefinition } from '@wegwijs/store/definitions'
import type { Command } from 'commander'
import { type Output, table } from '../output.ts'
import { type Call, Ended, runs, type Shell } from '../shell.ts'

/** `wegwijs validate` and `wegwijs apply`: an organisation's definition, as files. */
export function addDefinition(program: Command, shell: Shell): void {
  program
    .command('validate')
    .summary('tell everything that is wrong with a definition')
    .description('Read a definition and tell everything that is wrong with it; nothing is changed.')
    .argument('<folder>', 'the folder of the definition, such as examples/hospital')
    .action(runs(shell, validate))
  program
    .command('apply')
    .summary('make a definition the one in force')
    .description(
      'Make a definition the one in force, all or nothing. Who is in a campaign stays on the version they entered.',
    )
    .argument('<folder>', 'the folder of the definition, such as examples/hospital')
    .option('--by <name>', 'who applies it, for the record', userInfo().username)
    .action(runs(shell, apply))
}

async function validate({ output }: Call, _: unknown, folder = ''): Promise<void> {
  const bundle = await readOrEnd(folder, output)
  output.say(
    `${folder} is right: ${bundle.campaigns.length} campaigns, ${bundle.templates.length} templates, ${bundle.touchpoints.touchpoints.length} touchpoints`,
  )
}

async function apply(call: Call, options: { by: string }, folder = ''): Promise<void> {
  const bundle = await readOrEnd(folder, call.output, { quiet: true })
  const store = await call.surroundings.store()
  const applied = await applyDefinition(store, bundle, options.by)
  call.output.data(applied, () => [
    `revision ${applied.revision}`,
    ...table(
      ['CAMPAIGN', 'VERSION', 'CHANGE'],
      applied.campaigns.map(({ id, version, change }) => [id, version, change]),
    ),
  ])
}

/** With faults it lists them as the answer and ends the command: nothing has been changed. */
async function readOrEnd(
  folder: string,
  output: Output,
  { quiet = false }: { quiet?: boolean } = {},
): Promise<DefinitionBundle> {
  const { bundle, faults, warnings } = await loadDefinition(folder)
  const lines = (list: readonly Fault[], kind: string) =>
    list.map((fault) => `${kind} ${formatFault(fault)}`)
  if (bundle === null || !quiet) {
    output.data({ valid: bundle !== null, faults, warnings }, () => [
      ...lines(faults, 'error  '),
      ...lines(warnings, 'warning'),
    ])
  }
  if (bundle !== null) return bundle
  output.say(
    `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}; nothing has been changed. Correct the named lines and run it again.`,
  )
  throw new Ended(exitCodes.dataInvalid)
}
