import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatEvent,
  maxEventBytes,
  parseEvent,
  rejectionClasses,
} from '../src/touchpoint-event.ts'
import { anyEvent, booked, structured } from './events.ts'

describe('parseEvent', () => {
  it('reads a CloudEvent in the JSON format', () => {
    expect(parseEvent(formatEvent(booked))).toEqual({ event: booked })
  })

  it('reads back every event as it was written', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const text = JSON.stringify(formatEvent(event))
        expect(parseEvent(JSON.parse(text))).toEqual({ event })
      }),
    )
  })

  it('puts the time into UTC with milliseconds', () => {
    const { event } = parseEvent(structured({ time: '2026-03-14T09:30:00+01:00' }))
    expect(event?.time).toBe('2026-03-14T08:30:00.000Z')
  })

  it.each([[undefined], [null]])('takes data that is %s for data with nothing in it', (data) => {
    expect(parseEvent(structured({ data })).event?.data).toEqual({})
  })

  it('takes an attribute that is null for one that is not there, as the JSON format demands', () => {
    const unset = structured({
      entity: null,
      version: null,
      traceparent: null,
      wegwijssignature: null,
      datacontenttype: null,
      data_base64: null,
    })
    expect(Object.keys(parseEvent(unset).event ?? {})).toEqual([
      'id',
      'source',
      'type',
      'subject',
      'time',
      'data',
    ])
    expect(parseEvent(structured({ subject: null })).rejection?.errorClass).toBe('no_subject')
  })

  it('reads a version from a number and from digits', () => {
    const entity = 'appointment/A-1'
    expect(parseEvent(structured({ entity, version: 7 })).event?.version).toBe(7)
    expect(parseEvent(structured({ entity, version: '7' })).event?.version).toBe(7)
    expect(parseEvent(structured({ entity })).event).not.toHaveProperty('version')
  })

  it('goes on without a traceparent that is not valid, as Trace Context asks', () => {
    for (const traceparent of ['', 'x', '00-xyz-1-01', 7, {}]) {
      expect(parseEvent(structured({ traceparent })).event).not.toHaveProperty('traceparent')
    }
  })

  it('does not carry on what it does not know', () => {
    const { event } = parseEvent(structured({ dataschema: 'https://x', vendorext: 'y', __x: 1 }))
    expect(JSON.stringify(event)).not.toMatch(/vendorext|dataschema|__x/)
  })

  it.each([
    ['nothing', undefined, 'not_a_cloudevent', undefined],
    ['null', null, 'not_a_cloudevent', undefined],
    ['a list', [structured()], 'not_a_cloudevent', undefined],
    ['text', 'event', 'not_a_cloudevent', undefined],
    ['an empty object', {}, 'not_a_cloudevent', 'specversion'],
    ['another specversion', structured({ specversion: '0.3' }), 'not_a_cloudevent', 'specversion'],
    [
      'a specversion that is a number',
      structured({ specversion: 1 }),
      'not_a_cloudevent',
      'specversion',
    ],
    ['no id', structured({ id: undefined }), 'not_a_cloudevent', 'id'],
    ['an empty id', structured({ id: '' }), 'not_a_cloudevent', 'id'],
    ['an id that is a number', structured({ id: 7 }), 'not_a_cloudevent', 'id'],
    ['an id that is an object', structured({ id: { a: 1 } }), 'not_a_cloudevent', 'id'],
    ['an id that is too long', structured({ id: 'x'.repeat(256) }), 'not_a_cloudevent', 'id'],
    ['no source', structured({ source: undefined }), 'not_a_cloudevent', 'source'],
    ['a source with a space', structured({ source: 'my ehr' }), 'not_a_cloudevent', 'source'],
    ['no type', structured({ type: undefined }), 'not_a_cloudevent', 'type'],
    ['no subject', structured({ subject: undefined }), 'no_subject', 'subject'],
    ['an empty subject', structured({ subject: '' }), 'no_subject', 'subject'],
    ['a blank subject', structured({ subject: ' \u00a0' }), 'no_subject', 'subject'],
    ['a subject that is a number', structured({ subject: 47 }), 'not_a_cloudevent', 'subject'],
    ['no time', structured({ time: undefined }), 'not_a_cloudevent', 'time'],
    ['a time that is no RFC 3339', structured({ time: '14-03-2026' }), 'not_a_cloudevent', 'time'],
    [
      'a day that does not exist',
      structured({ time: '2026-02-30T10:00:00Z' }),
      'not_a_cloudevent',
      'time',
    ],
    ['a time that is a number', structured({ time: 1773477000000 }), 'not_a_cloudevent', 'time'],
    ['an entity without a kind', structured({ entity: 'A-1' }), 'not_a_cloudevent', 'entity'],
    [
      'an entity without an id',
      structured({ entity: 'appointment/' }),
      'not_a_cloudevent',
      'entity',
    ],
    ['an entity that is no text', structured({ entity: ['a/b'] }), 'not_a_cloudevent', 'entity'],
    ['a version of nothing', structured({ version: 1 }), 'not_a_cloudevent', 'entity'],
    [
      'a negative version',
      structured({ entity: 'a/b', version: -1 }),
      'not_a_cloudevent',
      'version',
    ],
    [
      'a broken version',
      structured({ entity: 'a/b', version: 1.5 }),
      'not_a_cloudevent',
      'version',
    ],
    [
      'a version that is too high',
      structured({ entity: 'a/b', version: 2 ** 31 }),
      'not_a_cloudevent',
      'version',
    ],
    [
      'a version that is no number',
      structured({ entity: 'a/b', version: 'v2' }),
      'not_a_cloudevent',
      'version',
    ],
    [
      'a signature that is no text',
      structured({ wegwijssignature: {} }),
      'not_a_cloudevent',
      'wegwijssignature',
    ],
    [
      'data of another kind',
      structured({ datacontenttype: 'text/xml' }),
      'not_a_cloudevent',
      'datacontenttype',
    ],
    ['a NUL in the id', structured({ id: 'a\u0000b' }), 'forbidden_character', 'id'],
    [
      'a line break in the subject',
      structured({ subject: 'a\r\nb' }),
      'forbidden_character',
      'subject',
    ],
    [
      'half a surrogate pair in the type',
      structured({ type: 'a\ud800' }),
      'forbidden_character',
      'type',
    ],
    ['a list as data', structured({ data: [] }), 'data_invalid', 'data'],
    ['text as data', structured({ data: '{"a":1}' }), 'data_invalid', 'data'],
    ['a number as data', structured({ data: 0 }), 'data_invalid', 'data'],
    ['binary data', structured({ data_base64: 'e30=' }), 'data_invalid', 'data_base64'],
    [
      '__proto__ in data',
      structured({ data: JSON.parse('{"a":[{"__proto__":1}]}') }),
      'forbidden_key',
      'data.a[0].__proto__',
    ],
    [
      'constructor in data',
      structured({ data: { constructor: 1 } }),
      'forbidden_key',
      'data.constructor',
    ],
    [
      '__proto__ in the envelope',
      JSON.parse('{"__proto__":{},"specversion":"1.0"}'),
      'forbidden_key',
      '__proto__',
    ],
    [
      'a NUL in data',
      structured({ data: { note: 'a\u0000' } }),
      'forbidden_character',
      'data.note',
    ],
    [
      'half a surrogate pair in data',
      structured({ data: { note: '\udc00' } }),
      'forbidden_character',
      'data.note',
    ],
    ['Infinity in data', structured({ data: JSON.parse('{"n":1e999}') }), 'data_invalid', 'data.n'],
  ])('refuses %s', (_, value, errorClass, path) => {
    const { rejection } = parseEvent(value)
    expect(rejection).toMatchObject({ errorClass, ...(path === undefined ? {} : { path }) })
    expect(rejectionClasses).toContain(rejection?.errorClass)
    expect(rejection?.reason).toMatch(/^[a-z]/)
  })

  it('refuses more than 32 levels of data', () => {
    const nest = (levels: number): object => (levels === 1 ? {} : { a: nest(levels - 1) })
    expect(parseEvent(structured({ data: nest(32) })).event).toBeDefined()
    expect(parseEvent(structured({ data: nest(33) })).rejection).toMatchObject({
      errorClass: 'data_invalid',
      reason: 'nested more than 32 levels deep',
    })
  })

  it('refuses more than 256 kB, counted in bytes', () => {
    const sized = (bytes: number) => {
      const empty = Buffer.byteLength(JSON.stringify(structured({ data: { text: '' } })))
      return structured({ data: { text: 'é'.repeat((bytes - empty) >> 1) } })
    }
    expect(parseEvent(sized(maxEventBytes)).event).toBeDefined()
    expect(parseEvent(sized(maxEventBytes + 2)).rejection?.errorClass).toBe('too_large')
    expect(parseEvent(structured(), maxEventBytes + 1).rejection?.errorClass).toBe('too_large')
  })

  it('never throws, and never quotes what it was given', () => {
    const anything = fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true })
    fc.assert(
      fc.property(
        fc.oneof(anything, fc.dictionary(fc.constantFrom(...Object.keys(structured())), anything)),
        (value) => {
          const decoded = parseEvent(value)
          expect(Boolean(decoded.event)).toBe(!decoded.rejection)
        },
      ),
      { numRuns: 500 },
    )
    for (const name of ['id', 'source', 'subject', 'time', 'entity', 'datacontenttype', 'data']) {
      const { rejection } = parseEvent(structured({ [name]: 'Jansen <secret>\u0001' }))
      expect(JSON.stringify(rejection)).not.toContain('Jansen')
    }
  })
})
