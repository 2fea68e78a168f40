import { readFile } from 'node:fs/promises'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { type Fault, faultAt, inReadingOrder, unknownName } from './fault.ts'
import { type LogMapping, logMappingSchema } from './log-mapping-schema.ts'
import { checkAgainst } from './schema-faults.ts'
import { parseYaml, type YamlSource } from './yaml-source.ts'

/**
 * Reads a mapping file. With `definition` its source, types and fields must be declared there.
 * `mapping` is null exactly if there are faults. Rejects only when the file cannot be read.
 */
export async function loadLogMapping(
  file: string,
  definition?: Pick<DefinitionBundle, 'touchpoints' | 'attributes'>,
): Promise<{ mapping: LogMapping | null; faults: Fault[] }> {
  const source = parseYaml(file, await readFile(file, 'utf8'))
  if (source.faults.length > 0) return { mapping: null, faults: source.faults }
  const { value, faults } = checkAgainst(logMappingSchema, source)
  if (!value) return { mapping: null, faults: inReadingOrder(faults) }
  const crossFaults = definition ? unknownNames(source, value, definition) : []
  return { mapping: crossFaults.length === 0 ? value : null, faults: inReadingOrder(crossFaults) }
}

function unknownNames(
  source: YamlSource,
  mapping: LogMapping,
  definition: Pick<DefinitionBundle, 'touchpoints' | 'attributes'>,
): Fault[] {
  const { publishers, touchpoints } = definition.touchpoints
  const known = new Map(touchpoints.map((touchpoint) => [touchpoint.type, touchpoint]))
  const faults: Fault[] = []
  const sources = publishers.map((publisher) => publisher.source)
  if (!sources.includes(mapping.source))
    faults.push(
      faultAt(
        source.file,
        source.positionOf(['source']),
        unknownName('publisher', mapping.source, sources),
      ),
    )
  for (const [name, activity] of Object.entries(mapping.activities)) {
    const touchpoint = known.get(activity.type)
    const path = ['activities', name]
    if (!touchpoint)
      faults.push(
        faultAt(
          source.file,
          source.positionOf([...path, 'type']),
          unknownName('touchpoint', activity.type, known.keys()),
        ),
      )
    else faults.push(...unknownKeys(source, [...path, 'data'], activity.data, touchpoint.data))
  }
  const { attributes = {}, invented = {} } = mapping.person ?? {}
  faults.push(
    ...unknownKeys(source, ['person', 'attributes'], attributes, definition.attributes.person),
    ...unknownKeys(source, ['person', 'invented'], invented, definition.attributes.person),
  )
  return faults
}

function unknownKeys(
  source: YamlSource,
  path: string[],
  found: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, unknown>>,
): Fault[] {
  return Object.keys(found)
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) =>
      faultAt(
        source.file,
        source.positionOfKey([...path, name]),
        unknownName('field', name, Object.keys(known)),
      ),
    )
}
