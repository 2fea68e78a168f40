import { readFile, writeFile } from 'node:fs/promises'
import { rejectionReasons } from '@wegwijs/wire/rejection-reasons'
import { rejectionClasses } from '@wegwijs/wire/touchpoint-event'
import type { Argument, Command, Option } from 'commander'
import { exitCodeTable } from './exit-codes.ts'
import { createProgram } from './program.ts'

/**
 * Makes docs/reference/cli.md from the tree of commands: `node services/cli/src/reference.ts`.
 * A test fails when the page differs.
 */
const referencePage = new URL('../../../docs/reference/cli.md', import.meta.url)

function renderReference(): string {
  const program = createProgram(nobody)
  const commands = leavesOf(program).map(({ path, command }) => renderCommand(path, command))
  return `${HEAD}
${renderOptions(program.options)}
## How a command ends

| exit code | means |
| --- | --- |
${exitCodeTable.map(({ code, means }) => `| ${code} | ${means} |`).join('\n')}

## Why an event cannot be used

\`wegwijs dead-letters\` and \`wegwijs simulate\` tell it by its class; so does the gateway when it refuses one.

| class | what it means | what you can do |
| --- | --- | --- |
${rejectionClasses.map((each) => `| \`${each}\` | ${rejectionReasons[each].text} | ${rejectionReasons[each].whatToDo} |`).join('\n')}

${commands.join('\n')}`
}

const HEAD = `# The command line

<!-- Made by services/cli/src/reference.ts from the commands themselves. -->

\`npm run wegwijs -- <command>\` in a clone, or \`wegwijs <command>\` where it is installed. What a
command answers goes to standard output, words about it go to standard error, so an answer can be
piped on. Servers are found through the environment (see [configuration](configuration.md)); what is
not set there is where the local stack has it, while that runs. A person is named as
\`idSpace:externalId\`, such as \`ehr:P-1\`, or by our own id.

Before or after any command:
`

/** Nothing is run to describe it. */
const nobody = {
  environment: {},
  streams: { out: () => {}, err: () => {}, isTerminal: false },
  readInput: async function* () {},
  signal: new AbortController().signal,
}

function leavesOf(command: Command, path: readonly string[] = []): Leaf[] {
  return command.commands.flatMap((child) => {
    const own = [...path, child.name()]
    return child.commands.length === 0 ? [{ path: own, command: child }] : leavesOf(child, own)
  })
}

type Leaf = { path: readonly string[]; command: Command }

function renderCommand(path: readonly string[], command: Command): string {
  const words = command.registeredArguments.map(argumentWord)
  const usage = ['wegwijs', ...path, ...words].join(' ')
  const described = command.registeredArguments.filter((argument) => argument.description)
  return `## ${path.join(' ')}

\`${usage}\`

${command.description()}
${described.map((argument) => `\n- \`${argumentWord(argument)}\`: ${argument.description}`).join('')}${described.length > 0 ? '\n' : ''}${renderOptions(command.options)}`
}

function argumentWord(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`
  return argument.required ? `<${name}>` : `[${name}]`
}

function renderOptions(options: readonly Option[]): string {
  if (options.length === 0) return ''
  const rows = options.map((option) => {
    const choices = option.argChoices ? ` (${option.argChoices.join(', ')})` : ''
    const must = option.mandatory ? ' Required.' : ''
    return `| \`${option.flags.replaceAll('|', '\\|')}\` | ${option.description}${choices}${must} | ${defaultText(option)} |`
  })
  return `\n| option | what it does | default |\n| --- | --- | --- |\n${rows.join('\n')}\n`
}

/** Who runs the command differs from machine to machine, and is no part of the page. */
function defaultText(option: Option): string {
  if (option.long === '--by') return 'you'
  if (option.defaultValueDescription !== undefined) return option.defaultValueDescription
  if (option.defaultValue === undefined) return ''
  return `\`${[option.defaultValue].flat().join(' ')}\``
}

/** True when the page on disk is the one that the commands give. */
export async function isReferenceCurrent(): Promise<boolean> {
  return (await readFile(referencePage, 'utf8')) === renderReference()
}

if (import.meta.main) await writeFile(referencePage, renderReference())
