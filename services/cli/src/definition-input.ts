import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { type Fault, formatFault, inReadingOrder } from '@wegwijs/definition/fault'
import {
  type CampaignSpecifications,
  type LoadedDefinition,
  loadDefinition,
} from '@wegwijs/definition/load-definition'
import { exitCodes, fail } from '@wegwijs/runtime/failure'
import type { Store } from '@wegwijs/store/database'
import { bundleOfRevision } from '@wegwijs/store/definitions'
import { publishedClasses } from '@wegwijs/store/publication'
import type { Output } from './output.ts'
import { type Call, Ended } from './shell.ts'

export type ReadDefinition = {
  bundle: DefinitionBundle
  specifications: readonly CampaignSpecifications[]
  warnings: readonly Fault[]
}

/**
 * Reads the definition that a command needs. With faults it lists them as the answer and ends the
 * command: nothing has been changed.
 */
export async function readOrEnd(
  folder: string,
  output: Output,
  classes?: ReadonlyMap<string, string>,
): Promise<ReadDefinition> {
  const read = await loadDefinition(folder, classes ? { publishedClasses: classes } : {})
  if (read.bundle !== null) return { ...read, bundle: read.bundle }
  endWith(read, output)
}

/** The same for `validate`: what stands beside the definition is to be right, too. */
export async function validOrEnd(folder: string, output: Output): Promise<ReadDefinition> {
  const read = await loadDefinition(folder)
  const { bundle, mappingFaults } = read
  if (bundle !== null && mappingFaults.length === 0) return { ...read, bundle }
  endWith({ ...read, faults: inReadingOrder([...read.faults, ...mappingFaults]) }, output)
}

function endWith({ bundle, faults, warnings, unchecked }: LoadedDefinition, output: Output): never {
  output.data({ valid: false, faults, warnings, unchecked }, () => faultLines(faults, warnings))
  if (unchecked.length > 0) output.say(uncheckedLine(unchecked))
  if (bundle !== null) output.say('What logs are read by has faults; the rest can go live.')
  output.say(
    `${count(faults, 'fault')}; nothing has been changed. Correct the named lines and run it again.`,
  )
  throw new Ended(exitCodes.dataInvalid)
}

/** Which files hide what else may be wrong, so that nobody takes the list for all of it. */
function uncheckedLine(files: readonly string[]): string {
  const isOne = files.length === 1
  return `Not all that other files name of ${files.join(', ')} can be checked before ${isOne ? 'it is' : 'they are'} mended: more may follow.`
}

/** What is to be published: the files of a folder, or what was in force at an earlier revision. */
export type Wanted = { folder: string | undefined; revision: number | undefined }

/** @throws WEGWIJS_USAGE when neither or both are named; WEGWIJS_REVISION_UNKNOWN */
export async function readForPublishing(
  { output, surroundings }: Call,
  { folder, revision }: Wanted,
): Promise<{ bundle: DefinitionBundle; store: Store }> {
  if ((folder === undefined) === (revision === undefined)) {
    const both = folder === undefined ? 'neither was named' : 'both were named'
    throw fail('WEGWIJS_USAGE', {
      problem: `name a folder, or an earlier revision (--revision): ${both}`,
    })
  }
  if (folder === undefined) {
    const store = await surroundings.store()
    return { bundle: await bundleOfRevision(store.db, revision ?? 0), store }
  }
  const { bundle } = await readOrEnd(folder, output)
  const store = await surroundings.store()
  const classes = await publishedClasses(store.db)
  const isFixed = bundle.campaigns.some(({ id, class: now }) => (classes.get(id) ?? now) !== now)
  // Told with its line; publishing refuses it all the same.
  return isFixed ? { ...(await readOrEnd(folder, output, classes)), store } : { bundle, store }
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
  return countOf(list.length, noun)
}

export function countOf(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
