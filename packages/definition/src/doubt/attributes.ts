import type { Parts } from '../checks/parts.ts'
import { heardOf } from './stand-ins.ts'

/** Without the attributes of which something is not known. */
export function certainAttributes(loaded: Parts['attributes']): Parts['attributes'] {
  const paths = heardOf(loaded)
  if (!loaded || paths.length === 0) return loaded
  const value = structuredClone(loaded.value)
  for (const [list, name] of paths) {
    const fields = list === 'person' || list === 'campaigns' ? loaded.value[list] : {}
    if (typeof name !== 'string' || !Object.hasOwn(fields, name)) return undefined
    delete value[list as 'person' | 'campaigns'][name]
  }
  return { ...loaded, value }
}
