import type { Parts } from '../checks/parts.ts'
import type { Path } from '../yaml-source.ts'
import type { OpenNames } from './open-names.ts'
import { heardOf } from './stand-ins.ts'

/** Without the personas whose name is not known; of others, it is not known what they hear of us over. */
export function certainPersonas(loaded: Parts['personas'], open: OpenNames): Parts['personas'] {
  const paths = heardOf(loaded)
  if (!loaded || paths.length === 0) return loaded
  if (paths.some(([list, item]) => list !== 'personas' || item === undefined)) return undefined
  const isNameless = ([, , key]: Path) => key === undefined || key === 'id'
  if (paths.some(isNameless)) open.kind('persona')
  const { personas } = loaded.value
  return {
    ...loaded,
    value: {
      personas: personas.flatMap((persona, index) => {
        const own = paths.filter(([, item]) => item === index)
        if (own.length === 0) return [persona]
        // It is there, and nobody knows over which channels it hears of us.
        return own.some(isNameless) ? [] : [{ ...persona, channels: [] }]
      }),
    },
  }
}
