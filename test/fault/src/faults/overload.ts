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
const BURST_SECONDS = 60
/** More than the gateway works on at once (256). */
const AT_ONCE = 600
/** As many bulk messages before it in the queue mean that a message would have had to wait. */
const BACKLOG = 20
/** What a service may hold beside what it holds at rest, whatever waits. */
const MOST_GROWTH_MB = 250
const PAUSE_MS = 1_000

const overload: Fault = {
  name: 'overload',
  on: 'overload',
  title: 'far more events than usual for a minute, with bulk that queues up beside them',
  needs: [],
  peoplePerSecond: 0,
  async strike(world, { short, say }) {
    const { load } = world
    const seconds = short ? 5 : BURST_SECONDS
    const readers = names('reader', short ? 60 : 400)
    const patients = names('patient', seconds + 20)
    await arrive(world, readers, patients)
    await world.system.fail(
      { channel: 'email', mode: 'slow', delayMs: PROVIDER_MS },
      { channel: 'sms', mode: 'slow', delayMs: 50 },
    )
    const idle = patients.slice(0, 20)
    for (const subject of idle) await askOne(world, subject)
    await untilThere(world, idle)

    const burst = patients.slice(20)
    const memory = watchMemory(world)
    await load.publish(
      'kafka',
      readers.map((subject) => ask('offer', subject, `${subject}/1/offer`)),
    )
    const flood = openFlood(world)
    const inFlight = await world.untilInFlight('bulk queues up', ({ queued }) => queued >= BACKLOG)
    for (const subject of burst) {
      await Promise.all([askOne(world, subject), flood.wave(), systemClock.sleep(PAUSE_MS)])
    }
    await untilThere(world, burst)
    const held = await memory.end()
    const { taken, refused, wrong } = flood.answers()
    say(`${taken.length} taken, ${refused} refused`)
    return {
      kills: refused,
      inFlight,
      unknownAtMost: 0,
      figures: {
        'p99 idle ms': p99(delaysOf(world, idle)),
        'p99 under load ms': p99(delaysOf(world, burst)),
        'requests taken': taken.length,
        'requests refused': refused,
        ...held.figures,
      },
      violations: [
        ...wrong,
        ...held.violations,
        ...(await behindBulk(world)),
        ...(refused > 0 ? [] : ['the gateway was not overloaded']),
        ...(await neverDecided(world, taken)),
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

/** Requests in waves, each of one event of its own, more at once than the gateway works on. */
function openFlood({ system }: World) {
  const taken: TouchpointEvent[] = []
  const wrong: string[] = []
  const known = names('crowd', 50)
  let refused = 0
  const one = async (index: number) => {
    const [subject = 'crowd1'] = known.slice(index % known.length)
    const own = arrival(subject)
    const { body, contentType } = system.encode([own])
    const answer = await system.post(Buffer.from(body), { 'content-type': contentType })
    await answer.arrayBuffer()
    if (answer.status === 202) taken.push(own)
    else refused += 1
    const isRefusal = answer.status === 429 || answer.status === 503
    const saysWhen = Number(answer.headers.get('retry-after')) > 0
    if (answer.status !== 202 && !(isRefusal && saysWhen)) {
      wrong.push(`answered ${answer.status}, Retry-After ${answer.headers.get('retry-after')}`)
    }
  }
  return {
    async wave() {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => one(index)))
    },
    answers: () => ({ taken, refused, wrong }),
  }
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
      await systemClock.sleep(PAUSE_MS / 2, over.signal)
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
