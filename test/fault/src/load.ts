import { systemClock } from '@wegwijs/runtime/clock'
import { arrival, ask, event } from '@wegwijs/system-tests/events'
import type { System } from '@wegwijs/system-tests/system'
import { until } from '@wegwijs/system-tests/until'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { type Ledger, openLedger, type PublishingRoad } from './ledger.ts'
import { messagesOf } from './messages.ts'

export type Load = {
  readonly ledger: Ledger
  /** People begin to arrive, `peoplePerSecond` over HTTP and as many over Kafka. */
  start(peoplePerSecond: number): void
  /**
   * Resolves when some were asked for after the answer of their stop, and some when they had moved:
   * until then there is nothing that P3 and P6 could be seen by.
   */
  untilTold(): Promise<void>
  /** Nobody new arrives; resolves when everything that was begun is acknowledged. */
  stop(): Promise<void>
  /** Publishes these until they are acknowledged, in their order, and keeps them in the ledger. */
  publish(road: PublishingRoad, events: readonly TouchpointEvent[]): Promise<void>
  /** So many new people, and one message to each by each of four roads; resolves with their references. */
  wave(name: string, people: number): Promise<string[]>
  /** A stop over HTTP: it holds from its answer on. */
  stopPerson(subject: string, type: StopType): Promise<void>
}

export type StopType = 'consent.withdrawn.v1' | 'person.deceased.v1'

const TICK_MS = 250
const PAUSE_MS = 200
const REQUEST_MS = 15_000
/** Whatever a fault does, by then its servers are back. */
const PATIENCE_MS = 240_000
/** A person's story has so many parts, one a second. */
const TICKS_BETWEEN_PARTS = 4

/** A person whose story goes on. */
type Arrived = { subject: string; part: number; isStopped: boolean }

/**
 * A publisher that wants nothing lost: it says everything again until it is acknowledged, and what
 * it says of one person only in order. Each person arrives, asks for messages by several roads,
 * moves to another address, asks again; every third one then withdraws or dies, over HTTP, and is
 * asked for once more all the same.
 */
export function createLoad(
  system: System,
  options: { prefix: string; chance: () => number; gatewayUrl: string },
): Load {
  const { prefix, chance, gatewayUrl } = options
  const post = (events: readonly TouchpointEvent[]) => postTo(gatewayUrl, system, events)
  const ledger = openLedger()
  let arrived = 0
  let flowing: Promise<unknown> = Promise.resolve()
  let ending = false

  const publish: Load['publish'] = async (road, events) => {
    if (events.length === 0) return
    ledger.publishing(road, events)
    await untilTaken(`${events.length} events are taken over ${road}`, () =>
      road === 'http' ? post(events) : system.produce(events).then(() => true),
    )
    ledger.acknowledged(events)
  }

  const stopPerson: Load['stopPerson'] = async (subject, type) => {
    const stop = event(subject, type, type === 'consent.withdrawn.v1' ? { purpose: 'all' } : {})
    ledger.stopping(subject)
    await untilTaken('a stop is taken', () => post([stop]))
    const answeredAt = systemClock.instant()
    // What is on its way in this moment is the only thing that may still arrive.
    const messages = await untilRead(() => messagesOf(system.store, subject))
    ledger.stopped(subject, { answeredAt, readAt: systemClock.instant(), messages })
  }

  const flow = async (road: PublishingRoad, peoplePerSecond: number) => {
    const people: Arrived[][] = []
    const stops: Promise<void>[] = []
    let due = 0
    while (!ending) {
      const beganMs = systemClock.monotonicMs()
      due += (peoplePerSecond * TICK_MS) / 1_000
      const count = Math.floor(due)
      due -= count
      people.push(Array.from({ length: count }, () => newcomer(road)))
      const speaking = people.filter(
        (_, index) => (people.length - 1 - index) % TICKS_BETWEEN_PARTS === 0,
      )
      const events = speaking.flat().flatMap((person) => nextPart(person))
      for (const person of speaking.flat().filter(shouldStop)) {
        person.isStopped = true
        const type = chance() < 0.5 ? 'consent.withdrawn.v1' : 'person.deceased.v1'
        stops.push(stopPerson(person.subject, type))
      }
      while (people[0]?.every(({ part }) => part >= parts.length)) people.shift()
      await publish(road, events)
      await systemClock.sleep(Math.max(0, TICK_MS - (systemClock.monotonicMs() - beganMs)))
    }
    await Promise.all(stops)
  }

  const newcomer = (road: PublishingRoad): Arrived => {
    arrived += 1
    return { subject: `${prefix}-${road}${arrived}`, part: 0, isStopped: false }
  }
  const nextPart = (person: Arrived) => {
    const part = parts[person.part]
    person.part += 1
    return part?.(person.subject) ?? []
  }
  const shouldStop = (person: Arrived) =>
    person.part === parts.length - 1 && !person.isStopped && chance() < 1 / 3

  return {
    ledger,
    publish,
    stopPerson,
    async wave(name, people) {
      const subjects = Array.from({ length: people }, (_, index) => `${prefix}-${name}${index + 1}`)
      const events = subjects.flatMap((subject) => [movedTo(subject, 1), ...asks(subject, 1, all)])
      await publish('http', events)
      return events.flatMap(({ data }) => (data.reference ? [String(data.reference)] : []))
    },
    start(peoplePerSecond) {
      ending = false
      flowing = Promise.all([flow('http', peoplePerSecond), flow('kafka', peoplePerSecond)])
      // Told by `stop`.
      flowing.catch(() => {})
    },
    async untilTold() {
      // What has failed would never tell anything.
      await Promise.race([flowing, until('stops and moves are told', () => isTold(ledger))])
    },
    async stop() {
      ending = true
      await flowing
      flowing = Promise.resolve()
    },
  }
}

const ENOUGH_TOLD = 3

function isTold(ledger: Ledger): boolean {
  const answeredAt = new Map(
    ledger.stops().map(({ subject, answer }) => [subject, answer?.answeredAt]),
  )
  const asked = ledger.asked().filter(({ acknowledgedAt }) => acknowledgedAt !== null)
  const stopped = asked.filter((each) => each.publishedAt > (answeredAt.get(each.subject) ?? never))
  const moved = asked.filter(({ addressNumber }) => addressNumber > 1)
  return Math.min(stopped.length, moved.length) >= ENOUGH_TOLD
}

/** Later than any instant. */
const never = '9'

/** The story of a person: what is said of them, part by part. */
const parts: readonly ((subject: string) => TouchpointEvent[])[] = [
  (subject) => [movedTo(subject, 1), ...asks(subject, 1, ['mail', 'text'])],
  (subject) => [movedTo(subject, 2), ...asks(subject, 2, ['again', 'remind'])],
  (subject) => [movedTo(subject, 3), ...asks(subject, 3, ['mail', 'again'])],
  (subject) => asks(subject, 4, ['mail', 'text', 'remind']),
]

const all = ['mail', 'text', 'again', 'remind'] as const

/** The same person at another address; its number tells which of two was applied last. */
function movedTo(subject: string, number: number): TouchpointEvent {
  const contacts = { email: addressOf(subject, number), phone: '+447700900123', app: subject }
  return arrival(subject, { contacts })
}

function addressOf(subject: string, number: number): string {
  return `${subject}.at${number}@example.org`
}

function asks(subject: string, part: number, roads: readonly Parameters<typeof ask>[0][]) {
  return roads.map((road) => ask(road, subject, `${subject}/${part}/${road}`))
}

/** False when it was not taken now: after a 207, too, all of it is sent again and counts once. */
async function postTo(
  gatewayUrl: string,
  system: System,
  events: readonly TouchpointEvent[],
): Promise<boolean> {
  for (let from = 0; from < events.length; from += EVENTS_A_REQUEST) {
    const { body, contentType } = system.encode(events.slice(from, from + EVENTS_A_REQUEST))
    const answer = await fetch(`${gatewayUrl}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${system.key}`, 'content-type': contentType },
      body: new Uint8Array(Buffer.from(body)),
      signal: AbortSignal.timeout(REQUEST_MS),
    })
    if (answer.status !== 202) {
      const text = await answer.text()
      if ([207, 429, 503].includes(answer.status)) return false
      throw new UnexpectedAnswer(`the gateway answered ${answer.status}: ${text}`)
    }
    await answer.arrayBuffer()
  }
  return true
}

const EVENTS_A_REQUEST = 100

class UnexpectedAnswer extends Error {}

async function untilTaken(what: string, attempt: () => Promise<boolean>): Promise<void> {
  await again(what, async () => ((await attempt()) ? { taken: true } : null))
}

function untilRead<Result extends object>(read: () => Promise<Result>): Promise<Result> {
  return again('PostgreSQL tells', read)
}

async function again<Result extends object>(
  what: string,
  attempt: () => Promise<Result | null>,
): Promise<Result> {
  const endMs = systemClock.monotonicMs() + PATIENCE_MS
  for (;;) {
    let last: unknown
    try {
      const result = await attempt()
      if (result !== null) return result
    } catch (error) {
      if (error instanceof UnexpectedAnswer) throw error
      last = error
    }
    if (systemClock.monotonicMs() > endMs) {
      throw new Error(`not within ${PATIENCE_MS / 1_000} s: ${what}`, { cause: last })
    }
    await systemClock.sleep(PAUSE_MS)
  }
}
