import type { RelationKind, RelationScope } from './definition/words.ts'
import { type DecideContext, type Decision, draftOf, stateOf } from './draft.ts'
import type { DraftMap } from './draft-map.ts'
import type { Instant } from './instant.ts'
import type { ReasonCode } from './reasons.ts'
import type { RelationGranted } from './reserved-types.ts'
import { givenAt, saidAt } from './said-at.ts'
import {
  type JourneyEvent,
  type OtherPerson,
  type PersonState,
  type Relation,
  relationKey,
} from './state.ts'

export function isRelationEvent({ type }: Pick<JourneyEvent, 'type'>): boolean {
  return type === 'relation.granted.v1' || type === 'relation.ended.v1'
}

/**
 * Decides what `relation.granted` or `relation.ended` means: what is known of how somebody else stands to
 * the person. `otherId` is who the event names, whose row is locked with the person's own, so that neither
 * becomes another record meanwhile. The other person's own state is not touched.
 */
export function decideRelation(
  state: PersonState,
  event: JourneyEvent,
  { otherId, now }: { otherId: string; now: Instant },
): { state: PersonState; outcome: ReasonCode; decisions: Decision[] } {
  const draft = draftOf(state)
  const relation = relationIn(event, { otherId, now })
  const known = draft.relations.get(relationKey(relation))
  // Which of the two came last nobody can tell: they are as of the same moment.
  const mayBeNewer = known && relation.at < known.at && known.at <= saidAt(event, now)
  const outcome = keepRelation(
    draft.relations,
    mayBeNewer ? { ...relation, at: known.at } : relation,
  )
  return { state: stateOf(draft), outcome, decisions: [] }
}

function relationIn(
  event: JourneyEvent,
  { otherId, now }: { otherId: string; now: Instant },
): Relation {
  const { type, data } = event
  const { kind, scope = [], expires } = data as Partial<RelationGranted> & { kind: RelationKind }
  const isGranted = type === 'relation.granted.v1'
  return {
    otherId,
    kind,
    state: isGranted ? 'granted' : 'ended',
    scope: isGranted ? scope : [],
    expiresAt: (isGranted && expires) || null,
    at: isGranted ? givenAt(event, now) : saidAt(event, now),
  }
}

/** Puts what was said into the map if it holds against what is there; says why not otherwise. */
export function keepRelation(
  relations: Pick<DraftMap<Relation>, 'get' | 'set'>,
  relation: Relation,
): ReasonCode {
  const key = relationKey(relation)
  const known = relations.get(key)
  const kept = known ? newerRelation(known, relation) : relation
  if (kept === known) return 'relation_not_newer'
  relations.set(key, kept)
  return 'applied'
}

/**
 * What holds of two things said of the same relation: what was said last. Of the same moment it is that it
 * ended; and of two grants no more than both give, so that the order in which they come decides nothing (P3).
 */
export function newerRelation(known: Relation, other: Relation): Relation {
  if (known.at !== other.at) return known.at > other.at ? known : other
  if (known.state !== other.state) return known.state === 'ended' ? known : other
  const scope = known.scope.filter((each) => other.scope.includes(each))
  const expiresAt = earlier(known.expiresAt, other.expiresAt)
  const isSame = scope.length === known.scope.length && expiresAt === known.expiresAt
  return isSame ? known : { ...known, scope, expiresAt }
}

function earlier(one: Instant | null, other: Instant | null): Instant | null {
  if (one === null || other === null) return one ?? other
  return one < other ? one : other
}

/** Somebody who stands to the person as `kind`, at a moment. */
export type RelatedPerson = {
  readonly other: OtherPerson
  readonly kind: RelationKind
  readonly scope: readonly RelationScope[]
}

/**
 * Who stands to the person how at this moment, in the order of kinds and ids. Two records that have become
 * one count as one: what was said of either last holds. Nobody stands so to themselves, nor does anybody
 * who died, or of whom nothing is known (P3: no answer is a no).
 */
export function relatedPeople(
  { relations, person }: Pick<PersonState, 'relations' | 'person'>,
  { otherOf }: Pick<DecideContext, 'otherOf'>,
  at: Instant,
): RelatedPerson[] {
  if (relations.size === 0 || !otherOf) return []
  const others = new Map<string, OtherPerson>()
  const united = new Map<string, Relation>()
  for (const relation of relations.values()) {
    const other = otherOf(relation.otherId)
    if (!other || other.personId === person.personId || other.deceasedAt !== null) continue
    others.set(other.personId, other)
    keepRelation(united, { ...relation, otherId: other.personId })
  }
  return [...united]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([, { otherId, kind, state, scope, expiresAt }]) => {
      const other = others.get(otherId)
      const holds = state === 'granted' && (expiresAt === null || expiresAt > at)
      return other && holds ? [{ other, kind, scope }] : []
    })
}
