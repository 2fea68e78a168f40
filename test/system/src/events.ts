import { systemClock } from '@wegwijs/runtime/clock'
import { newUuid } from '@wegwijs/runtime/derived-id'
import type { JsonObject } from '@wegwijs/wire/json'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { askFor, type Road, source } from './clinic.ts'

/** An event of the clinic that happens now. */
export function event(
  subject: string,
  type: string,
  data: JsonObject = {},
  over: Partial<TouchpointEvent> = {},
): TouchpointEvent {
  return { id: newUuid(), source, type, subject, time: systemClock.instant(), data, ...over }
}

/** Tells of a person who can be reached by every road and whom nothing reaches: see invented-person.ts. */
export function arrival(subject: string, data: JsonObject = {}): TouchpointEvent {
  const contacts = { email: `${subject}@example.org`, phone: '+447700900123', app: subject }
  return event(subject, 'person.upserted.v1', { contacts, test: true, ...data })
}

/** Asks for one message, which will carry this reference. */
export function ask(road: Road, subject: string, reference = `${subject}-${road}`) {
  return event(subject, askFor(road), { reference })
}

export function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)
}

/** The arrival of each of these people and then one message to each by each of these roads. */
export function askAll(subjects: readonly string[], roads: readonly Road[]): TouchpointEvent[] {
  return [
    ...subjects.map((subject) => arrival(subject)),
    ...subjects.flatMap((subject) => roads.map((road) => ask(road, subject))),
  ]
}
