import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { resetStack, type StackOptions, stackStatus, startStack, stopStack } from '../src/stack.ts'
import { testFolder } from './folder.ts'

const run = promisify(execFile)
const UP = fileURLToPath(new URL('up.ts', import.meta.url))
const servers = inject('servers')

async function smallStack(): Promise<StackOptions> {
  const directory = await testFolder()
  const options: StackOptions = { directory, durable: false, servers: ['postgres', 'redis'] }
  onTestFinished(() => stopStack(options))
  return options
}

async function states(options: StackOptions): Promise<Record<string, string>> {
  const all = await stackStatus(options)
  return Object.fromEntries(all.map(({ server, state }) => [server, state]))
}

describe.skipIf(servers.redisUrl === '')('the stack', () => {
  test('is started once by two processes that want it at the same time', async () => {
    const options = await smallStack()
    const both = await Promise.all([1, 2].map(() => run(process.execPath, [UP, options.directory])))
    const [first, second] = both.map(({ stdout }) => JSON.parse(stdout))
    expect(first.databaseUrl).toMatch(/^postgresql:/)
    expect(second).toEqual(first)
    // It goes on when those who started it have ended.
    expect(await states(options)).toEqual({ postgres: 'answers', redis: 'answers' })
  })

  test('goes down and comes back on the same addresses with its data', async () => {
    const options = await smallStack()
    const first = await startStack(options)
    await stopStack(options)
    expect(await states(options)).toEqual({ postgres: 'stopped', redis: 'stopped' })
    expect(await startStack(options)).toEqual(first)
  })

  test('loses its data only when it is reset', async () => {
    const options = await smallStack()
    const first = await startStack(options)
    await resetStack(options)
    const second = await startStack(options)
    expect(passwordOf(second.databaseUrl)).not.toBe(passwordOf(first.databaseUrl))
  })

  test('replaces a server that runs and does not answer', async () => {
    const options = await smallStack()
    await startStack(options)
    const redis = (await stackStatus(options)).find(({ server }) => server === 'redis')
    process.kill(redis?.pid ?? 0, 'SIGSTOP')
    expect(await states(options)).toEqual({ postgres: 'answers', redis: 'silent' })
    await startStack(options)
    expect(await states(options)).toEqual({ postgres: 'answers', redis: 'answers' })
  })

  test('shows no password', async () => {
    const options = await smallStack()
    const { databaseUrl } = await startStack(options)
    expect(JSON.stringify(await stackStatus(options))).not.toContain(passwordOf(databaseUrl))
  })

  test('starts nothing in the place of a given server', async () => {
    const options = await smallStack()
    const given = { redisUrl: servers.redisUrl, databaseUrl: servers.databaseUrl }
    expect(await startStack({ ...options, given })).toMatchObject(given)
    expect((await stackStatus({ ...options, given })).map(({ origin }) => origin)).toEqual([
      'given',
      'given',
    ])
    expect(await states(options)).toEqual({ postgres: 'stopped', redis: 'stopped' })
  })

  test('says which given server does not answer', async () => {
    const options = await smallStack()
    const given = { redisUrl: 'redis://127.0.0.1:1' }
    await expect(startStack({ ...options, given })).rejects.toMatchObject({
      code: 'WEGWIJS_STACK_GIVEN_SERVER_SILENT',
      detail: { server: 'redis', variable: 'WEGWIJS_REDIS_URL' },
    })
  })
})

test('each missing piece is named with the command that installs it', async () => {
  const directory = await testFolder()
  // A machine with nothing on its PATH: no redis-server, and no apt-get to bring it.
  const up = run(process.execPath, [UP, directory], { env: { PATH: directory } })
  await expect(up).rejects.toMatchObject({
    stdout: expect.stringMatching(/redis-server \(sudo apt-get install redis-server\)/),
  })
})

function passwordOf(databaseUrl: string): string {
  return new URL(databaseUrl).password
}
