import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { describe, expect } from 'vitest'
import { askAll, names } from './src/events.ts'
import { startPrivate } from './src/private-servers.ts'
import { cannotRun, sharedServers, test } from './src/test.ts'
import { checkDeliveries } from './src/truth.ts'
import { until } from './src/until.ts'

const allSent = { unsent: [], marked: [] }

describe.skipIf(cannotRun)('Redis is disposable', () => {
  test('wiped with work queued, then killed, then come back with nothing', async ({
    open,
    directory,
    onTestFinished,
  }) => {
    const server = await startPrivate('redis', directory)
    onTestFinished(server.goAway)
    const system = await open({ servers: { ...sharedServers, redisUrl: server.address } })
    await system.start('gateway', 'sandbox', 'journey', 'scheduler')
    const keysOf = async () => {
      const redis = new Redis(server.address)
      const keys = await redis.keys('*')
      redis.disconnect()
      return keys.length
    }

    const first = names('first', 150)
    await system.publish(askAll(first, ['text', 'mail']))
    await until('all is queued', system.status, ({ messages }) => messages.queued === 300)
    await until('Redis holds jobs', keysOf, (count) => count > 6)
    const redis = new Redis(server.address)
    await redis.flushall()
    redis.disconnect()
    await system.start('delivery')
    await system.settled()
    expect(await checkDeliveries(system, first, ['text', 'mail'])).toEqual(allSent)

    // Slow providers, so that workers hold jobs when it goes, however long that takes.
    await system.fail(
      { channel: 'sms', mode: 'slow', delayMs: 3_000 },
      { channel: 'email', mode: 'slow', delayMs: 3_000 },
    )
    const second = names('second', 100)
    await system.publish(askAll(second, ['text', 'mail']))
    await until('workers are at it', system.status, ({ messages }) => (messages.sending ?? 0) > 0)
    await server.goAway()
    const { messages } = await system.status()
    expect((messages.queued ?? 0) + (messages.planned ?? 0)).toBeGreaterThan(0)
    await system.fail()
    for (const name of ['scheduler', 'delivery']) {
      const told = () => system.process(name).output()
      await until(`${name} says that it waits`, told, (log) => /waits for|Redis/.test(log))
    }
    const ready = async () => (await system.process('scheduler').readiness())?.ready
    await until('the scheduler is not ready', ready, (is) => is === false)

    await rm(join(directory, 'redis', 'appendonlydir'), { recursive: true, force: true })
    await server.comeBack()
    await until('the scheduler is ready', ready, (is) => is === true)
    await system.settled()
    const both = [...first, ...second]
    expect(await checkDeliveries(system, both, ['text', 'mail'])).toEqual(allSent)
    expect(await system.brokenRules()).toEqual([])
    for (const process of system.processes()) expect(process.isRunning()).toBe(true)
  })
})
