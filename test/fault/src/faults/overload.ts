import { readFile } from 'node:fs/promises'
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
const USUAL_SECONDS = 20
const FLOOD_SECONDS = 60
/** A rate is what was asked of it when no more than this is missing. */
const ALMOST = 0.95
/** From the publisher to the provider, for who waits beside a flood; or as long again as usual. */
const LONGEST_DELAY_MS = 5_000
/** As many bulk messages before it in the queue mean that a message would have had to wait. */
const BACKLOG = 20
/** What a service may hold beside what it holds at rest, whatever waits. */
const MOST_GROWTH_MB = 250
const SECOND_MS = 1_000

const overload: Fault = {
  name: 'overload',
  on: 'overload',
  title: 'ten times the usual rate for a minute, with bulk that queues up beside it',
  needs: [],
  peoplePerSecond: 0,
  async strike(world, { short, say }) {
    const { load } = world
    const seconds = short ? 5 : FLOOD_SECONDS
    const readers = names('reader', short ? 60 : 400)
    const patients = names('patient', USUAL_SECONDS + seconds)
    await arrive(world, readers, patients)
    await world.system.fail(
      { channel: 'email', mode: 'slow', delayMs: PROVIDER_MS },
      { channel: 'sms', mode: 'slow', delayMs: 50 },
    )
    const memory = watchMemory(world)
    const before = patients.slice(0, USUAL_SECONDS)
    const usual = await crowd(world, before, USUAL_RATE)
    await load.publish(
      'kafka',
      readers.map((subject) => ask('offer', subject, `${subject}/1/offer`)),
    )
    const inFlight = await world.untilInFlight('bulk queues up', ({ queued }) => queued >= BACKLOG)
    const beside = patients.slice(USUAL_SECONDS)
    const flood = await crowd(world, beside, TIMES_USUAL * USUAL_RATE)
    const held = await memory.end()
    const usualMs = p99(delaysOf(world, before))
    const delayMs = p99(delaysOf(world, beside))
    const isKept = delayMs <= Math.max(LONGEST_DELAY_MS, 2 * usualMs)
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
        'events per second usually': Math.round(usual.perSecond),
        'and in the flood': Math.round(flood.perSecond),
        'taken in it': flood.taken.length,
        'refused in it': flood.refused,
        'p99 ms usually': usualMs,
        'and in the flood p99 ms': delayMs,
        ...held.figures,
      },
      violations: [
        ...usual.wrong,
        ...flood.wrong,
        ...held.violations,
        ...(await behindBulk(world)),
        ...(times >= ALMOST * TIMES_USUAL ? [] : [`only ${times.toFixed(1)} times the usual rate`]),
        ...(flood.refused > 0 ? [] : ['the gateway was not overloaded']),
        ...(isKept ? [] : [`beside the flood a message took ${delayMs} ms`]),
        ...(await neverDecided(world, [...usual.taken, ...flood.taken])),
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
  return load.publish('kafka', [ask('text', subject, referenceOf(subject))])
}

function referenceOf(subject: string): string {
  return `${subject}/1/text`
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

function p99(delays: readonly number[]): number {
  const sorted = delays.toSorted((one, other) => one - other)
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0
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
    if (!reference.endsWith('/text')) return []
    const before = bulk.filter((each) => each.queuedAt < queuedAt && each.acceptedAt > queuedAt)
    const isBehind =
      before.length >= BACKLOG && before.every((each) => each.acceptedAt < acceptedAt)
    return isBehind ? [`${reference} went behind ${before.length} bulk messages`] : []
  })
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

/** Samples the resident memory of each service twice a second. */
function watchMemory({ system }: World) {
  const samples = new Map<ServiceName, number[]>(serviceNames.map((name) => [name, []]))
  const over = new AbortController()
  const sample = async () => {
    for (;;) {
      for (const [name, own] of samples) own.push(await residentMb(system.process(name).pid))
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
        const most = Math.max(...own)
        figures[`${name} MB`] = most
        const growth = most - (own[0] ?? most)
        if (growth > MOST_GROWTH_MB) violations.push(`${name} grew by ${growth} MB`)
      }
      return { figures, violations }
    },
  }
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024)
}

export const overloadFaults: readonly Fault[] = [overload]
