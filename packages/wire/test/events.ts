import fc from 'fast-check'
import { findJsonFault, type JsonObject } from '../src/json.ts'
import type { TouchpointEvent } from '../src/touchpoint-event.ts'

/** The event that tests change one thing of. */
export const booked: TouchpointEvent = {
  id: '7b0c9c1e-0001',
  source: 'urn:ehr:sint-jan',
  type: 'care.appointment.booked.v1',
  subject: 'PAT-0047',
  time: '2026-03-14T08:30:00.000Z',
  entity: 'appointment/A-1',
  version: 3,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  data: { startsAt: '2026-03-20T09:00:00+01:00', department: 'Orthopedie' },
}

/** The same as a CloudEvent in the JSON format, with what a test wants otherwise. */
export function structured(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    specversion: '1.0',
    id: booked.id,
    source: booked.source,
    type: booked.type,
    subject: booked.subject,
    time: booked.time,
    datacontenttype: 'application/json',
    data: booked.data,
    ...changes,
  }
}

const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u

const attribute = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 40 })
  .filter((text) => text.trim() !== '' && !FORBIDDEN.test(text))

const instant = fc
  .date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9998-12-31T00:00:00Z'),
    noInvalidDate: true,
  })
  .map((date) => date.toISOString())

const data = fc
  .dictionary(
    fc.string({ unit: 'grapheme' }),
    fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 4 }),
  )
  .map((value): JsonObject => JSON.parse(JSON.stringify(value)))
  .filter((value) => findJsonFault(value, 'data') === undefined)

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`))

/** Any event that may be on the wire. */
export const anyEvent: fc.Arbitrary<TouchpointEvent> = fc
  .record(
    {
      id: attribute,
      source: fc.webUrl({ withFragments: true, withQueryParameters: true }).filter(isPlainUri),
      type: fc.stringMatching(/^[a-z]+(\.[a-z]+){1,3}\.v\d$/),
      subject: attribute,
      time: instant,
      data,
      entity: fc
        .tuple(fc.stringMatching(/^[a-z][a-z0-9-]{0,9}$/), attribute)
        .map((parts) => parts.join('/')),
      version: fc.nat(2_147_483_647),
      traceparent: fc.tuple(hex(32), hex(16), hex(2)).map((parts) => ['00', ...parts].join('-')),
      signature: hex(64),
    },
    { requiredKeys: ['id', 'source', 'type', 'subject', 'time', 'data'] },
  )
  .map(({ version, ...event }) => ({
    ...event,
    // A version is of an entity.
    ...(version !== undefined && event.entity !== undefined ? { version } : {}),
  }))

function isPlainUri(uri: string): boolean {
  return uri.length <= 255 && !/[\s<>"\\^`{|}]/.test(uri)
}
