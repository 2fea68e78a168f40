import net from 'node:net'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import type { Channel, OutgoingMessage } from '../src/port.ts'
import { createSmsChannel, type SmsOptions } from '../src/sms.ts'
import { messageFor, untroubled } from './messages.ts'
import { standingClock } from './standing-clock.ts'

const undo: (() => Promise<unknown> | unknown)[] = []

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const now = '2026-03-01T12:00:00.000Z'

function open(url: string, options: Partial<SmsOptions> = {}): Channel {
  const channel = createSmsChannel({
    url,
    token: 'token-1',
    honoursIdempotencyKey: false,
    connectTimeoutMs: 10_000,
    sendTimeoutMs: 15_000,
    clock: { epochMs: () => Date.parse(now), monotonicMs: () => 0 },
    ...options,
  })
  undo.push(() => channel.close())
  return channel
}

type Handle = (request: FastifyRequest, reply: FastifyReply) => unknown

/** A provider on a real server; what it takes is kept before it answers. */
async function openProvider(handle: Handle) {
  const taken: FastifyRequest[] = []
  const server = fastify({ forceCloseConnections: true })
  server.post('/v1/messages', async (request, reply) => {
    taken.push(request)
    return handle(request, reply)
  })
  server.get('/v1/sandbox', async () => ({ sandbox: 'wegwijs' }))
  const address = await server.listen({ port: 0, host: '127.0.0.1' })
  undo.push(() => server.close())
  return { url: `${address}/v1`, taken }
}

type Answer = { status: number; headers?: Record<string, string>; body?: string }

function answering({ status, headers = {}, body = '' }: Answer): Handle {
  return (_request, reply) => reply.code(status).headers(headers).send(body)
}

const accepting = answering({ status: 202, body: '{"reference":"sms-1"}' })
const never = () => new Promise<never>(() => undefined)

test('a connection that was idle is not used again, however long the provider would keep it', async () => {
  const { url, taken } = await openProvider(accepting)
  const channel = open(url, { idleMs: 1_000 })
  await channel.send(messageFor('sms'), untroubled())
  const socket = taken[0]?.raw.socket
  const closed = new Promise((resolve) => socket?.once('close', resolve))
  expect(socket?.destroyed).toBe(false)
  await closed
  expect(await channel.send(messageFor('sms'), untroubled())).toMatchObject({ kind: 'accepted' })
  expect(taken[1]?.raw.socket).not.toBe(socket)
})

describe('an answer of', () => {
  const waits = (seconds: number) => ({ retryAfterMs: seconds * 1_000 })
  test.each<[string, Answer, string, string, object]>([
    [
      '202',
      { status: 202, body: '{"reference":"sms-1"}' },
      'accepted',
      'accepted',
      { reference: 'sms-1' },
    ],
    ['200 without a body', { status: 200 }, 'accepted', 'accepted', {}],
    ['200 with another body', { status: 200, body: '[1]' }, 'accepted', 'accepted', {}],
    ['302', { status: 302, headers: { location: '/elsewhere' } }, 'deferred', 'deferred', {}],
    ['400', { status: 400 }, 'refused', 'refused', {}],
    ['401', { status: 401 }, 'deferred', 'deferred', {}],
    ['402', { status: 402 }, 'deferred', 'deferred', {}],
    ['403', { status: 403 }, 'deferred', 'deferred', {}],
    ['404', { status: 404 }, 'deferred', 'deferred', {}],
    ['408', { status: 408 }, 'deferred', 'deferred', {}],
    ['409', { status: 409 }, 'refused', 'deferred', {}],
    ['422', { status: 422 }, 'refused', 'refused', {}],
    ['425', { status: 425 }, 'deferred', 'deferred', {}],
    ['429', { status: 429 }, 'deferred', 'deferred', {}],
    [
      '429 after seconds',
      { status: 429, headers: { 'retry-after': '120' } },
      'deferred',
      'deferred',
      waits(120),
    ],
    [
      '429 after a date',
      { status: 429, headers: { 'retry-after': 'Sun, 01 Mar 2026 12:05:00 GMT' } },
      'deferred',
      'deferred',
      waits(300),
    ],
    [
      '429 after a date that is past',
      { status: 429, headers: { 'retry-after': 'Sun, 01 Mar 2026 11:00:00 GMT' } },
      'deferred',
      'deferred',
      waits(0),
    ],
    [
      '429 after nonsense',
      { status: 429, headers: { 'retry-after': 'soon' } },
      'deferred',
      'deferred',
      {},
    ],
    ['500', { status: 500 }, 'unknown', 'unknown', {}],
    ['502', { status: 502 }, 'unknown', 'unknown', {}],
    ['503', { status: 503, headers: { 'retry-after': '5' } }, 'deferred', 'deferred', waits(5)],
    ['504', { status: 504 }, 'unknown', 'unknown', {}],
  ])('%s', async (...[, answer, kind, kindIfIdempotent, more]) => {
    const { url, taken } = await openProvider(answering(answer))
    for (const [honoursIdempotencyKey, expected] of [
      [false, kind],
      [true, kindIfIdempotent],
    ] as const) {
      const outcome = await open(url, { honoursIdempotencyKey }).send(
        messageFor('sms'),
        untroubled(),
      )
      const reason = expected === 'accepted' ? {} : { reason: `sms_${answer.status}` }
      expect(outcome).toEqual({ kind: expected, ...reason, ...more })
    }
    expect(taken).toHaveLength(2)
  })
})

describe('a provider that', () => {
  test('resets before it takes the message leaves it unknown: bytes were written', async () => {
    const { url } = await openRaw((socket) => socket.resetAndDestroy())
    expect(await open(url).send(messageFor('sms'), untroubled())).toEqual({
      kind: 'unknown',
      reason: 'sms_connection_lost',
    })
  })

  test('takes the message and resets', async () => {
    const { url, taken } = await openProvider((request) => {
      request.raw.socket.resetAndDestroy()
      return never()
    })
    const channel = open(url, { honoursIdempotencyKey: true })
    expect(await channel.send(messageFor('sms'), untroubled())).toEqual({
      kind: 'unknown',
      reason: 'sms_connection_lost',
    })
    expect(taken).toHaveLength(1)
  })

  test('takes the message and closes without an answer', async () => {
    const { url, taken } = await openProvider((request) => {
      request.raw.socket.end()
      return never()
    })
    expect(await open(url).send(messageFor('sms'), untroubled())).toMatchObject({ kind: 'unknown' })
    expect(taken).toHaveLength(1)
  })

  test('takes the message and hangs', async () => {
    const { url, taken } = await openProvider(never)
    expect(await open(url, { sendTimeoutMs: 2_000 }).send(messageFor('sms'), untroubled())).toEqual(
      {
        kind: 'unknown',
        reason: 'sms_timed_out',
      },
    )
    expect(taken).toHaveLength(1)
  })

  test('says yes and breaks off its answer has said yes', async () => {
    const { url } = await openRaw((socket) => {
      socket.write('HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\n{"refer')
      socket.end()
    })
    expect(await open(url).send(messageFor('sms'), untroubled())).toEqual({ kind: 'accepted' })
  })

  test('says yes and never ends its answer has said yes', async () => {
    const { url } = await openRaw((socket) => {
      socket.write('HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\n{"refer')
    })
    expect(await open(url, { sendTimeoutMs: 2_000 }).send(messageFor('sms'), untroubled())).toEqual(
      { kind: 'accepted' },
    )
  })

  test('answers something that is no HTTP', async () => {
    const { url } = await openRaw((socket) => socket.end('hello\r\n\r\n'))
    expect(await open(url).send(messageFor('sms'), untroubled())).toMatchObject({ kind: 'unknown' })
  })

  test('says early hints first', async () => {
    const { url } = await openRaw((socket) => {
      socket.end('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 422 No\r\ncontent-length: 0\r\n\r\n')
    })
    expect(await open(url).send(messageFor('sms'), untroubled())).toEqual({
      kind: 'refused',
      reason: 'sms_422',
    })
  })

  test('answers without end is cut off', async () => {
    const { url } = await openProvider((_request, reply) =>
      reply.code(202).send(JSON.stringify({ padding: 'a'.repeat(200_000) })),
    )
    expect(await open(url).send(messageFor('sms'), untroubled())).toEqual({ kind: 'accepted' })
  })

  test('is not there', async () => {
    const { url, close } = await openRaw((socket) => socket.end())
    await close()
    const channel = open(url)
    expect(await channel.send(messageFor('sms'), untroubled())).toEqual({
      kind: 'deferred',
      reason: 'sms_connection_refused',
    })
    expect(await channel.isSandbox()).toBe(false)
  })

  test('has no address', async () => {
    const channel = open('http://sms.invalid/v1')
    expect(await channel.send(messageFor('sms'), untroubled())).toEqual({
      kind: 'deferred',
      reason: 'sms_dns_failed',
    })
  })
})

/** A server on a bare socket that acts on the first bytes of each request. */
async function openRaw(act: (socket: net.Socket) => void) {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('data', () => act(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  undo.push(close)
  return { url: `http://127.0.0.1:${port}`, close }
}

describe('aborting', () => {
  test('before the call writes nothing', async () => {
    const { url, taken } = await openProvider(accepting)
    const outcome = await open(url).send(messageFor('sms'), AbortSignal.abort())
    expect(outcome).toEqual({ kind: 'deferred', reason: 'sms_aborted' })
    expect(taken).toEqual([])
  })

  test('while it waits for a connection is not sent, ever', async () => {
    const arrived = Promise.withResolvers<{ reply: FastifyReply }>()
    const { url, taken } = await openProvider((_request, reply) => {
      arrived.resolve({ reply })
      return never()
    })
    const channel = open(url, { connections: 1 })
    const first = channel.send(messageFor('sms'), untroubled())
    const { reply } = await arrived.promise
    const stop = new AbortController()
    const second = channel.send(messageFor('sms'), stop.signal)
    stop.abort()
    expect(await second).toEqual({ kind: 'deferred', reason: 'sms_aborted' })
    reply.hijack()
    reply.raw.writeHead(202, { 'content-length': '0' }).end()
    expect(await first).toEqual({ kind: 'accepted' })
    await channel.close()
    expect(taken).toHaveLength(1)
  })

  test('after it was written is unknown', async () => {
    const arrived = Promise.withResolvers<void>()
    const { url } = await openProvider(() => {
      arrived.resolve()
      return never()
    })
    const stop = new AbortController()
    const outcome = open(url).send(messageFor('sms'), stop.signal)
    await arrived.promise
    stop.abort()
    expect(await outcome).toEqual({ kind: 'unknown', reason: 'sms_aborted' })
  })
})

test.each([{ monotonicMs: 15_000 }, { epochMs: 15_000 }])(
  'a process that was frozen writes nothing that had waited for a connection: %o (P3)',
  async (frozen) => {
    const clock = standingClock()
    const arrived = Promise.withResolvers<{ reply: FastifyReply }>()
    const { url, taken } = await openProvider((_request, reply) => {
      arrived.resolve({ reply })
      return never()
    })
    const channel = open(url, { connections: 1, clock })
    const sends = [1, 2].map(() => channel.send(messageFor('sms'), untroubled()))
    const { reply } = await arrived.promise
    clock.goOn(frozen)
    reply.hijack()
    reply.raw.writeHead(202, { 'content-length': '0' }).end()
    expect(await Promise.all(sends)).toEqual([
      { kind: 'accepted' },
      { kind: 'deferred', reason: 'sms_timed_out' },
    ])
    await channel.close()
    expect(taken).toHaveLength(1)
  },
)

describe('what the provider gets', () => {
  test('is the number in E.164, the text, our reference, the key and the token', async () => {
    const { url, taken } = await openProvider(accepting)
    const message = messageFor('sms', {
      to: '06 12 34 56 78',
      idempotencyKey: 'key-1',
      expiresAt: '2026-03-01T13:00:00.500Z',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    })
    await open(url, { statusUrl: 'https://example.org/receipts' }).send(message, untroubled())
    expect(taken[0]?.body).toEqual({
      to: '+31612345678',
      from: 'Example',
      text: 'Tot morgen om 10:00.',
      reference: message.intentId,
      statusUrl: 'https://example.org/receipts',
      validitySeconds: 3_600,
    })
    expect(taken[0]?.headers).toMatchObject({
      authorization: 'Bearer token-1',
      'idempotency-key': 'key-1',
      'content-type': 'application/json',
      traceparent: message.traceparent,
    })
  })

  test('says that it may be a duplicate, under the same key', async () => {
    const { url, taken } = await openProvider(accepting)
    const message = messageFor('sms')
    const channel = open(url)
    await channel.send(message, untroubled())
    await channel.send({ ...message, attempt: 2, duplicate: true }, untroubled())
    expect(taken.map(({ headers }) => headers['idempotency-key'])).toEqual([
      message.idempotencyKey,
      message.idempotencyKey,
    ])
    expect(taken.map(({ headers }) => headers['x-wegwijs-possible-duplicate'])).toEqual([
      undefined,
      'yes',
    ])
  })

  test.each([
    [{ expiresAt: '2026-03-01T12:00:10.000Z' }, 60],
    [{ expiresAt: '2020-01-01T00:00:00.000Z' }, 60],
    [{ expiresAt: '2020-01-01T00:00:00.000Z', validForSeconds: 7_200.9 }, 7_200],
  ])('a validity for %j of %i seconds', async (changes, validitySeconds) => {
    const { url, taken } = await openProvider(accepting)
    await open(url).send(messageFor('sms', changes), untroubled())
    expect(taken[0]?.body).toMatchObject({ validitySeconds })
  })

  test('is each of many messages once', async () => {
    const { url, taken } = await openProvider(accepting)
    const channel = open(url, { connections: 8 })
    const messages = Array.from({ length: 200 }, () => messageFor('sms'))
    const outcomes = await Promise.all(messages.map((each) => channel.send(each, untroubled())))
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['accepted']))
    const references = taken.map(({ body }) => (body as { reference: string }).reference)
    expect(references.sort()).toEqual(messages.map(({ intentId }) => intentId).sort())
  })
})

describe('a message that must not leave', () => {
  const content = messageFor('sms').content
  test.each<[string, Partial<OutgoingMessage>, string]>([
    ['no number', { to: 'anna@example.org' }, 'number_invalid'],
    ['a short number', { to: '1234' }, 'number_invalid'],
    ['a number with words', { to: 'bel +31612345678 of zo' }, 'number_invalid'],
    ['two numbers', { to: '+31612345678, +31687654321' }, 'number_invalid'],
    ['an extension', { to: '+31101234567 ext. 12' }, 'number_invalid'],
    ['nothing', { to: '' }, 'number_invalid'],
    [
      'a long sender',
      { content: { ...content, from: 'Ziekenhuis Example' } as typeof content },
      'sender_invalid',
    ],
    [
      'a sender that is none',
      { content: { ...content, from: '<b>' } as typeof content },
      'sender_invalid',
    ],
    ['another content', { content: messageFor('app').content }, 'not_an_sms'],
  ])('with %s', async (_what, changes, reason) => {
    const { url, taken } = await openProvider(accepting)
    expect(await open(url).send(messageFor('sms', changes), untroubled())).toEqual({
      kind: 'refused',
      reason,
      unasked: true,
    })
    expect(taken).toEqual([])
  })

  test.each([
    ['+31 6 12345678', '+31612345678'],
    ['0031612345678', '+31612345678'],
    ['020-1234567', '+31201234567'],
    ['+44 7700 900123', '+447700900123'],
    ['(06) 12 34 56 78', '+31612345678'],
  ])('is not one to %j', async (to, expected) => {
    const { url, taken } = await openProvider(accepting)
    await open(url).send(messageFor('sms', { to }), untroubled())
    expect(taken[0]?.body).toMatchObject({ to: expected })
  })
})

describe('whether it is a sandbox', () => {
  test('is told by the provider itself', async () => {
    const { url } = await openProvider(accepting)
    expect(await open(url).isSandbox()).toBe(true)
    expect(await open(url.replace('/v1', '')).isSandbox()).toBe(false)
  })

  test.each(['{"sandbox":"other"}', 'null', 'no JSON', '[]'])('is no for %j', async (body) => {
    const { url } = await openRaw((socket) => {
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    })
    expect(await open(url).isSandbox()).toBe(false)
  })

  test('is no when nothing comes', async () => {
    const { url } = await openRaw(() => undefined)
    expect(await open(url, { connectTimeoutMs: 1_000 }).isSandbox()).toBe(false)
  })
})
