import { topicsOf } from '@wegwijs/wire/topics'
import { describe, expect } from 'vitest'
import { arrival, askAll, event, names } from './src/events.ts'
import { startPrivate } from './src/private-servers.ts'
import { type System, serviceNames } from './src/system.ts'
import { cannotRun, test } from './src/test.ts'
import { checkDeliveries } from './src/truth.ts'
import { until } from './src/until.ts'

/** Who cannot work without it. The sandbox needs nothing but its own files. */
const needs = {
  postgres: ['gateway', 'journey', 'scheduler', 'delivery'],
  kafka: ['gateway', 'journey'],
} as const

const readinessOf = async (system: System, name: string) =>
  (await system.process(name).readiness())?.ready ?? false

async function untilReady(system: System, names: readonly string[], ready: boolean) {
  for (const name of names) {
    const is = () => readinessOf(system, name)
    await until(`${name} is ${ready ? '' : 'not '}ready`, is, (now) => now === ready)
  }
}

/** A 503 says when to come back; whatever else is answered, it is never a false 202. */
async function refusedFor(system: System, subject: string): Promise<Response> {
  const { contentType, body } = system.encode([arrival(subject)])
  const answer = await system.post(body, { 'content-type': contentType })
  expect(answer.status).toBe(503)
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  return answer
}

describe.skipIf(cannotRun)('servers that are away', () => {
  test('at the start and in between: services wait, say so, and resume', async ({
    open,
    directory,
    onTestFinished,
  }) => {
    const [postgres, kafka, redis] = await Promise.all([
      startPrivate('postgres', directory),
      startPrivate('kafka', directory),
      startPrivate('redis', directory),
    ])
    const servers = { postgres, kafka, redis }
    onTestFinished(async () => {
      await Promise.all(Object.values(servers).map((server) => server.goAway()))
    })
    const system = await open({
      servers: {
        kafkaBrokers: kafka.address.split(','),
        databaseUrl: postgres.address,
        redisUrl: redis.address,
      },
    })

    // At the start: nothing is there.
    await Promise.all(Object.values(servers).map((server) => server.goAway()))
    await Promise.all(serviceNames.map((service) => system.launch(service)))
    for (const name of serviceNames.filter((service) => service !== 'sandbox')) {
      const log = () => system.process(name).output()
      await until(`${name} says that it waits`, log, (text) => text.includes('waits for'))
      expect(await readinessOf(system, name)).toBe(false)
    }
    await refusedFor(system, 'early')
    await redis.comeBack()
    await postgres.comeBack()
    await refusedFor(system, 'early')
    await kafka.comeBack()
    await untilReady(system, serviceNames, true)
    const first = names('first', 30)
    await system.publish(askAll(first, ['mail', 'text']))
    await system.settled()

    // Kafka in between: other events are refused, a stop is taken and holds at once.
    system.process('delivery').signal('SIGSTOP')
    await system.publish(askAll(['optout', 'stays'], ['mail', 'text']))
    const queued = ({ messages }: { messages: { queued?: number } }) => messages.queued === 4
    await until('their messages are queued', system.status, queued)
    await kafka.goAway()
    await untilReady(system, needs.kafka, false)
    await refusedFor(system, 'stays')
    await system.publish([event('optout', 'consent.withdrawn.v1', { purpose: 'all' })])
    // What the scheduler has for Kafka, it cannot bring there now.
    await untilReady(system, ['scheduler'], false)
    system.process('delivery').signal('SIGCONT')
    const has = (reference: string) =>
      system.accepted().some((message) => message.reference === reference)
    await until('what may be sent is sent', () => has('stays-mail') && has('stays-text'))
    const reasons = async () => (await system.explain('optout')).map(({ reason }) => reason)
    await until('what may not is not', reasons, (told) =>
      told.every((reason) => reason === 'consent_withdrawn'),
    )
    await kafka.comeBack()
    await untilReady(system, serviceNames, true)
    await system.settled()
    expect(has('optout-mail') || has('optout-text')).toBe(false)
    const { urgent } = topicsOf(system.namespace)
    expect(await system.recordsOf(urgent)).toHaveLength(1)

    // PostgreSQL in between, while there is work.
    const second = names('second', 60)
    await system.fail({ channel: 'email', mode: 'slow', delayMs: 200 })
    await system.publish(askAll(second, ['mail', 'text']))
    await until('messages are sent', () => has('second1-mail'))
    await postgres.goAway()
    await untilReady(system, needs.postgres, false)
    const optOut = system.encode([event('stays', 'consent.withdrawn.v1', { purpose: 'all' })])
    const answer = await system.post(optOut.body, { 'content-type': optOut.contentType })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.any(String)])
    await postgres.comeBack()
    await untilReady(system, serviceNames, true)
    await system.fail()
    await system.settled()

    const everybody = [...first, ...second]
    expect(await checkDeliveries(system, [...everybody, 'stays'], ['mail', 'text'])).toEqual({
      unsent: [],
      marked: [],
    })
    for (const process of system.processes()) expect(process.isRunning()).toBe(true)
    expect(await system.brokenRules()).toEqual([])
  })
})
