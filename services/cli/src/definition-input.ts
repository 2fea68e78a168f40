import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { type Fault, formatFault } from '@wegwijs/definition/fault'
import { loadDefinition } from '@wegwijs/definition/load-definition'
import { exitCodes } from '@wegwijs/runtime/failure'
import type { Output } from './output.ts'
import { Ended } from './shell.ts'

export type ReadDefinition = { bundle: DefinitionBundle; warnings: readonly Fault[] }

/**
 * Reads the definition that a command needs. With faults it lists them as the answer and ends the
 * command: nothing has been changed.
 */
export async function readOrEnd(folder: string, output: Output): Promise<ReadDefinition> {
  const { bundle, faults, warnings } = await loadDefinition(folder)
  if (bundle !== null) return { bundle, warnings }
  output.data({ valid: false, faults, warnings }, () => faultLines(faults, warnings))
  output.say(
    `${count(faults, 'fault')}; nothing has been changed. Correct the named lines and run it again.`,
  )
  throw new Ended(exitCodes.dataInvalid)
}

/** Faults first, then, apart from them, what only experience warns of. */
export function faultLines(faults: readonly Fault[], warnings: readonly Fault[]): string[] {
  const apart = faults.length > 0 && warnings.length > 0 ? [''] : []
  return [...linesOf('error', faults), ...apart, ...linesOf('warning', warnings)]
}

/** Where to read about it stands below what it is about, once for faults of one kind in a row. */
function linesOf(kind: string, faults: readonly Fault[]): string[] {
  return faults.flatMap((fault, index) => {
    const line = `${kind.padEnd(7)} ${formatFault(fault)}`
    const { reference } = fault
    if (reference === undefined || faults[index + 1]?.reference === reference) return [line]
    return [line, `        see ${reference}`]
  })
}

export function count(list: readonly unknown[], noun: string): string {
  return `${list.length} ${noun}${list.length === 1 ? '' : 's'}`
}
