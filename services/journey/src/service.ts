import type { Consumer, EventSource, TopicAdmin } from '@wegwijs/kafka/port'
import type { Clock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import type { Readiness } from '@wegwijs/runtime/health'
import { type Scope, waitFor } from '@wegwijs/runtime/lifecycle'
import type { Logger } from '@wegwijs/runtime/log'
import type { Metrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { positionOf, standingOf } from '@wegwijs/store/positions'
import { groupsOf, topicsOf } from '@wegwijs/wire/topics'
import { applyBatch } from './batch.ts'
import { createCurrentDefinition } from './current-definition.ts'
import { watchPublisherClocks } from './publisher-clocks.ts'
import { runTimerLoop } from './timer-loop.ts'
import { createUrgentFirst } from './urgent-first.ts'

export type JourneyDependencies = {
  store: Store
  source: EventSource
  admin: TopicAdmin
  /** Verifies our own message.* events. */
  secret: string
  log: Logger
  clock: Clock
  metrics: Metrics
  readiness: Readiness
}

/**
 * Decides: the only service that changes journeys. Events from Kafka and due timers go through the
 * same kind of transaction (see batch.ts and timers.ts). It waits for a definition, then catches up
 * with the urgent topic before it reads the other, so that after an outage a stop is known before
 * anything that could lead to a message.
 */
export async function startJourney(scope: Scope, deps: JourneyDependencies): Promise<void> {
  const { store, log, clock, readiness } = deps
  const waiting = { log, signal: scope.signal, clock, readiness }
  const definition = createCurrentDefinition(store, log)
  await waitFor('definition', () => definition.latest(), waiting)
  const topics = topicsOf(store.namespace)
  const groups = groupsOf(store.namespace)
  const order = createUrgentFirst()
  const metrics = deps.metrics.component('journey')
  const watchClocks = watchPublisherClocks(log)
  const batchDeps = { store, definition, secret: deps.secret, log, metrics, clock }

  const consume = (topic: string, group: string, turn: typeof order.urgent): Promise<Consumer> =>
    waitFor(
      'Kafka',
      () =>
        deps.source.consume({
          topic,
          group,
          // While one batch waits for PostgreSQL, another one is decided.
          partitionsAtOnce: 2,
          positionOf: (of, partition) => standingOf(store.db, of, partition),
          onBatch: (batch, isCurrent) => {
            watchClocks(batch)
            return turn(() => applyBatch(batch, batchDeps, isCurrent))
          },
        }),
      waiting,
    )
  const keep = (name: string, consumer: Consumer) => {
    scope.onClose(name, () => consumer.close())
    consumer.failed.catch((error: unknown) => scope.stop(error))
  }

  const timers = runTimerLoop(scope, batchDeps)
  scope.onClose('timers', () => timers)
  const goal = await waitFor('Kafka', () => deps.admin.endOffsets(topics.urgent), waiting)
  keep('urgent consumer', await consume(topics.urgent, groups.urgent, order.urgent))
  await waitFor('urgent events', () => caughtUp(store, topics.urgent, goal), waiting)
  keep('consumer', await consume(topics.touchpoints, groups.touchpoints, order.normal))
}

async function caughtUp(
  store: Store,
  topic: string,
  goal: readonly { partition: number; low: bigint; high: bigint }[],
): Promise<void> {
  for (const { partition, low, high } of goal) {
    const position = (await positionOf(store.db, topic, partition)) ?? low
    if (position < high) throw fail('WEGWIJS_URGENT_BEHIND', { partition })
  }
}
