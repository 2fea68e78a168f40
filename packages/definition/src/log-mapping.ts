import { readFile } from 'node:fs/promises'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { checkMapping, type MappingSources } from './checks/mappings.ts'
import { type Fault, inReadingOrder } from './fault.ts'
import { type LogMapping, logMappingSchema } from './log-mapping-schema.ts'
import { mended, withoutTold } from './mended.ts'
import { checkAgainst } from './schema-faults.ts'
import { parseYaml, type YamlSource } from './yaml-source.ts'

/**
 * Reads a mapping file, which its definition must have the source, the types and the fields of.
 * `mapping` is null exactly if there are faults. Rejects only when the file cannot be read.
 */
export async function loadLogMapping(
  file: string,
  { touchpoints, attributes }: Pick<DefinitionBundle, 'touchpoints' | 'attributes'>,
): Promise<{ mapping: LogMapping | null; faults: Fault[] }> {
  const source = parseYaml(file, await readFile(file, 'utf8'))
  return checkLogMapping(source, { touchpoints, attributes })
}

/** The same of a text that was read; all its faults at once, in reading order. */
export function checkLogMapping(
  source: YamlSource,
  sources: MappingSources,
): { mapping: LogMapping | null; faults: Fault[] } {
  if (source.faults.length > 0) return { mapping: null, faults: source.faults }
  const { value, faults } = checkAgainst(logMappingSchema, source)
  const read = value ?? mended(logMappingSchema, source)?.value
  const found = read ? checkMapping({ source, value: read }, sources) : []
  const all = [...faults, ...withoutTold(found, faults)]
  return { mapping: all.length === 0 ? (value ?? null) : null, faults: inReadingOrder(all) }
}
