import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import { isOwn } from '@wegwijs/campaign/event-check'
import { type Identity, journeyEventOf } from '@wegwijs/campaign/journey-event'
import type { JourneyEvent } from '@wegwijs/campaign/state'
import type { BrokerRecord } from '@wegwijs/kafka/port'
import { appendTimeOf } from '@wegwijs/wire/append-time'
import { decodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { checkTime, inboxRetentionDays } from '@wegwijs/wire/event-time'
import { verifyEvent } from '@wegwijs/wire/signature'
import type { Rejection } from '@wegwijs/wire/touchpoint-event'

/** A record that can be decided: its event, and whose it is in the publisher's words. */
export type Accepted = { record: BrokerRecord; event: JourneyEvent; identity: Identity }
export type Rejected = { record: BrokerRecord; rejection: Rejection }

/** `stands`: business time does, until a conductor steps it. */
export type IntakeContext = {
  definition: CompiledDefinition
  now: string
  stands: boolean
  secret: string
}

/**
 * Reads one record: CloudEvent, time, signature, catalogue. Pure; what cannot be used comes back
 * with its reason and becomes a dead letter.
 */
export function takeIn(record: BrokerRecord, context: IntakeContext): Accepted | Rejected {
  const decoded = decodeRecord(record)
  if (decoded.rejection) return { record, rejection: decoded.rejection }
  const { event } = decoded
  const untimely = checkTime(event, context.now, inboxRetentionDays)
  if (untimely) return { record, rejection: untimely }
  // Only we speak of messages, and on the topic anybody could claim to be us (DESIGN: reserved types).
  if (isOwn(event.source) && !verifyEvent(event, context.secret)) {
    return {
      record,
      rejection: { errorClass: 'signature_invalid', reason: 'not signed by Wegwijs' },
    }
  }
  const checked = context.definition.checkEvent(event)
  if ('errorClass' in checked) return { record, rejection: checked }
  const { publisher, data } = checked
  return {
    record,
    identity: { idSpace: publisher.idSpace, externalId: event.subject },
    event: journeyEventOf(
      { ...event, ...appendedBefore(event, record, context) },
      data,
      context.definition,
    ),
  }
}

/** When Kafka had it, if its own time is later. In a rehearsal the clocks of brokers say nothing of business time. */
function appendedBefore(
  { time }: { time: string },
  record: BrokerRecord,
  { stands }: IntakeContext,
): { appendedAt?: string } {
  const appendedAt = stands ? null : appendTimeOf(record)
  return appendedAt !== null && appendedAt < time ? { appendedAt } : {}
}
