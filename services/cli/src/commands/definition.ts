import { userInfo } from 'node:os'
import { exitCodes } from '@wegwijs/runtime/failure'
import { applyDefinition } from '@wegwijs/store/definitions'
import type { Command } from 'commander'
import { count, faultLines, readOrEnd } from '../definition-input.ts'
import { table } from '../output.ts'
import { type Call, Ended, runs, type Shell } from '../shell.ts'

/** `wegwijs validate` and `wegwijs apply`: an organisation's definition, as files. */
export function addDefinition(program: Command, shell: Shell): void {
  program
    .command('validate')
    .summary('tell everything that is wrong with a definition')
    .description(
      'Read a definition and tell everything that is wrong with it, and what experience warns of; nothing is changed.',
    )
    .argument('<folder>', 'the folder of the definition, such as examples/hospital')
    .option('--strict', 'end as with a fault when there are warnings', false)
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

async function validate(
  { output }: Call,
  { strict }: { strict: boolean },
  folder = '',
): Promise<void> {
  const { bundle, warnings } = await readOrEnd(folder, output)
  output.data({ valid: true, faults: [], warnings }, () => faultLines([], warnings))
  const { campaigns, templates, touchpoints } = bundle
  const size = [
    count(campaigns, 'campaign'),
    count(templates, 'template'),
    count(touchpoints.touchpoints, 'touchpoint'),
  ].join(', ')
  output.say(
    warnings.length === 0
      ? `${folder} is right: ${size}`
      : `${folder} has no faults, and ${count(warnings, 'warning')}: ${size}`,
  )
  if (strict && warnings.length > 0) throw new Ended(exitCodes.dataInvalid)
}

async function apply(call: Call, options: { by: string }, folder = ''): Promise<void> {
  const { bundle } = await readOrEnd(folder, call.output)
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
