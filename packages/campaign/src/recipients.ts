import { type AgeRule, ageAt, wordsByAge } from './addressees.ts'
import { recipientWords } from './definition/recipient-words.ts'
import type { RelationKind } from './definition/words.ts'
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

/** As what whoever gets a message may be told of the person; null: it is the person. Or why they may not (P3). */
export type ToldAs = { as: RelationKind | null } | { refusal: ReasonCode }

/**
 * The first of the ways in which its step would let them get it, whoever gets a message, as the record that they
 * are by now. Twin of packages/store/src/recipients.ts.
 */
export function toldAs(
  state: PersonState,
  { recipient, byAge }: Intent,
  receiverId: string,
  { ages = [], timeZone, otherOf, now }: Telling,
): ToldAs {
  const { person } = state
  const words = byAge
    ? wordsByAge(ages, ageAt(person, now, person.timeZone ?? timeZone))
    : recipientWords
  if (!recipient) return words.includes('person') ? { as: null } : { refusal: 'recipient_by_age' }
  const { ways = [recipient.kind], scope } = recipient
  const held = relatedPeople(state, otherOf ? { otherOf } : {}, now).filter(
    ({ kind, other }) => ways.includes(kind) && other.personId === receiverId,
  )
  if (held.length === 0) return { refusal: 'relation_ended' }
  const told = held.filter((relation) => relation.scope.includes(scope))
  if (told.length === 0) return { refusal: 'relation_scope_missing' }
  const first = told.find(({ kind }) => words.includes(kind))
  return first ? { as: first.kind } : { refusal: 'recipient_by_age' }
}

/** Why they may not be told; null when they may. */
export function refusalByRelation(...of: Parameters<typeof toldAs>): ReasonCode | null {
  const told = toldAs(...of)
  return 'refusal' in told ? told.refusal : null
}
