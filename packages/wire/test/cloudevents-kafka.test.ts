import { CloudEvent, Kafka } from 'cloudevents'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeRecord, encodeRecord, type IncomingRecord } from '../src/cloudevents-kafka.ts'
import type { JsonObject } from '../src/json.ts'
import { formatEvent, maxEventBytes } from '../src/touchpoint-event.ts'
import { anyEvent, booked, structured } from './events.ts'

/** As a broker gives it back: every header is bytes. */
function delivered(record: {
  key?: unknown
  value: Buffer | string | null
  headers: Record<string, unknown>
}): IncomingRecord {
  const headers = Object.entries(record.headers).filter(([, value]) => value !== undefined)
  return {
    key: Buffer.from(String(record.key)),
    value: typeof record.value === 'string' ? Buffer.from(record.value) : record.value,
    headers: Object.fromEntries(headers.map(([name, value]) => [name, Buffer.from(String(value))])),
  }
}

const binary = (changes: Record<string, unknown> = {}, value: Buffer | string | null = '{}') => {
  const { headers } = encodeRecord(booked)
  return delivered({ value, headers: { ...headers, ...changes } })
}

const structuredRecord = (
  value: string | Buffer | null,
  contentType = 'application/cloudevents+json',
) => delivered({ value, headers: { 'content-type': contentType } })

describe('encodeRecord', () => {
  it('writes binary mode with the subject as the key', () => {
    expect(encodeRecord(booked)).toEqual({
      key: 'PAT-0047',
      value: Buffer.from('{"startsAt":"2026-03-20T09:00:00+01:00","department":"Orthopedie"}'),
      headers: {
        'content-type': 'application/json',
        ce_specversion: '1.0',
        ce_id: '7b0c9c1e-0001',
        ce_source: 'urn:ehr:sint-jan',
        ce_type: 'care.appointment.booked.v1',
        ce_subject: 'PAT-0047',
        ce_partitionkey: 'PAT-0047',
        ce_time: '2026-03-14T08:30:00.000Z',
        ce_entity: 'appointment/A-1',
        ce_version: '3',
        ce_traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
    })
  })

  it('is read back as it was, whatever the event', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(decodeRecord(delivered(encodeRecord(event)))).toEqual({ event })
      }),
    )
  })
})

describe('the cloudevents SDK as oracle', () => {
  it('reads what we write', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const { key, value, headers } = encodeRecord(event)
        const read = Kafka.toEvent({ key, value, headers, body: value } as never) as CloudEvent
        expect(read.validate()).toBe(true)
        expect(read).toMatchObject({
          id: event.id,
          source: event.source,
          type: event.type,
          subject: event.subject,
          time: event.time,
          datacontenttype: 'application/json',
          partitionkey: event.subject,
        })
        expect(read.data).toEqual(event.data)
        expect([read.entity, read.traceparent]).toEqual([event.entity, event.traceparent])
      }),
    )
  })

  const fromSdk = (event: CloudEvent<JsonObject>, mode: 'binary' | 'structured') => {
    const message = Kafka[mode](event as never)
    const value = mode === 'binary' ? JSON.stringify(message.value) : String(message.value)
    return delivered({
      key: message.key,
      value,
      headers: message.headers as Record<string, unknown>,
    })
  }

  it.each(['binary', 'structured'] as const)('writes what we read, in %s mode', (mode) => {
    fc.assert(
      fc.property(anyEvent, ({ signature, ...event }) => {
        const written = new CloudEvent({
          ...event,
          datacontenttype: 'application/json',
          partitionkey: event.subject,
          ...(signature === undefined ? {} : { wegwijssignature: signature }),
        })
        const expected = signature === undefined ? event : { ...event, signature }
        expect(decodeRecord(fromSdk(written, mode))).toEqual({ event: expected })
      }),
    )
  })
})

describe('decodeRecord', () => {
  it('reads structured mode', () => {
    const value = JSON.stringify(formatEvent(booked))
    expect(decodeRecord(structuredRecord(value))).toEqual({ event: booked })
    expect(
      decodeRecord(structuredRecord(value, 'Application/CloudEvents+JSON; charset=UTF-8')),
    ).toEqual({ event: booked })
  })

  it('reads header names in any case, text as well as bytes, and a record without a key', () => {
    const { value, headers } = encodeRecord(booked)
    const shouting = Object.entries(headers).map(([name, text]) => [name.toUpperCase(), text])
    expect(decodeRecord({ value, headers: Object.fromEntries(shouting) })).toEqual({
      event: booked,
    })
  })

  it.each([[null], ['']])('takes the value %j for data with nothing in it', (value) => {
    expect(decodeRecord(binary({}, value)).event?.data).toEqual({})
  })

  it('has no use for a content-type that is missing, but for one that is not JSON', () => {
    expect(decodeRecord(binary({ 'content-type': undefined })).event).toBeDefined()
    expect(decodeRecord(binary({ 'content-type': 'application/fhir+json' })).event).toBeDefined()
    expect(decodeRecord(binary({ 'content-type': 'application/avro' })).rejection).toMatchObject({
      errorClass: 'not_a_cloudevent',
      path: 'datacontenttype',
    })
  })

  it('does not care about headers of others', () => {
    const headers = { ce_vendor: 'x', ce___proto__: 'x', __proto__: 'y', trace: 'z', ce_: '' }
    expect(decodeRecord(binary(headers)).event).toMatchObject({ id: booked.id })
  })

  const twice = (name: string): IncomingRecord => {
    const record = binary()
    return {
      ...record,
      headers: { ...record.headers, [name]: [Buffer.from('a'), Buffer.from('b')] },
    }
  }
  const oversized = Buffer.alloc(maxEventBytes + 1, 0x20)

  it.each([
    ['a value that is not JSON', binary({}, '{"a":'), 'not_json', 'data'],
    ['a value in Latin-1', binary({}, Buffer.from('{"a":"é"}', 'latin1')), 'not_json', 'data'],
    ['structured mode without a value', structuredRecord(null), 'not_json', undefined],
    ['structured mode that is not JSON', structuredRecord('<event/>'), 'not_json', undefined],
    [
      'structured mode in another format',
      structuredRecord('{}', 'application/cloudevents+avro'),
      'not_a_cloudevent',
      'content-type',
    ],
    [
      'a batch',
      structuredRecord('[]', 'application/cloudevents-batch+json'),
      'not_a_cloudevent',
      'content-type',
    ],
    [
      'structured mode without an envelope',
      structuredRecord('{"a":1}'),
      'not_a_cloudevent',
      'specversion',
    ],
    [
      'a record that is no CloudEvent',
      delivered({ value: '{}', headers: {} }),
      'not_a_cloudevent',
      'specversion',
    ],
    ['a value that is too large', binary({}, oversized), 'too_large', undefined],
    ['a structured value that is too large', structuredRecord(oversized), 'too_large', undefined],
    ['no subject', binary({ ce_subject: undefined }), 'no_subject', 'subject'],
    ['an empty subject', binary({ ce_subject: '' }), 'no_subject', 'subject'],
    ['a time that is no RFC 3339', binary({ ce_time: '14/03/2026' }), 'not_a_cloudevent', 'time'],
    ['a version that is no number', binary({ ce_version: '1.0' }), 'not_a_cloudevent', 'version'],
    ['ce_id twice', twice('ce_id'), 'not_a_cloudevent', 'id'],
    ['ce_id and CE_ID', binary({ CE_ID: 'other' }), 'not_a_cloudevent', 'id'],
    ['content-type twice', twice('content-type'), 'not_a_cloudevent', 'datacontenttype'],
    ['a line break in a header', binary({ ce_subject: 'a\nb' }), 'forbidden_character', 'subject'],
    [
      '__proto__ in data',
      binary({}, '{"a":{"__proto__":{}}}'),
      'forbidden_key',
      'data.a.__proto__',
    ],
    [
      '__proto__ in a structured event',
      structuredRecord(`{"__proto__":1,${JSON.stringify(structured()).slice(1)}`),
      'forbidden_key',
      '__proto__',
    ],
    ['U+0000 in data', binary({}, '{"a":"\\u0000"}'), 'forbidden_character', 'data.a'],
    [
      'half a surrogate pair in data',
      binary({}, '{"a":"\\ud800"}'),
      'forbidden_character',
      'data.a',
    ],
    ['data that is a list', binary({}, '[1]'), 'data_invalid', 'data'],
    [
      'data that is too deep',
      binary({}, `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`),
      'data_invalid',
      undefined,
    ],
  ])('refuses %s', (_, record, errorClass, path) => {
    expect(decodeRecord(record).rejection).toMatchObject({
      errorClass,
      ...(path === undefined ? {} : { path }),
    })
  })

  it('refuses a subject that is not UTF-8, for two subjects would become one', () => {
    const record = binary()
    const subject = Buffer.from([0x4a, 0xff])
    const headers = { ...record.headers, ce_subject: subject }
    expect(decodeRecord({ ...record, headers }).rejection).toMatchObject({ path: 'subject' })
    const replacement = { ...record.headers, ce_subject: Buffer.from('J\ufffd') }
    expect(decodeRecord({ ...record, headers: replacement }).event?.subject).toBe('J\ufffd')
  })

  it('never throws, whatever bytes it gets', () => {
    const bytes = fc.uint8Array().map((array) => Buffer.from(array))
    const names = fc.constantFrom('content-type', ...Object.keys(encodeRecord(booked).headers), 'x')
    const text = fc.constantFrom('application/cloudevents+json', '1.0', booked.time, '{}')
    const header = fc.oneof(
      bytes,
      text.map((value) => Buffer.from(value)),
      fc.array(bytes),
    )
    fc.assert(
      fc.property(
        fc.option(
          fc.oneof(
            bytes,
            fc.json().map((json) => Buffer.from(json)),
          ),
        ),
        fc.dictionary(names, header),
        (value, headers) => {
          const decoded = decodeRecord({ value, headers })
          expect(Boolean(decoded.event)).toBe(!decoded.rejection)
        },
      ),
      { numRuns: 500 },
    )
  })
})
