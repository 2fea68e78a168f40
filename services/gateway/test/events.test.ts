import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { event, inMinutes, openRig, type Rig, source } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await openRig()
})
afterAll(() => rig.close())

const isPublished = (id: unknown) => rig.published().some((each) => each.id === id)

describe('what is taken', () => {
  test('one event, structured: 202 and it is in Kafka', async () => {
    const one = event()
    const answer = await rig.send(one)
    expect(answer.status).toBe(202)
    expect(answer.json).toEqual({ accepted: 1 })
    expect(rig.published().find((each) => each.id === one.id)).toMatchObject({
      source,
      type: 'care.discharge.completed.v1',
      subject: 'P-1',
      data: { ward: 'B2' },
    })
  })

  test('one event, binary: attributes as ce- headers', async () => {
    const { data, specversion, ...attributes } = event({ subject: 'P-binary' })
    const headers = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [`ce-${name}`, String(value)]),
    )
    const answer = await rig.send(data as object, {
      headers: { ...headers, 'ce-specversion': '1.0', 'content-type': 'application/json' },
    })
    expect(answer.status, answer.text).toBe(202)
    expect(isPublished(attributes.id)).toBe(true)
  })

  test('a batch: one answer for all, published in its order', async () => {
    const batch = Array.from({ length: 40 }, () => event({ subject: 'P-batch' }))
    const answer = await rig.send(batch)
    expect(answer.status).toBe(202)
    expect(answer.json).toEqual({ accepted: 40 })
    const mine = rig.published().filter((each) => each.subject === 'P-batch')
    expect(mine.map((each) => each.id)).toEqual(batch.map((each) => each.id))
  })

  test('an empty batch is nothing, and that is fine', async () => {
    expect((await rig.send([])).json).toEqual({ accepted: 0 })
  })

  test('data in the normal form of its type, without what the type does not name', async () => {
    const one = event({
      type: 'care.appointment.booked.v1',
      entity: 'appointment/A-1',
      version: 3,
      data: { startsAt: '2027-03-01T10:00:00+01:00', stray: 'gone' },
    })
    expect((await rig.send(one)).status).toBe(202)
    const kept = rig.published().find((each) => each.id === one.id)
    expect(kept?.data).toEqual({ startsAt: '2027-03-01T09:00:00.000Z' })
    expect(kept).toMatchObject({ entity: 'appointment/A-1', version: 3 })
  })

  test('a signature that a publisher made up is not carried on', async () => {
    const one = event({ wegwijssignature: 'abc' })
    expect((await rig.send(one)).status).toBe(202)
    expect(rig.published().find((each) => each.id === one.id)?.signature).toBeUndefined()
  })

  test('an event up to five minutes ahead', async () => {
    const soon = event({ time: inMinutes(4) })
    expect((await rig.send(soon)).status).toBe(202)
  })
})

type Refusal = {
  name: string
  over: Record<string, unknown>
  status: number
  errorClass: string
  path?: string
}

const refusals: Refusal[] = [
  {
    name: 'a type that nobody knows',
    over: { type: 'care.unheard.of.v1' },
    status: 400,
    errorClass: 'unknown_type',
    path: 'type',
  },
  {
    name: 'data against its schema',
    over: { data: { ward: 7 } },
    status: 400,
    errorClass: 'data_invalid',
    path: 'data.ward',
  },
  {
    name: 'no subject',
    over: { subject: undefined },
    status: 400,
    errorClass: 'no_subject',
    path: 'subject',
  },
  {
    name: 'an empty subject',
    over: { subject: ' ' },
    status: 400,
    errorClass: 'no_subject',
    path: 'subject',
  },
  {
    name: 'not a CloudEvent',
    over: { specversion: '0.3' },
    status: 400,
    errorClass: 'not_a_cloudevent',
    path: 'specversion',
  },
  {
    name: 'no id',
    over: { id: undefined },
    status: 400,
    errorClass: 'not_a_cloudevent',
    path: 'id',
  },
  {
    name: '\\u0000 in a string',
    over: { data: { ward: 'B\u0000' } },
    status: 400,
    errorClass: 'forbidden_character',
    path: 'data.ward',
  },
  {
    name: 'a time more than five minutes ahead',
    over: { time: inMinutes(6) },
    status: 400,
    errorClass: 'time_in_future',
    path: 'time',
  },
  {
    name: 'older than the inbox',
    over: { time: '2020-01-01T00:00:00Z' },
    status: 400,
    errorClass: 'older_than_inbox',
    path: 'time',
  },
  {
    name: 'a source of another key',
    over: { source: 'urn:test:crm' },
    status: 403,
    errorClass: 'source_not_allowed',
    path: 'source',
  },
  {
    name: 'our own source',
    over: { source: 'urn:wegwijs' },
    status: 403,
    errorClass: 'source_not_allowed',
    path: 'source',
  },
  {
    name: 'a reserved type',
    over: { type: 'message.sent.v1' },
    status: 403,
    errorClass: 'type_not_allowed',
    path: 'type',
  },
  {
    name: 'an entity without a version',
    over: { type: 'care.appointment.moved.v1' },
    status: 400,
    errorClass: 'data_invalid',
  },
  {
    name: 'larger than 256 kB',
    over: { data: { ward: 'x'.repeat(300_000) } },
    status: 413,
    errorClass: 'too_large',
  },
]

describe('what is refused, with its class, its path and what to do', () => {
  test.each(refusals)('$name', async ({ over, status, errorClass, path }) => {
    const one = event(over)
    const answer = await rig.send(one)
    expect(answer.status, answer.text).toBe(status)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(answer.json).toMatchObject({
      code: 'WEGWIJS_EVENT_REFUSED',
      status,
      errorClass,
      detail: expect.any(String),
      whatToDo: expect.any(String),
      ...(path && { path }),
    })
    expect(answer.headers['retry-after']).toBeUndefined()
    expect(isPublished(one.id)).toBe(false)
  })

  test.each(refusals)(
    '$name, in a batch: the others are kept',
    async ({ over, status, errorClass }) => {
      const [first, last] = [event(), event()]
      const answer = await rig.send([first, event(over), last])
      expect(answer.status, answer.text).toBe(207)
      expect(answer.json).toMatchObject([
        { id: first.id, status: 202 },
        { status, error: { code: 'WEGWIJS_EVENT_REFUSED', errorClass } },
        { id: last.id, status: 202 },
      ])
      expect([isPublished(first.id), isPublished(last.id)]).toEqual([true, true])
    },
  )

  test.each([
    ['not JSON', '{"specversion": "1.0",', 'not_json'],
    ['a list where one event should be', '[]', 'not_a_cloudevent'],
    [
      '__proto__ in data',
      JSON.stringify(event()).replace('"ward"', '"__proto__"'),
      'forbidden_key',
    ],
    ['__proto__ as an attribute', JSON.stringify(event()).replace('"data"', '"__proto__"'), ''],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'not_json'],
    ['nothing', '', 'not_json'],
  ])('%s', async (_, body, errorClass) => {
    const answer = await rig.send({}, { body })
    expect(answer.status, answer.text).toBe(400)
    if (errorClass) expect(answer.json.errorClass).toBe(errorClass)
  })

  test.each([
    ['not JSON', '[{', 400, 'WEGWIJS_REQUEST_INVALID'],
    ['no list', '{}', 400, 'WEGWIJS_REQUEST_INVALID'],
    ['too many events', `[${'1,'.repeat(500)}1]`, 413, 'WEGWIJS_REQUEST_TOO_LARGE'],
    ['too many bytes', `["${'x'.repeat(5_000_000)}"]`, 413, 'WEGWIJS_REQUEST_TOO_LARGE'],
  ])('a batch that is %s', async (_, body, status, code) => {
    const answer = await rig.send([], { body })
    expect(answer.status, answer.text.slice(0, 200)).toBe(status)
    expect(answer.json.code).toBe(code)
  })

  test('a batch in which nothing can be used still says why of each', async () => {
    const answer = await rig.send([1, null, 'x'])
    expect(answer.status).toBe(207)
    expect(answer.json.map((each: { status: number }) => each.status)).toEqual([400, 400, 400])
  })
})

describe('what cannot be read as it was sent', () => {
  test.each([
    ['text/plain', 'text/plain', 415],
    ['XML', 'application/cloudevents+xml', 415],
    ['another charset', 'application/cloudevents+json; charset=iso-8859-1', 415],
    ['no media type at all', 'nonsense', 415],
    ['JSON without ce- headers', 'application/json', 400],
  ])('%s', async (_, contentType, status) => {
    const answer = await rig.send(event(), { headers: { 'content-type': contentType } })
    expect(answer.status, answer.text).toBe(status)
    expect(answer.json.code).toMatch(/^WEGWIJS_(MEDIA_TYPE_UNKNOWN|REQUEST_INVALID)$/)
  })

  test.each(['gzip', 'br', 'deflate, gzip', 'zstd'])('compressed as %s', async (encoding) => {
    const answer = await rig.send(event(), { headers: { 'content-encoding': encoding } })
    expect(answer.status).toBe(415)
    expect(answer.json.code).toBe('WEGWIJS_MEDIA_TYPE_UNKNOWN')
  })

  test('charset utf-8 and content-encoding identity are the standard', async () => {
    const headers = {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'content-encoding': 'identity',
    }
    expect((await rig.send(event(), { headers })).status).toBe(202)
  })

  test('an address that is none, and one that is not well-formed', async () => {
    const unknown = await rig.call('GET', '/v1/nothing/jan.jansen')
    expect([unknown.status, unknown.json.code]).toEqual([404, 'WEGWIJS_ROUTE_UNKNOWN'])
    expect(unknown.text).not.toContain('jan')
    const broken = await rig.call('GET', '/v1/app/people/ehr/jan%ZZ/messages')
    expect([broken.status, broken.json.code]).toEqual([400, 'WEGWIJS_REQUEST_INVALID'])
    expect(broken.text).not.toContain('jan')
    const long = await rig.call('GET', `/v1/app/people/ehr/${'j'.repeat(3_000)}/messages`)
    expect([long.status, long.json.code]).toEqual([400, 'WEGWIJS_REQUEST_INVALID'])
    expect((await rig.call('GET', '/v1/events')).status).toBe(404)
  })
})

test('a batch with an attribute that nests without end: its others are kept', async () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
  const [good, bad] = [event(), event()]
  const body = `[${JSON.stringify(good)},${JSON.stringify(bad).slice(0, -1)},"other":${deep}}]`
  const answer = await rig.send([], { body })
  expect(answer.json.map(({ status }: { status: number }) => status)).toEqual([202, 413])
})

describe('what changed a moment ago', () => {
  test('an event is only refused after the definition and the time were asked anew', async () => {
    const asked: string[] = []
    const own = await openRig({
      over: {
        refreshDefinition: async () => {
          asked.push('definition')
        },
      },
    })
    try {
      await own.send(event())
      expect(asked).toEqual([])
      await own.send([event({ type: 'care.unheard.of.v1' }), event({ type: 'care.other.of.v1' })])
      expect(asked).toEqual(['definition'])
    } finally {
      await own.close()
    }
  })

  test('a rehearsal that stepped on: business time decides, and the newest', async () => {
    const own = await openRig()
    try {
      await own.store.db
        .insertInto('rehearsal_clock')
        .values({ instant: '2014-05-01T00:00:00.000Z' })
        .execute()
      const may = event({ time: '2014-05-01T00:04:00Z' })
      expect((await own.send(may)).status).toBe(202)
      const june = event({ time: '2014-06-01T00:00:00Z' })
      expect((await own.send(june)).json.errorClass).toBe('time_in_future')
      await own.store.db
        .updateTable('rehearsal_clock')
        .set({ instant: '2014-06-01T00:00:00.000Z' })
        .execute()
      expect((await own.send(june)).status).toBe(202)
    } finally {
      await own.close()
    }
  })
})
