import { readFile } from 'node:fs/promises'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { checkMapping } from './checks/mappings.ts'
import { withoutStandIns } from './doubt/stand-ins.ts'
import { type Fault, inReadingOrder, toldFault } from './fault.ts'
import { type LogMapping, logMappingSchema } from './log-mapping-schema.ts'
import { mended, withoutTold } from './mended.ts'
import { checkAgainst } from './schema-faults.ts'
import { parseYaml } from './yaml-source.ts'

/**
 * Reads a mapping file, which its definition must have the source, the types and the fields of.
 * `mapping` is null exactly if there are faults. Rejects only when the file cannot be read.
 */
export async function loadLogMapping(
  file: string,
  { touchpoints, attributes }: Pick<DefinitionBundle, 'touchpoints' | 'attributes'>,
): Promise<{ mapping: LogMapping | null; faults: Fault[] }> {
  const source = parseYaml(file, await readFile(file, 'utf8'))
  if (source.faults.length > 0) return { mapping: null, faults: source.faults }
  const { value, faults } = checkAgainst(logMappingSchema, source)
  const read = value ? { value } : mended(logMappingSchema, source)
  const loaded = read && { source, ...read }
  const found = loaded ? checkMapping(loaded, { touchpoints, attributes }) : []
  const own = loaded ? withoutStandIns(found, loaded) : []
  const all = inReadingOrder([...faults, ...withoutTold(own, faults)]).map(toldFault)
  return { mapping: all.length === 0 ? (value ?? null) : null, faults: all }
}
