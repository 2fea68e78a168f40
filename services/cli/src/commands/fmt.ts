import { checkFormat, formatFolder } from '@wegwijs/definition/format-folder'
import { exitCodes, fail } from '@wegwijs/runtime/failure'
import type { Command } from 'commander'
import { count, faultLines } from '../definition-input.ts'
import { type Call, Ended, runs, type Shell } from '../shell.ts'

/** `wegwijs fmt`: the YAML files of a definition in one form, so that a review shows what changed. */
export function addFmt(program: Command, shell: Shell): void {
  program
    .command('fmt')
    .summary('put the files of a definition into one form')
    .description(
      'Put the YAML files of a definition into one form, all or none: keys in the order of the reference, two spaces, long texts folded at 100 characters. Comments, quotes, braces and blank lines stay, and so does what the files mean.',
    )
    .argument('<folder>', 'the folder of the definition, such as examples/hospital')
    .option('--check', 'change nothing, and say no when a file is not in that form', false)
    .action(runs(shell, fmt))
}

async function fmt({ output }: Call, { check }: { check: boolean }, folder = ''): Promise<void> {
  const { changed, faults } = await onDisk(() =>
    check ? checkFormat(folder) : formatFolder(folder),
  )
  if (faults.length > 0) {
    output.data({ changed: [], faults }, () => faultLines(faults, []))
    output.say(`${count(faults, 'fault')}; nothing has been changed.`)
    throw new Ended(exitCodes.dataInvalid)
  }
  output.data({ changed, faults }, () => changed)
  if (changed.length === 0) return output.say(`${folder} is in form`)
  if (!check) return output.say(`${count(changed, 'file')} put into form`)
  output.say(`${count(changed, 'file')} not in form: \`wegwijs fmt ${folder}\` puts them into it`)
  throw new Ended(exitCodes.checkFailed)
}

async function onDisk<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    const problem = `the files cannot be written, and all are as they were: ${error.message}`
    throw fail('WEGWIJS_USAGE', { problem }, error)
  }
}
