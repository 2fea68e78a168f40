import { readFileSync } from 'node:fs'
import { systemClock } from '@wegwijs/runtime/clock'
import { arrival, ask, event, names } from '@wegwijs/system-tests/events'
import { type ServiceName, serviceNames } from '@wegwijs/system-tests/system'
import { until } from '@wegwijs/system-tests/until'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { sql } from 'kysely'
import type { Fault } from '../fault.ts'
import type { World } from '../world.ts'

/** What each mail takes at the provider: with the few slots of its lane, bulk must queue up. */
const PROVIDER_MS = 200
/** Events a second, each in a request of its own. */
const USUAL_RATE = 30
/** They come together, every two seconds: in the flood more of them than the gateway works on (256). */
const SECONDS_A_BEAT = 2
const TIMES_USUAL = 10
/** A flood before anything is measured: in it services take what they need at this rate once, and then have it. */
const WARM_UP_SECONDS = 20
const USUAL_SECONDS = 20
const FLOOD_SECONDS = 60
/** A rate is what was asked of it when no more than this is missing. */
const ALMOST = 0.95
/**
 * From the publisher to the provider, for half of those who wait beside a flood and for 99 in 100 of them; or
 * twice as long as usual, on a machine that is slow without a flood. On two idle cores the first take 0.07 s and
 * the second 0.3 s; where much else takes the same cores it has been 1.3 s and 4.2 s. Who had to wait behind the
 * bulk, or behind the events of the flood, would wait until these are worked off: half of them for longer than
 * ten seconds.
 */
const MOST_DELAY_MS = { 0.5: 2_000, 0.99: 5_000 }
/**
 * From its release on half of the bulk takes so many times as long as half of the transactional messages, at
 * least. Both are slower on a busy machine, so that this bound can be close where those above cannot.
 */
const TIMES_BULK = 10
/** As many bulk messages before it in the queue mean that a message would have had to wait. */
const BACKLOG = 20
/**
 * What V8 may hold of old objects in each service, dead ones included. Of its own accord it lets them gather
 * for a minute and more, by 140 MB, and nobody could tell that from a service that keeps what it should not.
 */
const HEAP_MB = 128
/**
 * By so much the memory of a service in the last third of the flood, by the median of its samples, may be
 * above that in the first third; 32 has been seen. Some 12,000 events lie between the two: a service that kept
 * 5 kB of each would grow by more.
 */
const MOST_GROWTH_MB = 48
const SECOND_MS = 1_000

const overload: Fault = {
  name: 'overload',
  on: 'overload',
  title: 'ten times the usual rate for a minute, with bulk that queues up beside it',
  needs: [],
  peoplePerSecond: 0,
  async between() {
    const options = { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` }
    return { proxies: {}, environmentOf: () => options }
  },
  async strike(world, { short, say }) {
    const { load } = world
    const seconds = short ? 5 : FLOOD_SECONDS
    const readers = names('reader', short ? 60 : 400)
    const warmUpSeconds = short ? 0 : WARM_UP_SECONDS
    const patients = names('patient', warmUpSeconds + USUAL_SECONDS + seconds)
    await arrive(world, readers, patients)
    await world.system.fail({ channel: 'email', mode: 'slow', delayMs: PROVIDER_MS })
    const first = patients.splice(0, warmUpSeconds)
    const warmUp = await crowd(world, first, TIMES_USUAL * USUAL_RATE)
    const before = patients.splice(0, USUAL_SECONDS)
    const usual = await crowd(world, before, USUAL_RATE)
    await load.publish(
      'kafka',
      readers.map((subject) => ask('offer', subject, `${subject}/1/offer`)),
    )
    const inFlight = await world.untilInFlight('bulk queues up', ({ queued }) => queued >= BACKLOG)
    const memory = watchMemory(world)
    const flood = await crowd(world, patients, TIMES_USUAL * USUAL_RATE)
    const held = await memory.end()
    const waits = await waitsOf(world)
    const usually = delaysOf(world, before)
    const inFlood = delaysOf(world, patients)
    const times = flood.perSecond / usual.perSecond
    say(
      `${flood.taken.length} taken, ${flood.refused} refused, ${times.toFixed(1)} times the usual`,
    )
    return {
      // The flood.
      kills: 1,
      inFlight,
      unknownAtMost: 0,
      figures: {
        'events a second usually': Math.round(usual.perSecond),
        'and in the flood': Math.round(flood.perSecond),
        'events taken in the flood': flood.taken.length,
        'and refused': flood.refused,
        'delay of half of the messages usually, ms': quantile(usually, 0.5),
        'and in the flood, ms': quantile(inFlood, 0.5),
        'delay of 99 in 100 usually, ms': quantile(usually, 0.99),
        'and of 99 in 100 in the flood, ms': quantile(inFlood, 0.99),
        'of half of the messages from release on, ms': quantile(waits.transactional, 0.5),
        'and of half of the bulk, ms': quantile(waits.bulk, 0.5),
        ...held.figures,
      },
      violations: [
        ...[warmUp, usual, flood].flatMap(({ wrong }) => wrong),
        ...held.violations,
        ...besideBulk(waits),
        ...(await behindBulk(world)),
        ...(times >= ALMOST * TIMES_USUAL ? [] : [`only ${times.toFixed(1)} times the usual rate`]),
        ...(flood.refused > 0 ? [] : ['the gateway was not overloaded']),
        ...tooLate(usually, inFlood),
        ...(await neverDecided(
          world,
          [warmUp, usual, flood].flatMap(({ taken }) => taken),
        )),
      ],
    }
  },
}

async function arrive({ load }: World, readers: readonly string[], patients: readonly string[]) {
  await load.publish('kafka', [
    ...[...readers, ...patients].map((subject) => arrival(subject)),
    ...readers.map((subject) =>
      event(subject, 'consent.granted.v1', { purpose: 'marketing', proof: 'test' }),
    ),
  ])
}

function askOne({ load }: World, subject: string): Promise<void> {
  return load.publish('kafka', [ask('mail', subject, referenceOf(subject))])
}

function referenceOf(subject: string): string {
  return `${subject}/1/mail`
}

async function untilThere({ system }: World, subjects: readonly string[]): Promise<void> {
  await until('each of them has a message', () => {
    const there = new Set(system.accepted().map(({ reference }) => reference))
    return subjects.every((subject) => there.has(referenceOf(subject)))
  })
}

/** From the publisher's call until the provider has it, by the clock of this machine. */
function delaysOf({ load, system }: World, subjects: readonly string[]): number[] {
  const asked = new Map(load.ledger.asked().map((each) => [each.reference, each.publishedAt]))
  const wanted = new Set(subjects.map(referenceOf))
  return system.accepted().flatMap(({ reference, receivedAt }) => {
    const publishedAt = asked.get(reference)
    const isOne = wanted.has(reference) && publishedAt !== undefined
    return isOne ? [Date.parse(receivedAt) - Date.parse(publishedAt)] : []
  })
}

/** What of the delays beside the flood is longer than it may be, in words. */
function tooLate(usually: readonly number[], inFlood: readonly number[]): string[] {
  return Object.entries(MOST_DELAY_MS).flatMap(([share, boundMs]) => {
    const [usualMs, delayMs] = [usually, inFlood].map((each) => quantile(each, Number(share)))
    const isKept = (delayMs ?? 0) <= Math.max(boundMs, 2 * (usualMs ?? 0))
    return isKept ? [] : [`beside the flood ${share} of the messages took up to ${delayMs} ms`]
  })
}

/** Of so large a share, from 0 to 1, none is larger than this. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0
}

type Way = { reference: string; queuedAt: string; acceptedAt: string }

/**
 * Transactional messages that went behind bulk: of a backlog that was released before them not one
 * was left when the provider got them.
 */
async function behindBulk(world: World): Promise<string[]> {
  const ways = await waysOf(world)
  const bulk = ways.filter(({ reference }) => reference.endsWith('/offer'))
  return ways.flatMap(({ reference, queuedAt, acceptedAt }) => {
    if (!reference.endsWith('/mail')) return []
    const before = bulk.filter((each) => each.queuedAt < queuedAt && each.acceptedAt > queuedAt)
    const isBehind =
      before.length >= BACKLOG && before.every((each) => each.acceptedAt < acceptedAt)
    return isBehind ? [`${reference} went behind ${before.length} bulk messages`] : []
  })
}

/** From its release until its provider had it, in milliseconds, of each message that is out. */
type Waits = { transactional: number[]; bulk: number[] }

async function waitsOf(world: World): Promise<Waits> {
  const ways = await waysOf(world)
  const of = (road: string) =>
    ways
      .filter(({ reference }) => reference.endsWith(`/${road}`))
      .map(({ queuedAt, acceptedAt }) => Date.parse(acceptedAt) - Date.parse(queuedAt))
  return { transactional: of('mail'), bulk: of('offer') }
}

/** Transactional messages that waited as bulk does, in words. */
function besideBulk({ transactional, bulk }: Waits): string[] {
  const [own, other] = [quantile(transactional, 0.5), quantile(bulk, 0.5)]
  return own * TIMES_BULK <= other
    ? []
    : [`half of the transactional messages took ${own} ms, half of the bulk ${other} ms`]
}

/** Of each message that is out: when it was released, and when the provider had it. */
async function waysOf({ system }: World): Promise<Way[]> {
  const { rows } = await sql<{ intentId: string; queuedAt: string }>`
    select intent_id as "intentId", queued_at as "queuedAt" from intent
    where queued_at is not null`.execute(system.store.db)
  const queued = new Map(rows.map(({ intentId, queuedAt }) => [intentId, queuedAt]))
  return system.accepted().flatMap(({ intentId, reference, receivedAt }) => {
    const queuedAt = queued.get(String(intentId))
    return queuedAt === undefined ? [] : [{ reference, queuedAt, acceptedAt: receivedAt }]
  })
}

type Crowd = { perSecond: number; taken: TouchpointEvent[]; refused: number; wrong: string[] }

/**
 * So many requests a second, of one event each, whether those before them are answered or not, and
 * in each second a message for one of the patients. Resolves when all is answered and has come.
 */
async function crowd(world: World, patients: readonly string[], rate: number): Promise<Crowd> {
  const requests: Promise<Answered>[] = []
  const asks: Promise<void>[] = []
  const beganMs = systemClock.monotonicMs()
  for (const [second, patient] of patients.entries()) {
    asks.push(askOne(world, patient))
    const together = second % SECONDS_A_BEAT === 0 ? SECONDS_A_BEAT * rate : 0
    for (let index = 0; index < together; index += 1) {
      requests.push(arriveOverHttp(world, `crowd${(index % PEOPLE_IN_CROWD) + 1}`))
    }
    const nextMs = beganMs + (second + 1) * SECOND_MS
    await systemClock.sleep(Math.max(0, nextMs - systemClock.monotonicMs()))
  }
  const seconds = (systemClock.monotonicMs() - beganMs) / SECOND_MS
  const answers = await Promise.all(requests)
  await Promise.all(asks)
  await untilThere(world, patients)
  return {
    perSecond: requests.length / seconds,
    taken: answers.flatMap(({ event, status }) => (status === 202 ? [event] : [])),
    refused: answers.filter(({ status }) => status !== 202).length,
    wrong: answers.flatMap(wrongIn),
  }
}

const PEOPLE_IN_CROWD = 50

/** Status 0 stands for no answer; `retryAfter` then says why. */
type Answered = { event: TouchpointEvent; status: number; retryAfter: string | null }

async function arriveOverHttp({ system }: World, subject: string): Promise<Answered> {
  const event = arrival(subject)
  const { body, contentType } = system.encode([event])
  try {
    const answer = await system.post(Buffer.from(body), { 'content-type': contentType })
    await answer.arrayBuffer()
    return { event, status: answer.status, retryAfter: answer.headers.get('retry-after') }
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    return { event, status: 0, retryAfter: String(cause ?? error) }
  }
}

/** Taken, or refused with a word on when to come back; anything else is wrong. */
function wrongIn({ status, retryAfter }: Answered): string[] {
  const isRefusal = (status === 429 || status === 503) && Number(retryAfter) > 0
  return status === 202 || isRefusal ? [] : [`answered ${status}, Retry-After ${retryAfter}`]
}

/** Events that were answered with 202 and then never decided. */
async function neverDecided(
  { system }: World,
  taken: readonly TouchpointEvent[],
): Promise<string[]> {
  const ids = taken.map(({ id }) => id)
  const missing = async () => {
    const { rows } = await sql<{ id: string }>`
      select id from unnest(${ids}::text[]) as taken (id)
      where not exists (select from inbox where event_id = taken.id)`.execute(system.store.db)
    return rows
  }
  await until('what was answered 202 is decided', missing, (rows) => rows.length === 0).catch(
    () => {},
  )
  return (await missing()).map(({ id }) => `${id} was answered 202 and is not decided`)
}

/** Samples the resident memory of each service twice a second, from now on. */
function watchMemory({ system }: World) {
  const samples = new Map<ServiceName, number[]>(serviceNames.map((name) => [name, []]))
  const over = new AbortController()
  const sample = async () => {
    for (;;) {
      for (const [name, own] of samples) own.push(residentMb(system.process(name).pid))
      await systemClock.sleep(SECOND_MS / 2, over.signal)
    }
  }
  const sampling = sample().catch(() => {})
  return {
    async end() {
      over.abort()
      await sampling
      const figures: Record<string, number> = {}
      const violations: string[] = []
      for (const [name, own] of samples) {
        const growth = growthOf(own)
        figures[`most MB of ${name}`] = Math.max(...own)
        figures[`MB by which ${name} grew in the flood`] = growth
        if (growth > MOST_GROWTH_MB) violations.push(`${name} grew by ${growth} MB`)
      }
      return { figures, violations }
    },
  }
}

/** From the first third of the samples to the last, by the median of each. */
function growthOf(samples: readonly number[]): number {
  const third = Math.floor(samples.length / 3)
  return Math.max(0, quantile(samples.slice(-third), 0.5) - quantile(samples.slice(0, third), 0.5))
}

/** Read at once: while hundreds of requests wait for their turn, each step of a read would wait as well. */
function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024)
}

export const overloadFaults: readonly Fault[] = [overload]
