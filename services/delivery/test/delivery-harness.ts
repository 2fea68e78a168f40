import type { Channel, ChannelName, Outcome, OutgoingMessage } from '@wegwijs/channels/port'
import { createMemoryQueue, type MemoryQueue } from '@wegwijs/queue/memory'
import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import { createReadiness } from '@wegwijs/runtime/health'
import { createScope, type Scope } from '@wegwijs/runtime/lifecycle'
import { silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { releaseDue } from '@wegwijs/store/release'
import { vi } from 'vitest'
import type { Concurrency, LaneConcurrency } from '../src/concurrency.ts'
import { type DeliverySettings, startDelivery } from '../src/service.ts'

type Answer = (message: OutgoingMessage, signal: AbortSignal) => Outcome | Promise<Outcome>

/** A provider that answers as the test says, and remembers what it was handed. */
export type ScriptedChannel = Channel & { readonly messages: OutgoingMessage[] }

export function scriptedChannel(
  name: ChannelName,
  answer: Answer = () => ({ kind: 'accepted', reference: 'r' }),
  { idempotent = false, sandbox = true } = {},
): ScriptedChannel {
  const messages: OutgoingMessage[] = []
  return {
    name,
    provider: name,
    idempotent,
    messages,
    send: async (message, signal) => {
      messages.push(message)
      return answer(message, signal)
    },
    isSandbox: async () => sandbox,
    close: async () => {},
  }
}

export type Harness = {
  queue: MemoryQueue
  /** Starts delivery with these channels; all three when fewer are given. */
  start(
    channels: readonly Channel[],
    settings?: Partial<DeliverySettings>,
    clock?: Clock,
  ): Promise<Scope>
  /** What the scheduler does with what is due now. Returns how many jobs that were. */
  release(): Promise<number>
  /** Releases and lets all of it be handled, until nothing is due any more. */
  settleAll(): Promise<void>
  countStates(): Promise<Record<string, number>>
  close(): Promise<void>
}

export function createHarness(store: Store, readiness = createReadiness()): Harness {
  const queue = createMemoryQueue()
  const scopes: Scope[] = []
  const metrics = createMetrics('delivery')

  const release = async () => {
    const jobs = await releaseDue(store, { perQueue: 20_000, batch: 1_000 })
    for (const { queue: name, jobId, intents } of jobs) {
      await queue.queue.add(name, [{ jobId, intents }])
    }
    return jobs.length
  }

  return {
    queue,
    release,
    start: async (channels, settings, clock = systemClock) => {
      const scope = createScope('delivery')
      scopes.push(scope)
      await startDelivery(scope, {
        store,
        workers: queue.workers,
        channels,
        answerLinks: {
          publicUrl: 'https://hospital.example.org',
          secret: 'a secret of the tests, long enough to be one',
        },
        log: silentLogger,
        clock,
        metrics,
        readiness,
        secret: 'a secret of the tests, long enough to be one',
        // A clock that stands still would let outcomes gather for ever.
        settings: {
          ...(clock === systemClock ? {} : { gather: { outcomesMs: 0, wakesMs: 0 } }),
          ...settings,
        },
      })
      return scope
    },
    settleAll: async () => {
      do await queue.idle()
      while ((await release()) > 0)
    },
    countStates: async () => {
      const rows = await store.db
        .selectFrom('intent')
        .select(['state', ({ fn }) => fn.countAll().as('count')])
        .groupBy('state')
        .execute()
      return Object.fromEntries(rows.map((row) => [row.state, Number(row.count)]))
    },
    close: async () => {
      for (const scope of scopes) await scope.close()
    },
  }
}

/** The same slots for every channel. */
export function slots(lanes: Partial<LaneConcurrency>): { concurrency: Concurrency } {
  const each = { transactional: 1, standard: 1, bulk: 1, ...lanes }
  return { concurrency: { email: each, sms: each, app: each } }
}

export async function intentOf(store: Store, intentId: string) {
  return store.db
    .selectFrom('intent')
    .selectAll()
    .where('intent_id', '=', intentId)
    .executeTakeFirstOrThrow()
}

/** Waits for a state, however long it takes within the time of the test. */
export const until = (check: () => Promise<void> | void) =>
  vi.waitFor(check, { timeout: 15_000, interval: 5 })
