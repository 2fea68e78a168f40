import { type AgeRule, ageAt, wordsByAge } from './addressees.ts'
import type { DecideContext } from './draft.ts'
import type { Instant } from './instant.ts'
import type { ReasonCode } from './reasons.ts'
import { relatedPeople } from './relations.ts'
import type { Intent, PersonState } from './state.ts'

/** What it hangs on who may be told of a person at a moment. */
export type Telling = {
  /** The rules of age; none when they are left out. */
  readonly ages?: readonly AgeRule[]
  /** The organisation's, for whose own is not known. */
  readonly timeZone: string
  readonly otherOf?: DecideContext['otherOf']
  readonly now: Instant
}

/**
 * Why whoever gets a message, as the record that they are by now, may not be told of the person any more (P3);
 * null when they may. Twin of packages/store/src/recipients.ts.
 */
export function refusalByRelation(
  state: PersonState,
  { recipient, byAge }: Intent,
  receiverId: string,
  { ages = [], timeZone, otherOf, now }: Telling,
): ReasonCode | null {
  const { person } = state
  if (recipient) {
    const relation = relatedPeople(state, otherOf ? { otherOf } : {}, now).find(
      ({ kind, other }) => kind === recipient.kind && other.personId === receiverId,
    )
    if (!relation) return 'relation_ended'
    if (!relation.scope.includes(recipient.scope)) return 'relation_scope_missing'
  }
  if (!byAge) return null
  const words = wordsByAge(ages, ageAt(person, now, person.timeZone ?? timeZone))
  return words.includes(recipient?.kind ?? 'person') ? null : 'recipient_by_age'
}
