import type { OutgoingRecord } from '@wegwijs/kafka/port'
import { systemClock } from '@wegwijs/runtime/clock'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { source, touchpointsOf, touchpointType } from './hospital.ts'

export type EventsOptions = {
  topic: string
  count: number
  /** They are spread over the kinds of touchpoint of so many campaigns, and over so many people. */
  campaigns: number
  people: number
  /** One in so many asks for a message. */
  everyMatch?: number
  /** Number of the first person. */
  from?: number
  /** By which the message can be told; else a number. */
  reference?: string
}

/** Touchpoint events as any publisher would write them: CloudEvents in binary mode. */
export function makeEvents(options: EventsOptions): OutgoingRecord[] {
  const { topic, count, campaigns, people, everyMatch = 1, from = 0 } = options
  const time = systemClock.instant()
  const kinds = touchpointsOf(campaigns)
  return Array.from({ length: count }, (_, index) => {
    const person = (from + index) % people
    const record = encodeRecord({
      id: newUuid(),
      source,
      type: touchpointType(index % kinds),
      subject: `p${person}`,
      time,
      data: {
        reference: options.reference ?? `r${index}`,
        department: 'cardiology',
        firstVisit: index % everyMatch === 0,
      },
    })
    return { topic, ...record }
  })
}
