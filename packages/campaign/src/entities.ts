import { isTooEarly, takeBack, wasTakenBack } from './date-runs.ts'
import { awaitDatesOfEntity } from './dates.ts'
import type { DecideContext, Draft } from './draft.ts'
import { end, hasPending } from './enrolments.ts'
import { amend, retime } from './retiming.ts'
import { type Enrolment, type Entity, entityKey, type JourneyEvent } from './state.ts'
import { uniteEntities } from './united-entity.ts'

/**
 * What an event says of an entity, beside what is known: `newer` or nothing of an entity, the same
 * version (`known`), or an older one (`overtaken`).
 */
export type EntityNews = 'newer' | 'known' | 'overtaken'

/**
 * Applies what an event says of an entity (an appointment, a stay). A version above the known one takes
 * along every wait and message that hangs on the entity (P3). Of an older one only what no newer version
 * says is added, as it would be known if they had come in their order, and what hangs on that is timed
 * anew; an equal one changes nothing.
 */
export function applyEntity(draft: Draft, event: JourneyEvent, context: DecideContext): EntityNews {
  if (!event.entity) return 'newer'
  const touchpoint = context.definition.touchpoints.get(event.type)
  if (!touchpoint?.entity) return 'newer'
  const known = draft.entities.get(entityKey(event.entity))
  if (known?.version === event.entity.version) return 'known'
  const said: Entity = {
    ...event.entity,
    state: touchpoint.withdraws ? 'withdrawn' : 'active',
    data: event.data,
    changedAt: event.time,
    saidIn: { fields: {}, touchpoints: { [event.type]: event.entity.version } },
  }
  if (!known) {
    draft.entities.set(entityKey(said), said)
    awaitDatesOfEntity(draft, said, undefined, context)
    return 'newer'
  }
  const { entity, changed } = uniteEntities(said, known)
  draft.entities.set(entityKey(entity), entity)
  awaitDatesOfEntity(draft, entity, known, context)
  takeAlong(draft, entity, changed, context)
  return entity.version > known.version ? 'newer' : 'overtaken'
}

/**
 * Takes what hangs on older versions of the entity along to this one, and times anew what hangs on this
 * one and on a field that has `changed`.
 */
export function takeAlong(
  draft: Draft,
  entity: Entity,
  changed: ReadonlySet<string>,
  context: DecideContext,
): void {
  // Nobody is told anew of an appointment of somebody who has died (P3).
  if (draft.person.deceasedAt !== null) return
  for (const enrolment of [...draft.enrolments.values()]) {
    if (!enrolment.entity || entityKey(enrolment.entity) !== entityKey(entity)) continue
    const isOlder = enrolment.entity.version < entity.version
    if (entity.state === 'withdrawn') {
      if (isOlder) withdraw(draft, enrolment, context)
    } else if (isTooEarly(draft, enrolment, context)) takeBack(draft, enrolment, context)
    else if (isOlder || wasTakenBack(enrolment)) retime(draft, enrolment, entity, context)
    else if (changed.size > 0) amend(draft, enrolment, changed, context)
  }
}

/**
 * What has run through and told all it had to, or has it with a worker, has not ended for nothing: it
 * is told when the appointment takes place after all, at another moment. What ends is remembered where it
 * was, for the same reason. What the worker has is
 * refused by the last check when it comes back: it is of an older version.
 */
function withdraw(draft: Draft, enrolment: Enrolment, context: DecideContext): void {
  if (enrolment.state !== 'running' && !hasPending(draft, enrolment)) return
  end(draft, enrolment, 'exited', 'entity_withdrawn', context)
}
