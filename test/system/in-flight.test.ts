import { defaultConcurrency } from '@wegwijs/delivery/concurrency'
import { claimsIn, claimsLeft } from '@wegwijs/test-support/claims'
import { holdPositions } from '@wegwijs/test-support/hold-positions'
import { topicsOf } from '@wegwijs/wire/topics'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { describe, expect } from 'vitest'
import type { Road } from './src/clinic.ts'
import { askAll, names } from './src/events.ts'
import { type System, serviceNames } from './src/system.ts'
import { cannotRun, test } from './src/test.ts'
import { checkDeliveries } from './src/truth.ts'
import { until } from './src/until.ts'

const roads = ['text', 'again', 'mail'] as const
const taking = (delayMs: number) =>
  [
    { channel: 'sms', mode: 'slow', delayMs },
    { channel: 'email', mode: 'slow', delayMs },
  ] as const
const slowly = taking(400)
/** What is being sent is still being sent when the next signal has come. */
const verySlowly = taking(4_000)

/** As a publisher does that wants nothing lost: the same events again until they are taken. */
async function publishUntilTaken(system: System, events: readonly TouchpointEvent[]) {
  for (let from = 0; from < events.length; from += 50) {
    const part = events.slice(from, from + 50)
    await until('a batch is taken', () => system.publish(part).then(() => true))
  }
}

function halves<Item>(items: readonly Item[]): [Item[], Item[]] {
  const middle = Math.ceil(items.length / 2)
  return [items.slice(0, middle), items.slice(middle)]
}

async function killed(system: System, ...names: string[]): Promise<void> {
  const processes = names.map((name) => system.process(name))
  for (const process of processes) process.signal('SIGKILL')
  for (const process of processes) expect(await process.ended).toBe('SIGKILL')
}

/** Of one wave by one road: lines of the provider, and states that are no success. */
type Outcome = { sent: number; marked: number; states: string[] }
type WaveFault = Parameters<System['fail']>[number]
const isEnd = /^(?:sent|delivered|bounced) /
const sendingIn = async (system: System) => (await system.status()).messages.sending ?? 0
const some = (count: number) => count > 0

/** Events that Kafka has and nobody has decided. */
async function undecided(system: System): Promise<number> {
  const { touchpoints } = topicsOf(system.namespace)
  const { positions } = await system.status()
  const ranges = await system.kafka.admin.endOffsets(touchpoints)
  return ranges.reduce((sum, { partition, low, high }) => {
    const known = positions.find(
      (each) => each.topic === touchpoints && each.partition === partition,
    )
    return sum + Number(high - BigInt(known?.nextOffset ?? low))
  }, 0)
}

// Each of these waits for leases to end, a minute long: together they wait once.
describe.skipIf(cannotRun).concurrent('work in flight', () => {
  test('kill -9 of all services at once, and then of each', async ({ open }) => {
    const system = await open()
    await system.start()
    await system.fail(...verySlowly)

    const atOnce = names('all', 120)
    await system.publish(askAll(atOnce, roads))
    await until('messages are being sent', () => sendingIn(system), some)
    await killed(system, ...serviceNames)
    expect(await sendingIn(system)).toBeGreaterThan(0)
    await system.start()
    await system.fail(...slowly)

    const forGateway = names('gateway', 100)
    const published = { all: false }
    const [firstEvents, otherEvents] = halves(askAll(forGateway, roads))
    await system.publish(firstEvents)
    const publishing = publishUntilTaken(system, otherEvents).then(() => {
      published.all = true
    })
    await killed(system, 'gateway')
    expect(published.all).toBe(false)
    await system.start('gateway')
    await publishing

    const forJourney = names('journey', 200)
    // However fast it is, it is in the middle of a batch that cannot go on.
    const positions = await holdPositions(system.store)
    await system.produce(askAll(forJourney, roads))
    await until('a batch is under way', positions.waiting, some)
    await killed(system, 'journey')
    expect(await undecided(system)).toBeGreaterThan(0)
    await positions.release()
    await system.start('journey')

    const forScheduler = names('scheduler', 200)
    system.process('scheduler').signal('SIGSTOP')
    await system.produce(askAll(forScheduler, roads))
    const planned = async () => (await system.status()).messages.planned ?? 0
    await until(
      'all of it is planned',
      () => planned(),
      (count) => count >= 600,
    )
    const waiting = await planned()
    system.process('scheduler').signal('SIGCONT')
    await until(
      'some is released',
      () => planned(),
      (count) => count < waiting,
    )
    await killed(system, 'scheduler')
    await system.fail(...verySlowly)
    await system.start('scheduler')

    await until('messages are being sent', () => sendingIn(system), some)
    await killed(system, 'delivery')
    expect(await sendingIn(system)).toBeGreaterThan(0)
    await system.start('delivery')
    await system.fail()

    await system.settled(250_000)
    const everybody = [...atOnce, ...forGateway, ...forJourney, ...forScheduler]
    const { unsent, marked } = await checkDeliveries(system, everybody, roads)
    // Whose hand-over nobody knows about is held, or sent once more and says so.
    expect(unsent.every(({ reason }) => reason === 'outcome_unknown')).toBe(true)
    expect(marked.every(({ reference }) => !reference.endsWith('-mail'))).toBe(true)
    expect(await system.brokenRules()).toEqual([])
  })

  test('a worker that is paused for longer than its lease sends nothing twice', async ({
    open,
  }) => {
    const system = await open()
    await system.start()
    await system.fail(...verySlowly)
    // A receipt would tell what became of a message before its lease is over.
    await system.outcomes({ bounced: 0, none: 1 })
    const people = names('p', 80)
    await system.publish(askAll(people, roads))
    await until('messages are being sent', () => sendingIn(system), some)
    const paused = system.process('delivery')
    paused.signal('SIGSTOP')
    const claims = await claimsIn(system.store)
    await system.launch('delivery', 'second-delivery')
    await system.fail(...slowly)
    // The second one sends what is queued; what the first one holds is given up with its lease.
    const left = await until(
      'the leases have run out',
      async () => ({
        ...(await claimsLeft(system.store, claims)),
        messages: (await system.status()).messages,
      }),
      ({ running, open, messages }) =>
        running + open + (messages.sending ?? 0) + (messages.queued ?? 0) === 0,
    )
    expect(left.givenUp).toBeGreaterThan(0)
    paused.signal('SIGCONT')
    await system.settled()
    const { unsent, marked } = await checkDeliveries(system, people, roads)
    expect(unsent.every(({ reason }) => reason === 'outcome_unknown')).toBe(true)
    // What it may have held is what it has room for: a claim of its may commit after it was stopped.
    const { sms, email } = defaultConcurrency
    const room = sms.transactional + email.transactional + email.standard
    expect(unsent.length + marked.length).toBeLessThanOrEqual(room)
    expect(await system.brokenRules()).toEqual([])
  })

  test('a provider that refuses, defers, breaks off or hangs gets nothing twice', async ({
    open,
  }) => {
    const system = await open()
    await system.start()
    const perRoad = 2
    const wave = async (name: string, asked: readonly Road[], ...faults: WaveFault[]) => {
      await system.fail(...faults)
      // People of their own for each road: a bounce of one message would stop the next. And fewer of
      // them than the failures after which a provider is left alone for a while.
      const people = (road: Road) => names(`${name}-${road}-`, perRoad)
      for (const road of asked) await system.publish(askAll(people(road), [road]))
      await system.settled()
      const lines = (road: Road, duplicate: boolean) =>
        system
          .accepted()
          .filter((each) => each.reference.startsWith(name) && each.duplicate === duplicate)
          .filter((each) => each.reference.endsWith(`-${road}`)).length
      const statesOf = async (road: Road) => {
        const facts = await Promise.all(people(road).map((subject) => system.explain(subject)))
        const states = facts.flat().filter((fact) => fact.messageId === road)
        return [...new Set(states.map(({ state, reason }) => `${state} ${reason}`))]
      }
      const of = async (road: Road) => ({
        sent: lines(road, false),
        marked: lines(road, true),
        states: (await statesOf(road)).filter((state) => !isEnd.test(state)),
      })
      const outcomes = await Promise.all(asked.map(async (road) => [road, await of(road)] as const))
      return Object.fromEntries<Outcome>(outcomes)
    }
    const once = { sent: perRoad, marked: 0, states: [] }
    const refused = { sent: 0, marked: 0, states: ['failed provider_refused'] }
    const held = ['held outcome_unknown']

    const busy = [
      { channel: 'email', mode: 'refuse4xx', times: 1 },
      { channel: 'sms', mode: 'rateLimit', times: 1, retryAfterSeconds: 2 },
    ] as const
    expect(await wave('busy', ['mail', 'text'], ...busy)).toEqual({ mail: once, text: once })

    const noMail = { channel: 'email', mode: 'refuse5xx' } as const
    expect(await wave('nomail', ['mail', 'reach'], noMail)).toEqual({ mail: refused, reach: once })
    const noText = { channel: 'sms', mode: 'refuse4xx' } as const
    expect(await wave('notext', ['text'], noText)).toEqual({ text: refused })

    const each = ['mail', 'again', 'text', 'remind'] as const
    const lost = [
      { channel: 'email', mode: 'resetAfterAccept', times: 1 },
      { channel: 'sms', mode: 'resetAfterAccept', times: 1 },
    ] as const
    const afterwards = await wave('lost', each, ...lost)
    // A receipt that comes in time says that it had arrived: then it is not held, nor sent again.
    for (const { sent, states } of Object.values(afterwards)) {
      expect(sent).toBe(perRoad)
      expect(held).toEqual(expect.arrayContaining(states))
    }
    // A mail server takes a second mail; the SMS provider knew the key and sent nothing.
    const { mail, text, remind } = afterwards
    expect([mail?.marked, text?.marked, remind?.marked]).toEqual([0, 0, 0])
    expect(afterwards.again?.marked).toBeLessThanOrEqual(perRoad)

    const nobodyKnows = {
      mail: { sent: 0, marked: 0, states: held },
      again: { sent: 0, marked: perRoad, states: [] },
      text: { sent: 0, marked: 0, states: held },
      remind: { sent: 0, marked: perRoad, states: [] },
    }
    const broken = [
      { channel: 'email', mode: 'resetBeforeAccept', times: 1 },
      { channel: 'sms', mode: 'refuse5xx', times: 1 },
    ] as const
    expect(await wave('broken', each, ...broken)).toEqual(nobodyKnows)
    const silent = [
      { channel: 'email', mode: 'hang', times: 1 },
      { channel: 'sms', mode: 'hang', times: 1 },
    ] as const
    expect(await wave('silent', each, ...silent)).toEqual(nobodyKnows)
    expect(await system.brokenRules()).toEqual([])
  })

  test('SIGTERM lets what is in flight end, and loses and doubles nothing', async ({ open }) => {
    const system = await open()
    await system.start()
    await system.fail(...slowly)
    const people = names('p', 150)
    for (const name of ['delivery', 'journey', 'scheduler', 'gateway'] as const) {
      const own = people.map((subject) => `${name}-${subject}`)
      const publishing = publishUntilTaken(system, askAll(own, ['text', 'mail']))
      if (name === 'delivery') await until('messages are sent', () => sendingIn(system), some)
      const process = system.process(name)
      process.signal('SIGTERM')
      expect(await within20Seconds(process.ended)).toBe(0)
      await system.start(name)
      await publishing
    }
    await system.fail()
    await system.settled()
    const everybody = ['delivery', 'journey', 'scheduler', 'gateway'].flatMap((name) =>
      people.map((subject) => `${name}-${subject}`),
    )
    const nothing = { unsent: [], marked: [] }
    expect(await checkDeliveries(system, everybody, ['text', 'mail'])).toEqual(nothing)
    expect(await system.brokenRules()).toEqual([])
  })
})

/** The time that an orchestrator gives: what takes longer is killed. */
async function within20Seconds<Result>(ending: Promise<Result>): Promise<Result | 'too late'> {
  const late = Promise.withResolvers<'too late'>()
  const timer = setTimeout(() => late.resolve('too late'), 20_000)
  return Promise.race([ending, late.promise]).finally(() => clearTimeout(timer))
}
