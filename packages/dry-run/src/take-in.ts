import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import { isOwn } from '@wegwijs/campaign/event-check'
import { type Identity, type IncomingEvent, journeyEventOf } from '@wegwijs/campaign/journey-event'
import type { JourneyEvent } from '@wegwijs/campaign/state'
import { checkTime, inboxRetentionDays } from '@wegwijs/wire/event-time'
import type { Rejection, TouchpointEvent } from '@wegwijs/wire/touchpoint-event'

/** What a publisher says, and of what is stored when it came, where it says a later time itself. */
export type Arrived = TouchpointEvent & Pick<IncomingEvent, 'appendedAt'>

export type TakenIn = { event: JourneyEvent; identity: Identity }

/**
 * Holds an event against time and catalogue, in the order in which services/journey/src/intake.ts
 * does; what it would make a dead letter comes back as a rejection. What claims to be from Wegwijs
 * itself is refused: receipts come from the outcome model, and a file can be written by anybody.
 */
export function takeIn(
  event: Arrived,
  { definition, now }: { definition: CompiledDefinition; now: string },
): TakenIn | Rejection {
  const untimely = checkTime(event, now, inboxRetentionDays)
  if (untimely) return untimely
  if (isOwn(event.source)) {
    return { errorClass: 'signature_invalid', reason: 'not signed by Wegwijs' }
  }
  const checked = definition.checkEvent(event)
  if ('errorClass' in checked) return checked
  const { publisher, data } = checked
  return {
    identity: { idSpace: publisher.idSpace, externalId: event.subject },
    event: journeyEventOf(event, data, definition),
  }
}
