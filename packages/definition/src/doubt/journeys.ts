import type { Parts } from '../checks/parts.ts'
import type { OpenNames } from './open-names.ts'
import { heardOf } from './stand-ins.ts'

/** Without the journeys of which something is not known. */
export function certainJourneys(loaded: Parts['journeys'], open: OpenNames): Parts['journeys'] {
  const paths = heardOf(loaded)
  if (!loaded || paths.length === 0) return loaded
  if (paths.some(([list, item]) => list !== 'journeys' || item === undefined)) return undefined
  if (paths.some(([, , key]) => key === undefined || key === 'id')) {
    open.kind('journey')
    open.root('journey')
  }
  const gone = new Set(paths.map(([, item]) => item))
  const journeys = loaded.value.journeys.filter((_, index) => !gone.has(index))
  return { ...loaded, value: { journeys } }
}
