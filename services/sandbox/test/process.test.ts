import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createSmsChannel } from '@wegwijs/channels/sms'
import { request } from 'undici'
import { afterEach, expect, test } from 'vitest'
import { fileNames } from '../src/accepted.ts'
import { openGateway } from './gateway.ts'
import { secret, smsMessage, untroubled } from './rig.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const undo: (() => Promise<unknown> | unknown)[] = []

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

type Running = {
  child: ChildProcess
  exited: Promise<number | null>
  httpPort: number
  health: number
}

/** The sandbox as it is deployed: a process of its own, told by its environment. */
async function start(directory: string, gatewayUrl: string): Promise<Running> {
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: '/usr/bin:/bin',
      WEGWIJS_SECRET: secret,
      WEGWIJS_GATEWAY_URL: gatewayUrl,
      WEGWIJS_SANDBOX_DIRECTORY: directory,
      WEGWIJS_SANDBOX_SMTP_PORT: '0',
      WEGWIJS_SANDBOX_HTTP_PORT: '0',
    },
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  undo.push(() => child.kill('SIGKILL'))
  const ports = new Map<string, number>()
  for await (const line of createInterface({ input: child.stdout })) {
    const { message, port } = JSON.parse(line) as { message: string; port?: number }
    if (port !== undefined) ports.set(message, port)
    if (message === 'runs') break
  }
  child.stdout.resume()
  const httpPort = ports.get('shows them') ?? 0
  return { child, exited, httpPort, health: ports.get('tells its health') ?? 0 }
}

test('killed in the middle, it has lost nothing that it answered, and sends what it owes', {
  timeout: 90_000,
}, async () => {
  const gateway = await openGateway()
  const directory = await mkdtemp(join(tmpdir(), 'wegwijs-sandbox-'))
  undo.push(gateway.close, () => rm(directory, { recursive: true, force: true }))
  gateway.answer(503)
  const first = await start(directory, gateway.url)
  const channel = createSmsChannel({
    url: `http://127.0.0.1:${first.httpPort}/sms`,
    token: 'any',
    honoursIdempotencyKey: true,
    sendTimeoutMs: 10_000,
  })
  undo.push(() => channel.close())
  const messages = Array.from({ length: 400 }, () => smsMessage())
  let answered = 0
  const outcomes = await Promise.all(
    messages.map(async (message) => {
      const outcome = await channel.send(message, untroubled())
      answered += 1
      if (answered === 100) first.child.kill('SIGKILL')
      return { message, outcome }
    }),
  )
  await first.exited
  const accepted = outcomes.filter(({ outcome }) => outcome.kind === 'accepted')
  expect(accepted.length).toBeGreaterThan(0)

  gateway.answer(202)
  const second = await start(directory, gateway.url)
  const status = async () =>
    (await request(`http://127.0.0.1:${second.httpPort}/status`)).body.json()
  await expect.poll(status, { timeout: 30_000 }).toMatchObject({ idle: true })
  const lines = (await readFile(join(directory, fileNames.sms), 'utf8')).trimEnd().split('\n')
  const written = lines.map((line) => (JSON.parse(line) as { intentId: string }).intentId)
  for (const { message } of accepted) expect(written).toContain(message.intentId)
  expect(new Set(written).size).toBe(written.length)
  const told = new Set(gateway.taken.map(({ reference }) => reference))
  expect(written.filter((id) => told.has(id)).length / written.length).toBeGreaterThan(0.9)

  const ready = await request(`http://127.0.0.1:${second.health}/readyz`)
  expect(ready.statusCode).toBe(200)
  second.child.kill('SIGTERM')
  expect(await second.exited).toBe(0)
})
