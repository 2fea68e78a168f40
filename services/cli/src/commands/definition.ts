import { readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { exitCodes, fail } from '@wegwijs/runtime/failure'
import { type DefinitionPlan, planDefinition } from '@wegwijs/store/definition-plan'
import { applyDefinition } from '@wegwijs/store/definitions'
import { isPlanName } from '@wegwijs/store/plan-name'
import type { Command } from 'commander'
import { count, faultLines, readForPublishing, validOrEnd } from '../definition-input.ts'
import { table } from '../output.ts'
import { planLines, planSummary } from '../plan-story.ts'
import { type Call, Ended, runs, type Shell } from '../shell.ts'
import { atLeastOne } from '../words.ts'

/** `wegwijs validate`, `plan` and `apply`: an organisation's definition, as files. */
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
  withWanted(program.command('plan'))
    .summary('show what applying a definition would change')
    .description(
      'Show what applying a definition would change, field by field: campaigns and their versions, who is under way in each, and the files that they share. Nothing is changed. It names the plan, by which `apply` does exactly this or nothing.',
    )
    .option('--out <file>', 'write the plan, as JSON, into a file as well')
    .action(runs(shell, plan))
  withWanted(program.command('apply'))
    .summary('make a definition the one in force')
    .description(
      'Make a definition the one in force, all or nothing. Who is in a campaign stays on the version they entered. To go back is to apply an earlier revision.',
    )
    .option(
      '--plan <plan>',
      'do what this plan showed, or nothing: its name, or the file that `plan --out` wrote',
    )
    .option('--by <name>', 'who applies it, for the record', userInfo().username)
    .action(runs(shell, apply))
}

function withWanted(command: Command): Command {
  return command
    .argument('[folder]', 'the folder of the definition, such as examples/hospital')
    .option(
      '--revision <number>',
      'instead of a folder: what was in force as that revision',
      atLeastOne,
    )
}

async function validate(
  { output }: Call,
  { strict }: { strict: boolean },
  folder = '',
): Promise<void> {
  const { bundle, warnings } = await validOrEnd(folder, output)
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

type PublishOptions = { revision?: number; plan?: string; out?: string; by: string }

async function plan(call: Call, options: PublishOptions, folder?: string): Promise<void> {
  const { bundle, store } = await readForPublishing(call, { folder, revision: options.revision })
  const planned = await planDefinition(store, bundle)
  if (options.out !== undefined) await writeOrFail(options.out, planned)
  call.output.data(planned, () => planLines(planned))
  const summary = planSummary(planned)
  call.output.say(
    summary === undefined
      ? 'Nothing would change.'
      : `Plan ${planned.plan}: ${summary}. Nothing has been changed.\n\`wegwijs apply ${wantedWords(options, folder)} --plan ${options.out ?? planned.plan}\` does exactly this, or nothing.`,
  )
}

async function apply(call: Call, options: PublishOptions, folder?: string): Promise<void> {
  const name = options.plan === undefined ? undefined : await planName(options.plan)
  const { bundle, store } = await readForPublishing(call, { folder, revision: options.revision })
  const applied = await applyDefinition(
    store,
    bundle,
    options.by,
    name === undefined ? {} : { plan: name },
  )
  call.output.data(applied, () => [
    `revision ${applied.revision}`,
    ...table(
      ['CAMPAIGN', 'VERSION', 'CHANGE'],
      applied.campaigns.map(({ id, version, change }) => [id, version, change]),
    ),
  ])
}

function wantedWords({ revision }: PublishOptions, folder: string | undefined): string {
  return folder ?? `--revision ${revision}`
}

/** A name as `plan` tells it, or the file that it wrote. */
async function planName(text: string): Promise<string> {
  if (isPlanName(text)) return text
  const problem = `"${text}" is neither the name of a plan nor a file that \`wegwijs plan --out\` wrote`
  try {
    const { plan: name } = JSON.parse(await readFile(text, 'utf8')) as { plan?: unknown }
    if (typeof name === 'string' && isPlanName(name)) return name
  } catch (error) {
    throw fail('WEGWIJS_USAGE', { problem }, error)
  }
  throw fail('WEGWIJS_USAGE', { problem })
}

async function writeOrFail(file: string, planned: DefinitionPlan): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(planned, null, 2)}\n`)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw fail('WEGWIJS_USAGE', { problem: `the plan cannot be written: ${reason}` }, error)
  }
}
