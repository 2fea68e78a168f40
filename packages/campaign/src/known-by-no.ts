import type { PersonState } from './state.ts'

/**
 * Whether nothing was told of somebody but what they do not want, or that they died. Stops overtake all else, so
 * what is said under a further id may be heard before the link to it, and makes a record of its own: that record is
 * the person's (P3).
 *
 * @param state with all that they ever entered, or whether they did must be asked besides
 */
export function isKnownByNoAlone(state: PersonState): boolean {
  const { person, consents, relations, ...others } = state
  const { profileAt, journeys, happened } = person
  const isBlank = profileAt === null && Object.keys(journeys).length === 0
  const hasOthers = Object.values(others).some(({ size }) => size > 0)
  const saysNo =
    [...consents.values()].every((consent) => consent.state === 'withdrawn') &&
    [...relations.values()].every((relation) => relation.state === 'ended')
  return isBlank && !hasOthers && saysNo && Object.keys(happened).length === 0
}
