import { startDelivery } from '@wegwijs/delivery/service'
import { createBusinessTime } from '@wegwijs/gateway/business-time'
import { createKeep, type Keep } from '@wegwijs/gateway/keep'
import { defaultLimits } from '@wegwijs/gateway/limits'
import { receiptEvents } from '@wegwijs/gateway/receipt-events'
import { startJourney } from '@wegwijs/journey/service'
import type { MemoryBroker } from '@wegwijs/kafka/memory'
import type { EventPublisher } from '@wegwijs/kafka/port'
import type { MemoryQueue } from '@wegwijs/queue/memory'
import type { DeliveryJob } from '@wegwijs/queue/port'
import type { Clock } from '@wegwijs/runtime/clock'
import { createReadiness } from '@wegwijs/runtime/health'
import { createScope, type Scope } from '@wegwijs/runtime/lifecycle'
import { createLogger } from '@wegwijs/runtime/log'
import { createMetrics, type Metrics } from '@wegwijs/runtime/metrics'
import { startScheduler } from '@wegwijs/scheduler/service'
import type { Store } from '@wegwijs/store/database'
import type { Wake } from '@wegwijs/store/wake'
import type { Receipt } from '@wegwijs/wire/receipt'
import type { App } from './app.ts'
import type { Chance } from './chance.ts'
import { type Gate, type Life, newLife } from './gate.ts'
import { type GatedKafka, gatedKafka } from './gated-kafka.ts'
import { type GatedQueue, gatedQueue } from './gated-queue.ts'
import { type Connections, gatedStore, type Heard } from './gated-store.ts'
import type { History } from './history.ts'
import type { Providers } from './provider.ts'
import type { WorkerKind } from './story.ts'

export const secret = 'a secret of the simulation, long enough to be one'

/** A send ends within these 8 s; a claim is its worker's for 15 s. */
const sendMs = 4_000
export const leaseMs = 15_000

/** What a gateway takes in, past its HTTP server. */
export type Door = {
  keep: Keep
  /** True when the receipt is kept; false when there is no such message. */
  receive(receipt: Receipt, provider: string): Promise<boolean>
}

/** What all workers share. */
export type Ground = {
  gate: Gate
  chance: Chance
  connections: Connections
  heard: Heard
  broker: MemoryBroker
  queue: MemoryQueue
  providers: Providers
  app: App
  history: History
  onRead: (topic: string, partition: number, offset: bigint) => void
  onAdd: (jobs: readonly DeliveryJob[]) => Promise<void>
  /** Machine time of the beginning, as an instant. */
  beginsMs: number
}

/** A process of Wegwijs as it runs in the world: it can be ended at any moment, and started again. */
export type Worker = {
  readonly kind: WorkerKind
  readonly slot: string
  /** The life that it has now; null between two lives. */
  readonly life: Life | null
  start(): void
  /** kill -9: nothing that stands at the gate happens, what was open rolls back. */
  kill(): void
  /** SIGTERM: it closes in order. */
  terminate(): void
  expel(): void
  /** Gives the jobs that it has in hand to somebody else, as a queue does that thinks it dead. */
  stallJobs(): void
  /** How many jobs it has in hand. */
  readonly jobs: number
  /** Tells it what somebody has called out; it may be for nothing. */
  wake(topic: Wake): void
  /** Of a gateway that runs. */
  readonly door: Door | null
  /** Why it ended by itself. */
  readonly failure: unknown
}

const metrics = new Map<WorkerKind, Metrics>()

export function createWorker(kind: WorkerKind, nth: number, ground: Ground): Worker {
  const slot = `${kind}-${nth}`
  const { gate, chance, queue, history } = ground
  let lives = 0
  let current: Running | null = null
  let stalled: readonly { queue: string; jobId: string }[] = []
  let failure: unknown
  const end = (running: Running) => {
    if (current !== running) return
    current = null
    gate.end(running.life)
    running.store.abandon()
    running.kafka.abandon()
    running.queue.abandon()
    stalled = running.queue.inHand()
  }
  const start = () => {
    // A queue finds out after a while that a worker is gone, and gives its jobs to another one.
    for (const job of stalled) queue.stall(job.queue, job.jobId)
    stalled = []
    lives += 1
    const running = openLife(kind, newLife(slot, lives), ground)
    current = running
    void running.scope.closed.then(() => {
      if (current !== running) return
      // One that was told to stop may have been too slow to close everything: as if it were killed.
      const error = running.told ? undefined : running.scope.failures[0]
      if (error !== undefined) failure = error
      history.add({ kind: 'fault', text: `${slot} has ended${error ? `: ${String(error)}` : ''}` })
      end(running)
    })
  }
  return {
    kind,
    slot,
    get life() {
      return current?.life ?? null
    },
    get jobs() {
      return current?.queue.inHand().length ?? 0
    },
    get door() {
      return current?.door ?? null
    },
    get failure() {
      return failure
    },
    start,
    kill: () => current && end(current),
    terminate: () => {
      if (!current) return
      current.told = true
      current.scope.stop()
    },
    expel: () => current?.kafka.expel(),
    stallJobs: () => {
      for (const job of current?.queue.inHand() ?? []) queue.stall(job.queue, job.jobId)
    },
    wake: (topic) => current?.wake(topic),
  }

  function openLife(of: WorkerKind, life: Life, parts: Ground): Running {
    const clock = gate.clockOf(life, {
      beginsMs: chance.whole(3_600_000, 'monotonic', slot, life.nth),
      // An hour ahead or behind: nothing may hang on what a machine thinks the time is.
      epochMs: parts.beginsMs + (chance.whole(3, 'clock', slot) - 1) * 3_600_000,
    })
    const listeners = new Set<(payload: string) => void>()
    const store = gatedStore(parts.connections, {
      gate,
      life,
      heard: parts.heard,
      listen: async (_channel, onNotification) => {
        listeners.add(onNotification)
        return { close: async () => void listeners.delete(onNotification) }
      },
    })
    const kafka = gatedKafka(parts.broker, { gate, life, chance, onRead: parts.onRead })
    const own = gatedQueue(queue, { gate, life, onAdd: parts.onAdd })
    const log = createLogger(of, 'error', {
      write: (line) =>
        void history.add({ kind: 'fault', text: `${slot} says ${withoutTime(line)}` }),
    })
    const scope = createScope(slot, { log, clock })
    const running: Running = {
      life,
      store,
      kafka,
      queue: own,
      scope,
      door: null,
      told: false,
      wake: (topic) => {
        for (const listener of listeners) listener(topic)
      },
    }
    const shared = { store, log, clock, metrics: metricsOf(of), readiness: createReadiness() }
    const services: Readonly<Record<WorkerKind, () => Promise<void>>> = {
      journey: () =>
        startJourney(scope, { ...shared, source: kafka.source, admin: kafka.admin, secret }),
      scheduler: () =>
        startScheduler(scope, {
          ...shared,
          queue: own.queue,
          publisher: kafka.publisher,
          settings: { leaseGraceMs: 0, releaseSweepMs: 3_000, relaySweepMs: 4_000 },
        }),
      delivery: () =>
        startDelivery(scope, {
          ...shared,
          secret,
          workers: own.workers,
          answerLinks: { publicUrl: 'https://hospital.example.org', secret },
          channels: [
            ...parts.providers.channels({ gate, life }),
            parts.app.channel({ store, life }),
          ],
          settings: {
            leaseMs,
            sendMs,
            // Whoever opens the gate says how long an outcome waits.
            gather: { outcomesMs: 0, wakesMs: 0 },
            concurrency: {
              email: { transactional: 2, standard: 2, bulk: 1 },
              sms: { transactional: 2, standard: 2, bulk: 1 },
              app: { transactional: 1, standard: 1, bulk: 1 },
            },
          },
        }),
      gateway: async () => {
        running.door = openDoor({ store, clock, publisher: kafka.publisher })
      },
    }
    void services[of]().catch((error: unknown) => scope.stop(error))
    return running
  }
}

function openDoor(parts: { store: Store; clock: Clock; publisher: EventPublisher }): Door {
  const limits = defaultLimits
  const keep = createKeep({ ...parts, limits, onFailure: () => undefined })
  const time = createBusinessTime({ ...parts, limits })
  const deps = { ...parts, limits, secret, time }
  return {
    keep,
    receive: async (receipt, provider) => {
      const [told] = await receiptEvents([receipt], provider, deps)
      if (!told) return false
      // Every class of the clinic lets it be kept that a message was opened.
      const [kept] = await keep(told.events)
      return kept?.kind === 'kept'
    },
  }
}

type Running = {
  readonly life: Life
  readonly store: { abandon(): void }
  readonly kafka: GatedKafka
  readonly queue: GatedQueue
  readonly scope: Scope
  door: Door | null
  /** It was asked to end. */
  told: boolean
  readonly wake: (topic: Wake) => void
}

/** One set for each kind, as a process that is started again takes the place of the one before. */
function metricsOf(kind: WorkerKind): Metrics {
  const known = metrics.get(kind) ?? createMetrics(kind)
  metrics.set(kind, known)
  return known
}

/** A line of the log without when it was written, which no seed decides. */
function withoutTime(line: string): string {
  const { time: _, stack: __, ...said } = JSON.parse(line) as Record<string, unknown>
  return JSON.stringify(said)
}
