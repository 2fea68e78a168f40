import { fileURLToPath } from 'node:url'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { formatFault } from '@wegwijs/definition/fault'
import { loadDefinition } from '@wegwijs/definition/load-definition'

const folder = fileURLToPath(new URL('../../../examples/hospital', import.meta.url))

/** examples/hospital, as `wegwijs apply` would read it. */
export async function readExample(): Promise<DefinitionBundle> {
  const { bundle, faults } = await loadDefinition(folder)
  if (bundle === null) throw new Error(faults.map(formatFault).join('\n'))
  return bundle
}
