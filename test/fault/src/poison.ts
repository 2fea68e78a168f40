import { randomUUID } from 'node:crypto'
import { systemClock } from '@wegwijs/runtime/clock'
import { ask } from '@wegwijs/system-tests/events'
import { formatEvent, type RejectionClass } from '@wegwijs/wire/touchpoint-event'

/** A record that nobody can use, in the structured form of CloudEvents over Kafka. */
export type Poison = { errorClass: RejectionClass; key: string; value: Buffer }

export const structuredHeaders = { 'content-type': 'application/cloudevents+json' }

/** An event that would be taken, with something in it that must not be. */
type Spoil = (event: Record<string, unknown>) => Record<string, unknown> | string

const inMinutes = (minutes: number) =>
  new Date(systemClock.epochMs() + minutes * 60_000).toISOString()

/** One for every class that a record can be refused for by what is in it. */
const spoils: Readonly<Record<Exclude<RejectionClass, 'apply_failed'>, Spoil>> = {
  not_json: ({ id }) => `{"id": "${id}", `,
  not_a_cloudevent: ({ id }) => ({ hello: 'world', id }),
  too_large: (event) => ({ ...event, data: { reference: 'x'.repeat(300_000) } }),
  forbidden_key: (event) =>
    JSON.stringify(event).replace('"reference":', '"__proto__":{},"reference":'),
  forbidden_character: (event) => ({ ...event, data: { reference: 'a\0b' } }),
  no_subject: ({ subject: _, ...event }) => event,
  unknown_type: (event) => ({ ...event, type: 'care.unheard-of.v1' }),
  data_invalid: (event) => ({ ...event, data: { reference: 7 } }),
  time_in_future: (event) => ({ ...event, time: inMinutes(60) }),
  older_than_inbox: (event) => ({ ...event, time: inMinutes(-60 * 24 * 400) }),
  source_not_allowed: (event) => ({ ...event, source: 'urn:others' }),
  type_not_allowed: (event) => ({ ...event, type: 'message.delivered.v1' }),
  signature_invalid: (event) => ({
    ...event,
    type: 'message.delivered.v1',
    source: 'urn:wegwijs:delivery',
  }),
}

/** Of each class `times`, about these people, so that it lies in the partitions of their events. */
export function poisonFor(subjects: readonly string[], times: number): Poison[] {
  const all = Object.entries(spoils).flatMap((entry) => Array.from({ length: times }, () => entry))
  return all.map(([errorClass, spoil], index) => {
    const key = subjects[index % subjects.length] ?? 'nobody'
    const event = { ...formatEvent(ask('mail', key, `poison-${errorClass}`)), id: randomUUID() }
    const spoilt = spoil(event)
    const value = Buffer.from(typeof spoilt === 'string' ? spoilt : JSON.stringify(spoilt))
    return { errorClass: errorClass as RejectionClass, key, value }
  })
}
