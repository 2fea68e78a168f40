import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import { mayPublish } from '@wegwijs/campaign/definition/touchpoints'
import { isOwn } from '@wegwijs/campaign/event-check'
import { isOwnType } from '@wegwijs/campaign/reserved-types'
import type { ApiKey } from '@wegwijs/store/api-keys'
import { checkTime, inboxRetentionDays } from '@wegwijs/wire/event-time'
import type { Decoded, Rejection, TouchpointEvent } from '@wegwijs/wire/touchpoint-event'

/** What an event is held against. */
export type Measure = {
  key: ApiKey
  definition: CompiledDefinition
  /** Business time. */
  now: string
}

/**
 * Whether an event is taken from this caller, and as what: its data in the normal form of its type.
 * Services/journey holds it against the same catalogue again; what can be told to the publisher
 * at once never becomes a dead letter.
 */
export function judge(decoded: Decoded, measure: Measure): Decoded {
  if (decoded.rejection) return decoded
  const { signature: _, ...event } = decoded.event
  const rejection = mayNotSpeak(event, measure.key)
  if (rejection) return { rejection }
  const found = measure.definition.checkEvent(event)
  if ('errorClass' in found) return { rejection: found }
  if (found.publisher.idSpace !== measure.key.idSpace) {
    return refuse('source_not_allowed', 'the source names people in another id space than the key')
  }
  const late = checkTime(event, measure.now, inboxRetentionDays)
  return late ? { rejection: late } : { event: { ...event, data: found.data } }
}

/**
 * True for a fault that a moment ago may have been none: another definition was applied, or a
 * rehearsal stepped on, and this process has not seen it yet.
 */
export function mayBeOurFault({ errorClass }: Rejection): boolean {
  return ['unknown_type', 'data_invalid', 'source_not_allowed', 'time_in_future'].includes(
    errorClass,
  )
}

function mayNotSpeak(event: TouchpointEvent, key: ApiKey): Rejection | null {
  if (isOwnType(event.type)) {
    return forbid('type_not_allowed', 'only Wegwijs itself publishes message.*', 'type')
  }
  if (isOwn(event.source) || !key.sources.includes(event.source)) {
    return forbid('source_not_allowed', 'the API key is not for this source', 'source')
  }
  if (!mayPublish(key.types, event.type)) {
    return forbid('type_not_allowed', 'the API key is not for this type', 'type')
  }
  return null
}

function forbid(errorClass: Rejection['errorClass'], reason: string, path: string): Rejection {
  return { errorClass, reason, path }
}

function refuse(errorClass: Rejection['errorClass'], reason: string): Decoded {
  return { rejection: forbid(errorClass, reason, 'source') }
}
