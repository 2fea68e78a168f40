import type { CompiledDefinition } from './compile.ts'
import type { JsonObject } from './json.ts'
import type { EntityReference, JourneyEvent } from './state.ts'

/** A publisher's id of a person. */
export type Identity = { idSpace: string; externalId: string }

/** An event as it came, its time in the one spelling of an `Instant`. */
export type IncomingEvent = {
  id: string
  source: string
  type: string
  subject: string
  time: string
  entity?: string
  version?: number
  traceparent?: string
  /** As of a {@link JourneyEvent}. */
  appendedAt?: string
}

/** The event as the core sees it; `data` is what the catalogue's check has left of it. */
export function journeyEventOf(
  event: IncomingEvent,
  data: JsonObject,
  definition: Pick<CompiledDefinition, 'touchpoints'>,
): JourneyEvent {
  return {
    source: event.source,
    id: event.id,
    subject: event.subject,
    type: event.type,
    time: event.time,
    data,
    entity: entityOf(event, definition),
    traceparent: event.traceparent ?? null,
    ...(event.appendedAt !== undefined && { appendedAt: event.appendedAt }),
  }
}

/** The entity of a touchpoint that has one; what another type says in passing hangs on nothing. */
function entityOf(
  event: IncomingEvent,
  { touchpoints }: Pick<CompiledDefinition, 'touchpoints'>,
): EntityReference | null {
  const type = touchpoints.get(event.type)?.entity
  if (!type || event.entity === undefined || event.version === undefined) return null
  return { type, id: event.entity.slice(type.length + 1), version: event.version }
}

/** The types that name another person, or another id, beside their subject. */
const namingAnother: ReadonlySet<string> = new Set([
  'person.identified.v1',
  'person.merged.v1',
  'relation.ended.v1',
  'relation.granted.v1',
])

/** The identity that an event names beside its subject. */
export function otherIdentityOf(event: JourneyEvent): Identity | null {
  if (!namingAnother.has(event.type)) return null
  return { idSpace: String(event.data.idSpace), externalId: String(event.data.externalId) }
}
