import type { Parts } from '../checks/parts.ts'
import type { OpenNames } from './open-names.ts'
import { heardOf } from './stand-ins.ts'

/** Nothing of the policies, unless only teams are not known. */
export function certainPolicies(loaded: Parts['policies'], open: OpenNames): Parts['policies'] {
  const paths = heardOf(loaded)
  if (paths.some(([key]) => key === 'teams')) open.kind('team')
  return paths.every(([key]) => key === 'teams') ? loaded : undefined
}
