import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPrivate } from '@wegwijs/system-tests/private-servers'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import type { Fault } from './src/fault.ts'
import { openWorld, openWorlds } from './src/world.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wegwijs-closing-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const nothing: Fault = {
  name: 'nothing',
  on: 'redis',
  title: 'nothing at all',
  needs: ['redis'],
  strike: async () => {
    throw new Error('it is never open')
  },
}

/** Servers and services that this process has started and that still run. */
function leftRunning(): string[] {
  const lines = execFileSync('ps', ['-A', '-o', 'ppid=,stat=,args='], { encoding: 'utf8' }).split(
    '\n',
  )
  return (
    lines
      .map((line) => line.trim())
      .filter((line) => line.startsWith(`${process.pid} `) && /redis-server|services\//.test(line))
      // One that has ended and that nobody has asked about yet.
      .filter((line) => !/^\d+ +Z/.test(line))
  )
}

describe('a world that is closed while it is being opened leaves nothing running', () => {
  const endAll = () => Promise.all([...openWorlds].map((world) => world.close()))

  /** Opens it, and closes it as soon as `begin` is called, or at once. */
  async function closedEarly(faultOf: (begin: () => void) => Fault, atOnce = false): Promise<void> {
    const begun = Promise.withResolvers<void>()
    const chance = () => 0.5
    const options = { directory, servers: inject('servers'), prefix: 'r1', chance }
    const opening = openWorld(faultOf(begun.resolve), options)
    const opened = expect(opening).rejects.toThrow('closed while it was in use')
    if (!atOnce) await begun.promise
    await endAll()
    await opened
    expect(openWorlds.size).toBe(0)
    expect(leftRunning()).toEqual([])
  }

  test('while its own server starts', () => closedEarly(() => nothing, true))

  test('when its own server has started', () =>
    closedEarly((begin) => ({
      ...nothing,
      between: async () => {
        begin()
        return { proxies: {}, environmentOf: (_service, environment) => environment }
      },
    })))

  test('while its services start', () =>
    closedEarly((begin) => ({
      ...nothing,
      between: async () => ({
        proxies: {},
        environmentOf: (_service, environment) => {
          begin()
          return environment
        },
      }),
    })))
})

test('a server that is ended while it comes back does not come back', async () => {
  const server = await startPrivate('redis', directory)
  await server.goAway()
  const back = server.comeBack().catch(() => undefined)
  await server.end()
  await back
  expect(leftRunning()).toEqual([])
  await expect(server.comeBack()).rejects.toThrow('ended')
})
