import { readFile, writeFile } from 'node:fs/promises'
import { type Variable, type VariableName, variables } from './env.ts'

/**
 * Makes docs/reference/configuration.md from the table of variables:
 * `node packages/runtime/src/configuration-reference.ts`. A test fails when the page differs.
 */
const referencePage = new URL('../../../docs/reference/configuration.md', import.meta.url)

function renderConfigurationReference(): string {
  const rows = Object.entries(variables).map(([name, variable]) =>
    renderRow(name as VariableName, variable),
  )
  return `${HEAD}${rows.join('\n')}\n`
}

const HEAD = `# Configuration

<!-- Made by packages/runtime/src/configuration-reference.ts; change the table in env.ts instead. -->

Everything is set through environment variables, read once when a process starts. All faults are
told at once (\`WEGWIJS_CONFIG_INVALID\`), a \`WEGWIJS_\` name that is not in this table among them. An
empty value counts as not set. A variable without a default is required by the services that use
it. The value of a secret is never shown, not in a fault and not in a log.

| variable | what it is | takes | default | secret |
| --- | --- | --- | --- | --- |
`

function renderRow(name: VariableName, variable: Variable): string {
  const standard = variable.default === undefined ? '' : `\`${variable.default}\``
  const cells = [
    `\`${name}\``,
    variable.description,
    variable.expects,
    standard,
    variable.secret ? 'yes' : '',
  ]
  return `| ${cells.join(' | ')} |`
}

/** True when the page on disk is the one that the table gives. */
export async function isReferenceCurrent(): Promise<boolean> {
  return (await readFile(referencePage, 'utf8')) === renderConfigurationReference()
}

if (import.meta.main) await writeFile(referencePage, renderConfigurationReference())
