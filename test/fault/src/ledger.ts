import { systemClock } from '@wegwijs/runtime/clock'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import type { MessageRecord } from './messages.ts'

/** How a publisher of the load speaks. */
export type PublishingRoad = 'http' | 'kafka'

/** A message that was asked for. */
export type Asked = {
  subject: string
  reference: string
  /** Instants of the test's own clock, ISO. */
  publishedAt: string
  acknowledgedAt: string | null
  /** Address number that had been told of the person before it. */
  addressNumber: number
}

/** A stop over HTTP: `answer` is null for as long as nobody has acknowledged it. */
export type Stop = {
  subject: string
  answer: {
    answeredAt: string
    /** What was recorded of the messages of the person, and when that had been read. */
    readAt: string
    messages: readonly MessageRecord[]
  } | null
}

/** What was said and what was acknowledged, kept outside of everything that a fault may kill. */
export type Ledger = {
  publishing(road: PublishingRoad, events: readonly TouchpointEvent[]): void
  acknowledged(events: readonly TouchpointEvent[]): void
  stopping(subject: string): void
  stopped(subject: string, answer: NonNullable<Stop['answer']>): void
  asked(): readonly Asked[]
  stops(): readonly Stop[]
  /** Events that were acknowledged. */
  events(): number
}

export function openLedger(): Ledger {
  const asked = new Map<string, Asked>()
  const stops = new Map<string, Stop>()
  const addressNumbers = new Map<string, number>()
  let events = 0
  return {
    publishing(_road, published) {
      const publishedAt = systemClock.instant()
      for (const { id, subject, data } of published) {
        addressNumbers.set(subject, numberIn(data) ?? addressNumbers.get(subject) ?? 0)
        if (typeof data.reference !== 'string') continue
        const addressNumber = addressNumbers.get(subject) ?? 0
        const { reference } = data
        asked.set(id, { subject, reference, publishedAt, acknowledgedAt: null, addressNumber })
      }
    },
    acknowledged(published) {
      events += published.length
      const acknowledgedAt = systemClock.instant()
      for (const { id } of published) {
        const known = asked.get(id)
        if (known) known.acknowledgedAt = acknowledgedAt
      }
    },
    stopping: (subject) => void stops.set(subject, { subject, answer: null }),
    stopped: (subject, answer) => void stops.set(subject, { subject, answer }),
    asked: () => [...asked.values()],
    stops: () => [...stops.values()],
    events: () => events,
  }
}

function numberIn(data: TouchpointEvent['data']): number | null {
  const { contacts } = data
  if (typeof contacts !== 'object' || contacts === null || !('email' in contacts)) return null
  return addressNumberIn(String(contacts.email))
}

/** The number of an address as the load gives them, `p1.at2@example.org`; null for any other. */
export function addressNumberIn(address: string): number | null {
  const number = /\.at(\d+)@/.exec(address)?.[1]
  return number === undefined ? null : Number(number)
}
