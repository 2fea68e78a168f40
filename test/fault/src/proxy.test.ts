import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { systemClock } from '@wegwijs/runtime/clock'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FaultProxy, startProxy } from './proxy.ts'

/** A server that answers each line with the same line in capitals, and counts what it was asked. */
let heard: string[]
let echo: { port: number; close(): Promise<void> }
let proxy: FaultProxy

beforeEach(async () => {
  heard = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      heard.push(String(bytes).trim())
      socket.write(String(bytes).toUpperCase())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  echo = {
    port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
  proxy = await startProxy({ target: { host: '127.0.0.1', port } })
})

afterEach(async () => {
  await proxy.close()
  await echo.close()
})

type Caller = {
  readonly socket: Socket
  say(line: string): void
  /** The next line that comes back. */
  answer(): Promise<string>
  /** The code of the error with which the connection ended, or null when it ended in order. */
  readonly over: Promise<string | null>
}

function call(): Promise<Caller> {
  const socket = connect(proxy.port, '127.0.0.1')
  let error: string | null = null
  socket.on('error', (fault: NodeJS.ErrnoException) => {
    error = fault.code ?? fault.message
  })
  const over = new Promise<string | null>((resolve) => {
    socket.on('close', () => resolve(error))
  })
  const caller = {
    socket,
    say: (line: string) => void socket.write(`${line}\n`),
    answer: async () => String((await once(socket, 'data'))[0]).trim(),
    over,
  }
  return once(socket, 'connect').then(() => caller)
}

async function heardAll(...lines: string[]): Promise<void> {
  const endMs = systemClock.monotonicMs() + 30_000
  while (heard.join() !== lines.join() && systemClock.monotonicMs() < endMs) {
    await systemClock.sleep(5)
  }
  expect(heard).toEqual(lines)
}

describe('a fault proxy', () => {
  test('passes bytes both ways, and an orderly end', async () => {
    const caller = await call()
    caller.say('one')
    expect(await caller.answer()).toBe('ONE')
    caller.socket.end()
    expect(await caller.over).toBeNull()
  })

  test('cut: resets what is open and what comes, until it passes again', async () => {
    const before = await call()
    before.say('one')
    await before.answer()
    proxy.cut()
    expect(await before.over).toBe('ECONNRESET')
    const during = await call().catch((error: NodeJS.ErrnoException) => error.code)
    // The reset may come before or after its connect is told.
    expect(typeof during === 'object' ? await during.over : during).toBe('ECONNRESET')
    expect(proxy.struck()).toBeGreaterThanOrEqual(2)
    proxy.pass()
    const after = await call()
    after.say('two')
    expect(await after.answer()).toBe('TWO')
  })

  test('half-open: takes everything in and says nothing; afterwards it is reset', async () => {
    const before = await call()
    before.say('one')
    await before.answer()
    proxy.halfOpen()
    before.say('two')
    const during = await call()
    during.say('three')
    const answers = Promise.race([before.answer(), during.answer()])
    expect(await Promise.race([answers, systemClock.sleep(100)])).toBeUndefined()
    expect(proxy.struck()).toBe(2)
    proxy.pass()
    answers.catch(() => undefined)
    expect(await before.over).toBe('ECONNRESET')
    expect(await during.over).toBe('ECONNRESET')
    expect(heard).toEqual(['one'])
  })

  test('slow: each way takes that much longer, in order', async () => {
    const caller = await call()
    proxy.slow(50)
    const startMs = systemClock.monotonicMs()
    caller.say('one')
    expect(await caller.answer()).toBe('ONE')
    expect(systemClock.monotonicMs() - startMs).toBeGreaterThanOrEqual(99)
  })

  test('replies dropped: the server hears, the caller does not; afterwards it is reset', async () => {
    const caller = await call()
    proxy.dropReplies()
    caller.say('one')
    await heardAll('one')
    await until(() => proxy.struck() === 1)
    proxy.pass()
    expect(await caller.over).toBe('ECONNRESET')
  })

  test('holds the bytes that are waited for, and what follows; the rest goes on', async () => {
    const held = proxy.holdWhen(
      (direction, bytes) => direction === 'toServer' && bytes.includes('stop'),
    )
    const caller = await call()
    const other = await call()
    caller.say('go')
    await caller.answer()
    caller.say('stop')
    const { bytes, release } = await held
    expect(String(bytes)).toBe('stop\n')
    caller.say('behind')
    other.say('beside')
    expect(await other.answer()).toBe('BESIDE')
    await heardAll('go', 'beside')
    release()
    await heardAll('go', 'beside', 'stop', 'behind')
  })

  test('holds an answer, and discards it with its connection', async () => {
    const held = proxy.holdWhen((direction) => direction === 'toClient')
    const caller = await call()
    caller.say('one')
    const { discard } = await held
    await heardAll('one')
    discard()
    expect(await caller.over).toBe('ECONNRESET')
  })

  test('whose target is gone resets who calls', async () => {
    const caller = await call()
    caller.say('one')
    await caller.answer()
    await echo.close()
    expect(await caller.over).toBeNull()
    const late = await call().catch((error: NodeJS.ErrnoException) => error.code)
    expect(typeof late === 'object' ? await late.over : late).toBe('ECONNRESET')
  })

  test('carries more than fits into one write, unchanged', async () => {
    const caller = await call()
    const line = 'abcdefgh'.repeat(256 * 1024)
    let bytes = 0
    const all = new Promise<void>((resolve) => {
      caller.socket.on('data', (chunk) => {
        bytes += chunk.length
        if (bytes === line.length) resolve()
      })
    })
    caller.socket.write(line)
    await all
    expect(heard.join('').length).toBe(line.length)
  })
})

async function until(isTrue: () => boolean): Promise<void> {
  const endMs = systemClock.monotonicMs() + 30_000
  while (!isTrue() && systemClock.monotonicMs() < endMs) await systemClock.sleep(5)
  expect(isTrue()).toBe(true)
}
