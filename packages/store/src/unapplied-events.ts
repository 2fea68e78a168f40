import type { RelationKind, RelationScope } from '@wegwijs/campaign/definition/words'
import { type Identity, otherIdentityOf } from '@wegwijs/campaign/journey-event'
import { isRelationEvent } from '@wegwijs/campaign/relations'
import type { EntityReference, JourneyEvent } from '@wegwijs/campaign/state'
import { sql } from 'kysely'
import type { DatabaseTransaction } from './database.ts'
import { findSurvivors, notAhead, stopOf } from './stops.ts'

/** By type, the entity that a touchpoint tells of, as the definition in force has them. */
type Touchpoints = ReadonlyMap<string, { readonly entity?: unknown }>

/** An event that cannot be applied to the person whom it is about, and whose it is in its publisher's words. */
export type UnappliedEvent = { readonly event: JourneyEvent; readonly identity: Identity }

/**
 * Keeps what such an event forbids, where the last check finds it: nothing is decided by a row that cannot be
 * read, but a no, a death, the end of a relation, or a newer version of an appointment or stay holds against what was
 * planned before (P3). It is kept beside the dead letter, and applied with everything else when that is replayed.
 */
export async function keepWhatForbids(
  tx: DatabaseTransaction,
  unapplied: readonly UnappliedEvent[],
  touchpoints: Touchpoints,
): Promise<void> {
  for (const { event, identity } of unapplied) {
    if (event.entity && touchpoints.get(event.type)?.entity)
      await holdEntity(tx, event.entity, identity)
    if (isRelationEvent(event)) await narrowRelation(tx, event, identity)
    else await keepStop(tx, event, identity)
  }
}

/**
 * What hangs on the version that is known waits, until this one or a higher one is applied: it may have moved, or been
 * cancelled. Where nothing is known of it, nothing hangs on it.
 */
async function holdEntity(
  tx: DatabaseTransaction,
  { type, id, version }: EntityReference,
  identity: Identity,
): Promise<void> {
  const [personId] = await findSurvivors(tx, [identity])
  if (!personId) return
  await sql`
    update entity set unapplied_version = greatest(unapplied_version, ${version}::integer)
    where person_id = ${personId} and entity_type = ${type} and entity_id = ${id}
      and version < ${version}::integer`.execute(tx)
}

async function keepStop(
  tx: DatabaseTransaction,
  event: JourneyEvent,
  identity: Identity,
): Promise<void> {
  const stop = stopOf(event)
  if (!stop) return
  const [personId] = await findSurvivors(tx, [identity])
  if (!personId) return
  const { stopId, ...row } = stop
  await tx
    .insertInto('person_stop')
    .values({ person_id: personId, stop_id: stopId, ...row, at: notAhead(row.at) })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** An end ends it; a grant leaves no more than both give, for it may have been meant to take something back. */
async function narrowRelation(
  tx: DatabaseTransaction,
  event: JourneyEvent,
  identity: Identity,
): Promise<void> {
  const other = otherIdentityOf(event)
  const [personId, otherId] = await findSurvivors(tx, other ? [identity, other] : [identity])
  if (!personId || !otherId) return
  const { kind, scope = [] } = event.data as { kind: RelationKind; scope?: RelationScope[] }
  const kept = event.type === 'relation.granted.v1' ? scope : []
  await sql`
    update relation r set scope = array(select may from unnest(r.scope) as may where may = any(${kept}::text[]))
    where r.person_id = ${personId} and r.kind = ${kind} and survivor_of(r.other_id) = ${otherId}
      and r.at <= ${event.time}`.execute(tx)
}
