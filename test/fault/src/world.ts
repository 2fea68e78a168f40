import { join } from 'node:path'
import { systemClock } from '@wegwijs/runtime/clock'
import { type PrivateServer, startPrivate } from '@wegwijs/system-tests/private-servers'
import {
  openSystem,
  type Servers,
  type ServiceName,
  type System,
  serviceNames,
} from '@wegwijs/system-tests/system'
import { until } from '@wegwijs/system-tests/until'
import { topicsOf } from '@wegwijs/wire/topics'
import type { Between, Fault, InFlight } from './fault.ts'
import { createLoad, type Load } from './load.ts'
import { Openings } from './openings.ts'
import type { FaultProxy } from './proxy.ts'

export type ServerKind = 'kafka' | 'postgres' | 'redis'

/** A running system under load, and the servers that a fault may break. */
export type World = {
  readonly system: System
  readonly load: Load
  /** @throws RangeError for one that the fault did not ask for */
  server(kind: ServerKind): PrivateServer
  /** @throws RangeError for one that the fault did not put in between */
  proxy(name: string): FaultProxy
  inFlight(): Promise<InFlight>
  /** Resolves with what is in flight as soon as it is what `isThere` wants. */
  untilInFlight(what: string, isThere: (inFlight: InFlight) => boolean): Promise<InFlight>
  /**
   * Resolves when from now on an event was decided and a message accepted: the work goes on. With
   * how long that took, in milliseconds.
   */
  untilGoesOn(): Promise<number>
  /** Both providers take this long for each message, so that there is always one under way. */
  slowProviders(delayMs: number): Promise<void>
  /** kill -9; resolves when they are gone. */
  killed(...names: string[]): Promise<void>
  /** Starts those services that do not run. */
  restart(): Promise<void>
  /** Begins something that is undone when everything else is closed. */
  undoneLast(begin: () => Promise<unknown>, undo: () => Promise<unknown>): Promise<void>
  close(): Promise<void>
}

/** Worlds that are open or being opened: what is to be ended when somebody ends the test. */
export const openWorlds = new Set<{ close(): Promise<void> }>()

/** @throws Error also when it is closed, through {@link openWorlds}, before it is open */
export async function openWorld(
  fault: Fault,
  options: { directory: string; servers: Servers; prefix: string; chance: () => number },
): Promise<World> {
  const openings = new Openings()
  const close = () => openings.close().finally(() => openWorlds.delete(closing))
  const closing = { close }
  openWorlds.add(closing)
  try {
    const opening = inTurn(() => openParts(fault, options, openings))
    return { ...(await openings.whileOpen(opening)), close }
  } catch (error) {
    await close()
    throw error
  }
}

let opened: Promise<unknown> = Promise.resolve()

/** One after the other: worlds that start all of their processes at once keep each other from being ready in time. */
function inTurn<Opened>(open: () => Promise<Opened>): Promise<Opened> {
  const opening = opened.then(open)
  opened = opening.catch(() => undefined)
  return opening
}

async function openParts(
  fault: Fault,
  options: { directory: string; servers: Servers; prefix: string; chance: () => number },
  openings: Openings,
): Promise<Omit<World, 'close'>> {
  const { directory, servers: shared, prefix, chance } = options
  const own = new Map<ServerKind, PrivateServer>()
  for (const kind of fault.needs) {
    const start = () => startPrivate(kind, join(directory, 'servers'))
    own.set(kind, await openings.add(start, (server) => server.end()))
  }
  const servers = serversOf(shared, own)
  const between = await openings.add(
    async () => (await fault.between?.(servers, ownedIn(own))) ?? null,
    (opened) => Promise.all(Object.values(opened?.proxies ?? {}).map((proxy) => proxy.close())),
  )
  const open = () =>
    openSystem({
      directory: join(directory, 'services'),
      servers,
      ...(fault.definition ? { definition: fault.definition() } : {}),
      ...(between ? { environmentOf: between.environmentOf } : {}),
    })
  const system = await openings.add(open, (opened) => opened.close())
  await openings.whileOpen(system.start())
  const gatewayUrl = between?.gatewayUrl ?? system.gatewayUrl
  const load = createLoad(system, { prefix, chance, gatewayUrl })
  const undoneLast: World['undoneLast'] = async (begin, undo) => {
    await openings.add(begin, undo, 'last')
  }
  return { ...worldOf(system, { own, proxies: between?.proxies ?? {} }, load), undoneLast }
}

function serversOf(shared: Servers, own: ReadonlyMap<ServerKind, PrivateServer>): Servers {
  const kafka = own.get('kafka')?.address.split(',')
  return {
    kafkaBrokers: kafka ?? shared.kafkaBrokers,
    databaseUrl: own.get('postgres')?.address ?? shared.databaseUrl,
    redisUrl: own.get('redis')?.address ?? shared.redisUrl,
  }
}

function worldOf(
  system: System,
  { own, proxies }: { own: ReadonlyMap<ServerKind, PrivateServer>; proxies: Between['proxies'] },
  load: Load,
): Omit<World, 'undoneLast' | 'close'> {
  const inFlight = async (): Promise<InFlight> => {
    const { messages, waiting } = await system.status()
    const planned = waiting.filter(({ stage }) => stage === 'planned')
    return {
      undecided: await undecidedIn(system),
      planned: planned.reduce((sum, { count }) => sum + count, 0),
      queued: messages.queued ?? 0,
      sending: messages.sending ?? 0,
    }
  }
  return {
    system,
    load,
    server: ownedIn(own),
    proxy(name) {
      const proxy = proxies[name]
      if (proxy === undefined) throw new RangeError(`there is no proxy ${name}`)
      return proxy
    },
    inFlight: () => until('PostgreSQL tells what is in flight', inFlight),
    untilInFlight: (what, isThere) => until(what, inFlight, isThere),
    async untilGoesOn() {
      const beganMs = systemClock.monotonicMs()
      const done = async () => ({
        events: (await system.status()).events,
        accepted: system.accepted().length,
      })
      const before = await until('PostgreSQL tells what is done', done)
      await until(
        'the work goes on',
        done,
        ({ events, accepted }) => events > before.events && accepted > before.accepted,
      )
      return systemClock.monotonicMs() - beganMs
    },
    slowProviders: (delayMs) =>
      system.fail(
        { channel: 'sms', mode: 'slow', delayMs },
        { channel: 'email', mode: 'slow', delayMs },
      ),
    async killed(...names) {
      const processes = names.map((name) => system.process(name))
      for (const process of processes) process.signal('SIGKILL')
      for (const process of processes) await process.ended
    },
    async restart() {
      const gone = serviceNames.filter((name) => !system.process(name).isRunning())
      if (gone.length > 0) await system.start(...(gone as ServiceName[]))
    },
  }
}

function ownedIn(own: ReadonlyMap<ServerKind, PrivateServer>): World['server'] {
  return (kind) => {
    const server = own.get(kind)
    if (server === undefined) throw new RangeError(`the fault has no ${kind} of its own`)
    return server
  }
}

async function undecidedIn(system: System): Promise<number> {
  const { touchpoints, urgent } = topicsOf(system.namespace)
  const { positions } = await system.status()
  let undecided = 0n
  for (const topic of [touchpoints, urgent]) {
    for (const { partition, low, high } of await system.kafka.admin.endOffsets(topic)) {
      const known = positions.find((each) => each.topic === topic && each.partition === partition)
      undecided += high - BigInt(known?.nextOffset ?? low)
    }
  }
  return Number(undecided)
}
