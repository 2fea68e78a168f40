import { CloudEvent, HTTP } from 'cloudevents'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeRequest,
  encodeRequest,
  httpStatusOf,
  type IncomingHeaders,
  maxBatchBytes,
  maxBatchEvents,
} from '../src/cloudevents-http.ts'
import {
  formatAttributes,
  formatEvent,
  maxEventBytes,
  rejectionClasses,
  type TouchpointEvent,
} from '../src/touchpoint-event.ts'
import { anyEvent, booked, structured } from './events.ts'

const EVENT = 'application/cloudevents+json'
const BATCH = 'application/cloudevents-batch+json'

const post = (contentType: string | undefined, body: unknown, headers: IncomingHeaders = {}) =>
  decodeRequest(
    contentType,
    headers,
    Buffer.isBuffer(body)
      ? body
      : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  )

/** §3.1.3.2: what is not printable ASCII, and space, double quote and percent, is encoded. */
const percentEncode = (text: string) =>
  text.replace(/[^\x21-\x7e]|["%]/gu, (character) => encodeURIComponent(character))

const binaryHeaders = (event: TouchpointEvent): Record<string, string> =>
  Object.fromEntries(
    Object.entries(formatAttributes(event)).map(([name, value]) => [
      `ce-${name}`,
      percentEncode(String(value)),
    ]),
  )

describe('decodeRequest', () => {
  it('reads one event in structured mode', () => {
    expect(post(EVENT, formatEvent(booked))).toEqual({ kind: 'single', items: [{ event: booked }] })
    expect(post(`${EVENT}; charset=utf-8`, formatEvent(booked)).kind).toBe('single')
    expect(post(EVENT.toUpperCase(), formatEvent(booked)).kind).toBe('single')
  })

  it('reads one event in binary mode', () => {
    expect(post('application/json', booked.data, binaryHeaders(booked))).toEqual({
      kind: 'single',
      items: [{ event: booked }],
    })
  })

  it('reads a batch, and answers for each event by itself', () => {
    const batch = [formatEvent(booked), structured({ subject: '' }), 'x']
    expect(post(BATCH, batch)).toMatchObject({
      kind: 'batch',
      items: [
        { event: booked },
        { rejection: { errorClass: 'no_subject' } },
        { rejection: { errorClass: 'not_a_cloudevent' } },
      ],
    })
    expect(post(BATCH, [])).toEqual({ kind: 'batch', items: [] })
  })

  it('reads every event back, in every mode', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const body = JSON.stringify(event.data)
        const single = { kind: 'single', items: [{ event }] }
        expect(post(EVENT, formatEvent(event))).toEqual(single)
        expect(post('application/json', body, binaryHeaders(event))).toEqual(single)
        expect(post(BATCH, [formatEvent(event)])).toEqual({ kind: 'batch', items: [{ event }] })
      }),
    )
  })

  it('takes an empty body in binary mode for data with nothing in it', () => {
    const decoded = post(undefined, '', binaryHeaders(booked))
    expect(decoded).toMatchObject({ kind: 'single', items: [{ event: { data: {} } }] })
  })

  it('unquotes and percent-decodes headers', () => {
    const headers = binaryHeaders(booked)
    const subjectOf = (subject: string) => {
      const decoded = post('application/json', '{}', { ...headers, 'ce-subject': subject })
      return decoded.kind === 'refused' ? decoded : decoded.items[0]
    }
    expect(subjectOf('pati%C3%ABnt%2047')).toMatchObject({ event: { subject: 'patiënt 47' } })
    expect(subjectOf('"a \\"b\\" \\\\c"')).toMatchObject({ event: { subject: 'a "b" \\c' } })
    expect(subjectOf('100%25')).toMatchObject({ event: { subject: '100%' } })
    for (const wrong of ['100%', '%ff', '%C3', 'patiënt', '\u0007']) {
      expect(subjectOf(wrong)).toMatchObject({
        rejection: { errorClass: 'not_a_cloudevent', path: 'ce-subject' },
      })
    }
    expect(subjectOf('%0A')).toMatchObject({ rejection: { errorClass: 'no_subject' } })
    expect(subjectOf('a%0Ab')).toMatchObject({ rejection: { errorClass: 'forbidden_character' } })
  })

  it('refuses a ce- header that came twice', () => {
    const headers = { ...binaryHeaders(booked), 'ce-id': ['a', 'b'] }
    expect(post('application/json', '{}', headers)).toMatchObject({
      items: [{ rejection: { errorClass: 'not_a_cloudevent', path: 'ce-id' } }],
    })
    const distinct = Object.fromEntries(
      Object.entries(binaryHeaders(booked)).map(([name, value]) => [name, [value]]),
    )
    expect(post('application/json', booked.data, distinct)).toEqual({
      kind: 'single',
      items: [{ event: booked }],
    })
  })

  const large = JSON.stringify(structured({ data: { text: 'x'.repeat(maxEventBytes) } }))

  it.each([
    ['a structured event that is not JSON', post(EVENT, '{'), 'not_json'],
    ['a structured event in Latin-1', post(EVENT, Buffer.from('{"é":1}', 'latin1')), 'not_json'],
    [
      'a binary event that is not JSON',
      post('application/json', '{', binaryHeaders(booked)),
      'not_json',
    ],
    ['an event that is too large', post(EVENT, large), 'too_large'],
    [
      'a binary event that is too large',
      post('application/json', Buffer.alloc(maxEventBytes + 1), binaryHeaders(booked)),
      'too_large',
    ],
    [
      '__proto__ in data',
      post(EVENT, JSON.stringify(structured()).replace('"startsAt"', '"__proto__"')),
      'forbidden_key',
    ],
    [
      'U+0000 in data',
      post('application/json', '{"a":"\\u0000"}', binaryHeaders(booked)),
      'forbidden_character',
    ],
    [
      'half a surrogate pair in data',
      post(EVENT, JSON.stringify(structured()).replace('Orthopedie', '\\ud800')),
      'forbidden_character',
    ],
    [
      'binary data that is not JSON',
      post('application/pdf', '%PDF', binaryHeaders(booked)),
      'not_json',
    ],
    ['data of another kind', post('text/plain', '{}', binaryHeaders(booked)), 'not_a_cloudevent'],
  ])('refuses %s', (_, decoded, errorClass) => {
    expect(decoded).toMatchObject({ kind: 'single', items: [{ rejection: { errorClass } }] })
  })

  it.each([
    ['a batch that is not JSON', post(BATCH, '[{'), 400, 'not_json'],
    ['a batch that is no list', post(BATCH, structured()), 400, 'not_a_cloudevent'],
    ['a batch of too many', post(BATCH, Array(maxBatchEvents + 1).fill(0)), 413, 'too_large'],
    ['a batch that is too large', post(BATCH, Buffer.alloc(maxBatchBytes + 1)), 413, 'too_large'],
    ['JSON that is no CloudEvent', post('application/json', '{}'), 400, 'not_a_cloudevent'],
    ['a form', post('application/x-www-form-urlencoded', 'a=b'), 415, 'not_a_cloudevent'],
    ['no content-type', post(undefined, '{}'), 415, 'not_a_cloudevent'],
    ['another format', post('application/cloudevents+xml', '<event/>'), 415, 'not_a_cloudevent'],
    ['another charset', post(`${EVENT}; charset=latin1`, structured()), 415, 'not_a_cloudevent'],
  ])('refuses the whole of %s', (_, decoded, status, errorClass) => {
    expect(decoded).toMatchObject({ kind: 'refused', status, rejection: { errorClass } })
  })

  it('measures the events of a large batch one by one', () => {
    const fitting = structured({ data: { text: 'x'.repeat(maxEventBytes / 2) } })
    expect(post(BATCH, [fitting, JSON.parse(large), fitting])).toMatchObject({
      kind: 'batch',
      items: [{ event: {} }, { rejection: { errorClass: 'too_large' } }, { event: {} }],
    })
  })

  it('never throws, whatever it gets', () => {
    const types = fc.option(
      fc.oneof(fc.constantFrom(EVENT, BATCH, 'application/json'), fc.string()),
      {
        nil: undefined,
      },
    )
    const names = fc.constantFrom(
      'ce-',
      'ce-id',
      'ce-__proto__',
      'ce-specversion',
      'x',
      '__proto__',
    )
    const body = fc.oneof(
      fc.uint8Array(),
      fc.json().map((json) => Buffer.from(json)),
    )
    const headers = fc.dictionary(names, fc.oneof(fc.string(), fc.array(fc.string())))
    fc.assert(
      fc.property(types, headers, body, (contentType, given, bytes) => {
        decodeRequest(contentType, given, Buffer.from(bytes))
      }),
      { numRuns: 500 },
    )
  })
})

describe('encodeRequest', () => {
  const decode = (events: TouchpointEvent[]) => {
    const { contentType, body } = encodeRequest(events)
    return post(contentType, body)
  }

  it('writes one event as structured, several or none as a batch', () => {
    expect(decode([booked])).toEqual({ kind: 'single', items: [{ event: booked }] })
    expect(decode([booked, booked])).toMatchObject({ kind: 'batch', items: [{}, {}] })
    expect(decode([])).toEqual({ kind: 'batch', items: [] })
  })
})

describe('the cloudevents SDK as oracle', () => {
  // The SDK leaves percent-encoding to whoever sends its headers, so these need none.
  const plain = (text: string) => encodeURIComponent(text).replaceAll('%', '_').slice(0, 255)
  const plainEvent = anyEvent.map((event) => ({
    ...event,
    id: plain(event.id),
    source: event.source.replaceAll('%', '_'),
    subject: plain(event.subject),
    ...(event.entity === undefined ? {} : { entity: `kind/${plain(event.entity).slice(0, 250)}` }),
  }))
  const sdkEvent = ({ signature, ...event }: TouchpointEvent) =>
    new CloudEvent({
      ...event,
      datacontenttype: 'application/json',
      ...(signature === undefined ? {} : { wegwijssignature: signature }),
    })
  const headersOf = (headers: object) =>
    Object.fromEntries(
      Object.entries(headers)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => [name.toLowerCase(), String(value)]),
    )

  it('writes what we read, in structured mode', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const message = HTTP.structured(sdkEvent(event))
        const headers = headersOf(message.headers)
        expect(post(headers['content-type'], String(message.body), headers)).toEqual({
          kind: 'single',
          items: [{ event }],
        })
      }),
    )
  })

  it('writes what we read, in binary mode', () => {
    fc.assert(
      fc.property(plainEvent, (event) => {
        const message = HTTP.binary(sdkEvent(event))
        const headers = headersOf(message.headers)
        expect(post('application/json', String(message.body), headers)).toEqual({
          kind: 'single',
          items: [{ event }],
        })
      }),
    )
  })

  it('reads what we write, one and several', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 3 }), (events) => {
        const { contentType, body } = encodeRequest(events)
        const read = [HTTP.toEvent({ headers: { 'content-type': contentType }, body })].flat()
        expect(read).toHaveLength(events.length)
        for (const [index, event] of events.entries()) {
          expect((read[index] as CloudEvent).validate()).toBe(true)
          const { signature, ...attributes } = event
          expect(read[index]).toMatchObject(attributes)
          expect((read[index] as CloudEvent).wegwijssignature).toBe(signature)
        }
      }),
    )
  })
})

describe('httpStatusOf', () => {
  it('has an answer for every class, and 403 for what a credential may not do', () => {
    expect(Object.keys(httpStatusOf)).toEqual([...rejectionClasses])
    expect(
      Object.entries(httpStatusOf)
        .filter(([, status]) => status === 403)
        .map(([name]) => name),
    ).toEqual(['source_not_allowed', 'type_not_allowed', 'signature_invalid'])
  })
})
