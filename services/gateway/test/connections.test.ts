import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { maxBatchBytes } from '@wegwijs/wire/cloudevents-http'
import { afterEach, expect, test } from 'vitest'
import { event, openRig, type Rig, type RigOptions, until } from './rig.ts'

let rig: Rig
const sockets: Socket[] = []
const open = async (options: RigOptions = {}) => {
  rig = await openRig(options)
}
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await rig.close()
})

/** A connection on which bytes are written as they are; `answer` is all that came until it ended. */
async function dial(): Promise<{ socket: Socket; answer: Promise<string> }> {
  const { port } = new URL(rig.url)
  const socket = connect(Number(port), '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => {})
  await once(socket, 'connect')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  const answer = new Promise<string>((resolve) => {
    socket.once('close', () => resolve(Buffer.concat(chunks).toString()))
  })
  return { socket, answer }
}

const head = (length: number | 'chunked') =>
  [
    'POST /v1/events HTTP/1.1',
    'host: gateway',
    `authorization: Bearer ${rig.key}`,
    'content-type: application/cloudevents+json',
    length === 'chunked' ? 'transfer-encoding: chunked' : `content-length: ${length}`,
    '\r\n',
  ].join('\r\n')

/** Dials so often, in a thread of its own, and counts the connections that stand. */
const dialler = `
  const { connect } = require('node:net')
  const { port, count, shared } = require('node:worker_threads').workerData
  const connected = new Int32Array(shared)
  for (let index = 0; index < count; index += 1) {
    connect(port, '127.0.0.1').on('error', () => {}).once('connect', () => {
      Atomics.add(connected, 0, 1)
      Atomics.notify(connected, 0)
    })
  }`

test('a thousand that come while it is busy wait to be taken in, and none is turned away unheard', async () => {
  await open()
  const shared = new SharedArrayBuffer(4)
  const connected = new Int32Array(shared)
  const workerData = { port: Number(new URL(rig.url).port), count: 1_000, shared }
  const worker = new Worker(dialler, { eval: true, workerData })
  // This thread is the gateway's, too: nothing is taken in meanwhile.
  let waited: string = 'ok'
  while (Atomics.load(connected, 0) < workerData.count && waited !== 'timed-out') {
    waited = Atomics.wait(connected, 0, Atomics.load(connected, 0), 10_000)
  }
  await worker.terminate()
  expect(Atomics.load(connected, 0)).toBe(workerData.count)
  expect((await rig.send(event())).status).toBe(202)
})

test('a body that does not come to its end: 408, and the room is free again', async () => {
  await open({ limits: { requestDeadlineMs: 300, lateCheckMs: 50, requestsInFlight: 1 } })
  const { socket, answer } = await dial()
  socket.write(`${head(1_000)}{"id":"jan.jansen`)
  const text = await answer
  expect(text).toMatch(/^HTTP\/1\.1 408 /)
  expect(text).toContain('WEGWIJS_REQUEST_TOO_SLOW')
  expect(text).not.toContain('jan')
  await until(async () => expect((await rig.send(event())).status).toBe(202))
})

test('headers that do not come to their end: 408', async () => {
  await open({ limits: { requestDeadlineMs: 300, lateCheckMs: 50 } })
  const { socket, answer } = await dial()
  socket.write('POST /v1/events HTTP/1.1\r\nhost: ga')
  expect(await answer).toMatch(/^HTTP\/1\.1 408 /)
})

test.each([
  ['not HTTP', 'jan.jansen@example.org\r\n\r\n'],
  ['headers that never end', `GET / HTTP/1.1\r\nx: ${'jan.jansen'.repeat(4_000)}`],
  ['two lengths', 'POST /v1/events HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
])('%s: 400 and nothing repeated', async (_, bytes) => {
  await open()
  const { socket, answer } = await dial()
  socket.write(bytes)
  const text = await answer
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
  expect(text).toContain('WEGWIJS_REQUEST_INVALID')
  expect(text).not.toContain('jan')
})

test('a body of unknown length that goes on for ever: 413 and the connection ends', async () => {
  await open()
  const { socket, answer } = await dial()
  socket.write(head('chunked'))
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
  for (let bytes = 0; bytes <= maxBatchBytes; bytes += 0x10000) socket.write(chunk)
  expect(await answer).toMatch(/^HTTP\/1\.1 413 /)
})

test('a caller that hangs up leaves no room taken', async () => {
  await open({ limits: { requestsInFlight: 1 } })
  const { socket } = await dial()
  socket.write(`${head(1_000)}{`)
  await until(async () => expect(await rig.metrics.text()).toMatch(/requests_in_flight{[^}]*} 1/))
  socket.resetAndDestroy()
  await until(async () => expect((await rig.send(event())).status).toBe(202))
})

test('closing: what is being answered is answered, then nothing is taken', async () => {
  await open()
  const held = Promise.withResolvers<void>()
  const publish = rig.broker.publisher.publish
  const entered = Promise.withResolvers<void>()
  rig.broker.publisher.publish = async (records, options) => {
    entered.resolve()
    await held.promise
    return publish(records, options)
  }
  const answer = rig.send(event())
  await entered.promise
  const closed = rig.scope.close()
  await until(() => expect(dialFails()).resolves.toBe(true))
  held.resolve()
  expect((await answer).status).toBe(202)
  await closed
  expect(rig.scope.failures).toEqual([])
  expect(rig.published()).toHaveLength(1)
})

test('closing: a connection that holds on to a request is cut after its time', async () => {
  await open({ limits: { drainMs: 200 } })
  const { socket, answer } = await dial()
  socket.write(`${head(1_000)}{`)
  await until(async () => expect(await rig.metrics.text()).toMatch(/requests_in_flight{[^}]*} 1/))
  await rig.scope.close()
  expect(rig.scope.failures).toEqual([])
  expect(await answer).toBe('')
})

async function dialFails(): Promise<boolean> {
  const socket = connect(Number(new URL(rig.url).port), '127.0.0.1')
  const failed = await Promise.race([
    once(socket, 'connect').then(() => false),
    once(socket, 'error').then(() => true),
  ]).catch(() => true)
  socket.destroy()
  return failed
}
