import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@wegwijs/local/free-port'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { startServiceProcess } from '../src/service-process.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wegwijs-demo-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const signal = new AbortController().signal

/** A service in a few lines: ready at once, until it is told to end. */
const serving = `
  import { createServer } from 'node:http'
  createServer((_, answer) => answer.end()).listen(Number(process.env.PORT), '127.0.0.1')
`

async function commandFor(name: string, program: string) {
  const file = join(directory, `${name}.mjs`)
  await writeFile(file, program)
  const healthPort = await freePort()
  return {
    name,
    program: file,
    environment: { PORT: String(healthPort) },
    healthPort,
    logFile: join(directory, `${name}.log`),
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('a service is ready once it says so, and ends when it is told', async () => {
  const service = await startServiceProcess(await commandFor('serving', serving))
  await service.ready(signal)
  expect(isAlive(service.pid)).toBe(true)
  await service.end(10_000)
  expect(isAlive(service.pid)).toBe(false)
})

test('one that does not end is ended', async () => {
  const deaf = `${serving}\nprocess.on('SIGTERM', () => {})`
  const service = await startServiceProcess(await commandFor('deaf', deaf))
  await service.ready(signal)
  await service.end(50)
  expect(isAlive(service.pid)).toBe(false)
})

test('one that ends by itself is told of, with its last words', async () => {
  const broken = `process.stderr.write('no such server'); process.exit(78)`
  const service = await startServiceProcess(await commandFor('broken', broken))
  await expect(service.ready(signal)).rejects.toThrow(/broken ended by itself with code 78/)
  await expect(service.failed).rejects.toThrow(/no such server/)
})

test('nothing is left behind by a demo that was killed', async () => {
  const command = await commandFor('orphan', serving)
  const source = new URL('../src/service-process.ts', import.meta.url).href
  const parent = spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `const { startServiceProcess } = await import(${JSON.stringify(source)})
       const service = await startServiceProcess(${JSON.stringify(command)})
       await service.ready(new AbortController().signal)
       process.stdout.write(String(service.pid))`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  onTestFinished(() => {
    parent.kill('SIGKILL')
  })
  const pid = await new Promise<number>((resolve) => {
    parent.stdout.once('data', (chunk) => resolve(Number(chunk)))
  })
  expect(isAlive(pid)).toBe(true)
  parent.kill('SIGKILL')
  await vi.waitUntil(() => !isAlive(pid), { timeout: 30_000, interval: 20 })
})
