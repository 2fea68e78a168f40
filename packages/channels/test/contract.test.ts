import type { Socket } from 'node:net'
import { fail } from '@wegwijs/runtime/failure'
import fastify from 'fastify'
import { SMTPServer } from 'smtp-server'
import { afterEach, describe, expect, test } from 'vitest'
import { createAppChannel } from '../src/app.ts'
import { createEmailChannel } from '../src/email.ts'
import type { Channel, ChannelName } from '../src/port.ts'
import { createSilentChannel } from '../src/silent.ts'
import { createSmsChannel } from '../src/sms.ts'
import { messageFor, untroubled } from './messages.ts'

/**
 * What every channel promises, whatever stands behind it. `taken` holds the intent id of each
 * message that reached the other side, once per time that it did.
 */
type Bench = {
  channel: Channel
  name: ChannelName
  taken: () => string[]
  /** Makes the other side unable to take anything; null where there is no other side to fail. */
  breakDown: (() => Promise<void>) | null
  /** From now on the other side takes what comes and its answer is lost; null where it has none. */
  loseAnswers: (() => void) | null
  close: () => Promise<void>
}

const benches: Record<string, () => Promise<Bench>> = {
  email: benchOfEmail,
  'sms without idempotency keys': () => benchOfSms(false),
  'sms with idempotency keys': () => benchOfSms(true),
  app: benchOfApp,
  silent: benchOfSilent,
}

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

describe.each(Object.entries(benches))('%s', (_name, openBench) => {
  async function open(): Promise<Bench> {
    const bench = await openBench()
    undo.push(bench.close)
    return bench
  }

  test('hands one message over once, and says so', async () => {
    const { channel, name, taken } = await open()
    const message = messageFor(name)
    expect(await channel.send(message, untroubled())).toMatchObject({ kind: 'accepted' })
    expect(taken()).toEqual([message.intentId])
  })

  test('hands a repeat over again only if that is harmful for nobody', async () => {
    const { channel, name, taken } = await open()
    const message = messageFor(name)
    await channel.send(message, untroubled())
    await channel.send({ ...message, attempt: 2, duplicate: true }, untroubled())
    expect(taken()).toHaveLength(channel.idempotent ? 1 : 2)
  })

  test('sends nothing under a signal that is aborted already', async () => {
    const { channel, name, taken } = await open()
    const outcome = await channel.send(messageFor(name), AbortSignal.abort())
    expect(outcome).toMatchObject({ kind: 'deferred' })
    expect(taken()).toEqual([])
  })

  test('refuses what is for another channel', async () => {
    const { channel, name, taken } = await open()
    const other = name === 'email' ? 'sms' : 'email'
    const message = messageFor(name, { content: messageFor(other).content })
    expect(await channel.send(message, untroubled())).toMatchObject({
      kind: 'refused',
      unasked: true,
    })
    expect(taken()).toEqual([])
  })

  test('loses nothing while the other side is away', async () => {
    const { channel, name, taken, breakDown } = await open()
    await breakDown?.()
    const { kind } = await channel.send(messageFor(name), untroubled())
    expect(kind).toBe(breakDown === null ? 'accepted' : 'deferred')
    expect(taken()).toHaveLength(breakDown === null ? 1 : 0)
  })

  test('does not say that nothing was sent when only the answer is lost', async () => {
    const { channel, name, taken, loseAnswers } = await open()
    loseAnswers?.()
    const message = messageFor(name)
    const { kind } = await channel.send(message, untroubled())
    expect(kind).toBe(loseAnswers === null ? 'accepted' : 'unknown')
    expect(taken()).toEqual([message.intentId])
  })

  test('tells no personal data in its reasons', async () => {
    const { channel, name, breakDown } = await open()
    await breakDown?.()
    const message = messageFor(name, { to: 'Canary-Address <canary@example.org> +31600000000' })
    expect(JSON.stringify(await channel.send(message, untroubled()))).not.toMatch(/canary|316/i)
  })

  test('has the name of its channel, and closes', async () => {
    const { channel, name } = await open()
    expect(channel.name).toBe(name)
    await channel.close()
    await channel.close()
  })
})

async function benchOfEmail(): Promise<Bench> {
  const taken: string[] = []
  const sockets: Socket[] = []
  let isMute = false
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData: (stream, _session, done) => {
      let raw = ''
      stream.on('data', (chunk: Buffer) => {
        raw += chunk.toString()
      })
      stream.on('end', () => {
        taken.push(/X-Wegwijs-Intent: (\S+)/.exec(raw)?.[1] ?? '')
        if (isMute) for (const socket of sockets) socket.destroy()
        else done()
      })
    },
  })
  server.on('error', () => undefined)
  server.server.on('connection', (socket) => sockets.push(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const channel = createEmailChannel({ url: `smtp://127.0.0.1:${port}` })
  const stop = once(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return {
    channel,
    name: 'email',
    taken: () => taken,
    breakDown: stop,
    loseAnswers: () => {
      isMute = true
    },
    close: closing(channel, stop),
  }
}

async function benchOfSms(honoursIdempotencyKey: boolean): Promise<Bench> {
  const taken: string[] = []
  const keys = new Set<unknown>()
  let isMute = false
  const server = fastify({ forceCloseConnections: true })
  server.post<{ Body: { reference: string } }>('/messages', async ({ headers, body, raw }) => {
    const key = headers['idempotency-key']
    if (!honoursIdempotencyKey || !keys.has(key)) taken.push(body.reference)
    keys.add(key)
    if (isMute) raw.socket.destroy()
    return { reference: 'sms-1' }
  })
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  const options = { token: 't', honoursIdempotencyKey }
  const channel = createSmsChannel({ url, ...options })
  const stop = once(() => server.close())
  return {
    channel,
    name: 'sms',
    taken: () => taken,
    breakDown: stop,
    loseAnswers: () => {
      isMute = true
    },
    close: closing(channel, stop),
  }
}

async function benchOfApp(): Promise<Bench> {
  const taken: string[] = []
  let away = false
  let isMute = false
  const channel = createAppChannel({
    put: async ({ intentId }) => {
      if (away) return 'unavailable'
      if (!taken.includes(intentId)) taken.push(intentId)
      if (isMute) throw fail('WEGWIJS_DATABASE_UNAVAILABLE')
      return 'put'
    },
  })
  const breakDown = async () => {
    away = true
  }
  const loseAnswers = () => {
    isMute = true
  }
  const close = () => channel.close()
  return { channel, name: 'app', taken: () => taken, breakDown, loseAnswers, close }
}

async function benchOfSilent(): Promise<Bench> {
  const channel = createSilentChannel('sms')
  const taken = () => channel.messages.map(({ intentId }) => intentId)
  const close = () => channel.close()
  return { channel, name: 'sms', taken, breakDown: null, loseAnswers: null, close }
}

function closing(channel: Channel, stop: () => Promise<void>): () => Promise<void> {
  return async () => {
    await channel.close()
    await stop()
  }
}

function once(run: () => Promise<unknown>): () => Promise<void> {
  let done = false
  return async () => {
    if (done) return
    done = true
    await run()
  }
}
