import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, extname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { formatFault, withNearest } from '@wegwijs/definition/fault'
import { loadLogMapping } from '@wegwijs/definition/log-mapping'
import { type LogOverrides, readLog } from '@wegwijs/rehearsal/read-log'
import { fail, type WegwijsError } from '@wegwijs/runtime/failure'
import type { Command } from 'commander'
import { pairs } from './words.ts'

/** How a log of another system is read; the same options for the CLI and the demo. */
export type LogOptions = {
  mapping?: string
  case?: string
  activity?: string
  time?: string
  timeFormat?: string
  zone?: string
  delimiter?: string
  attributes?: Record<string, string>
}

/** The definition that ships, and the mapping of its log. */
export const exampleFolder = fileURLToPath(new URL('../../../examples/hospital', import.meta.url))
const standardMapping = join(exampleFolder, 'mappings', 'sepsis-log.yaml')

export function withLogOptions(command: Command): Command {
  return command
    .option('--mapping <file>', 'activities to touchpoint types (examples/hospital/mappings)')
    .option('--case <column>', 'whose event it is')
    .option('--activity <column>', 'what happened')
    .option('--time <column>', 'when it happened')
    .option('--time-format <format>', 'of that column, such as "yyyy/MM/dd HH:mm:ss", or iso')
    .option('--zone <zone>', 'whose clocks the times are of, such as Europe/Amsterdam')
    .option('--delimiter <character>', 'between cells')
    .option('--attributes <field=column>', 'what the log knows of a person', pairs)
}

/**
 * Reads a log by its mapping and what the command line says instead.
 *
 * @throws WEGWIJS_DEFINITION_INVALID for a mapping with faults, WEGWIJS_LOG_UNREADABLE
 */
export async function readLogWith(
  file: string,
  options: LogOptions,
  bundle: Pick<DefinitionBundle, 'touchpoints' | 'attributes'>,
): ReturnType<typeof readLog> {
  const path = options.mapping ?? standardMapping
  if (!existsSync(path)) throw await unknownMapping(path)
  const { mapping, faults } = await loadLogMapping(path, bundle)
  if (mapping === null) {
    throw fail('WEGWIJS_DEFINITION_INVALID', { faults: faults.map(formatFault) })
  }
  const { mapping: _, ...given } = options
  const named = Object.entries(given).filter(([key, value]) => overrideNames.has(key) && value)
  return readLog(isAbsolute(file) ? file : join(process.cwd(), file), {
    mapping,
    definition: bundle,
    overrides: Object.fromEntries(named) as LogOverrides,
  })
}

/** With the mapping that was meant of those that stand there, or else of the example. */
async function unknownMapping(path: string): Promise<WegwijsError> {
  const problem = `there is no mapping ${path}`
  const name = basename(path, '.yaml')
  for (const folder of [dirname(path), dirname(standardMapping)]) {
    const there = await readdir(folder).catch(() => [])
    const mappings = there.flatMap((each) =>
      extname(each) === '.yaml' ? basename(each, '.yaml') : [],
    )
    const meant = mappings.includes(name) ? name : withNearest(name, mappings).nearest
    if (meant !== undefined) {
      const hint = `did you mean ${join(folder, `${meant}.yaml`)}?`
      return fail('WEGWIJS_USAGE', { problem: `${problem}; ${hint}` })
    }
  }
  return fail('WEGWIJS_USAGE', { problem })
}

const overrideNames = new Set([
  'case',
  'activity',
  'time',
  'timeFormat',
  'zone',
  'delimiter',
  'attributes',
])

/** One line for people: how many rows cannot be read, and the first of them. */
export function faultLines(faults: readonly { line: number; reason: string }[]): string[] {
  if (faults.length === 0) return []
  const some = faults.slice(0, 20).map(({ line, reason }) => `  line ${line} ${reason}`)
  const more = faults.length > some.length ? [`  and ${faults.length - some.length} more`] : []
  return [`${faults.length} rows cannot be read and are left out:`, ...some, ...more]
}
