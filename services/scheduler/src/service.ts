import type { EventPublisher } from '@wegwijs/kafka/port'
import type { JobQueue } from '@wegwijs/queue/port'
import type { Clock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import type { Readiness } from '@wegwijs/runtime/health'
import { type Scope, waitFor } from '@wegwijs/runtime/lifecycle'
import type { Logger } from '@wegwijs/runtime/log'
import type { Metrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { isMigrated } from '@wegwijs/store/migrate'
import { query } from '@wegwijs/store/transaction'
import { keepListening, type Wake } from '@wegwijs/store/wake'
import { type Lane, lanes } from '@wegwijs/wire/delivery-job'
import { createDefinitionPass } from './definition-pass.ts'
import { createLeasePass } from './lease-pass.ts'
import { startLoop } from './loop.ts'
import { createRecoveryPass } from './recovery-pass.ts'
import { createRefusedTopics } from './refused-topics.ts'
import { createPurgePass, createRelayPass } from './relay-pass.ts'
import { createReleasePass } from './release-pass.ts'
import { createStopsPass } from './stops-pass.ts'
import { createUpkeepPass } from './upkeep-pass.ts'
import { watchBacklog } from './watch-backlog.ts'

export type SchedulerSettings = {
  /** The most messages that wait in one queue (P8). */
  perQueue: number
  /** The most messages of one queue that one statement releases. */
  releaseBatch: number
  /** Between two such batches of what is not transactional: still more a second than workers send. */
  releaseBreatherMs: number
  releaseSweepMs: number
  /** How often lost leases and lost jobs are looked for. */
  repairSweepMs: number
  /** A job younger than this (real time) may not have reached the queue yet. */
  lostJobAgeMs: number
  /** Workers that could not reach PostgreSQL while it was away come before the sweep of leases. */
  leaseGraceMs: number
  relaySweepMs: number
  /** Others are told of outcomes in groups; a transaction and a request for each would cost more than sending. */
  relayRestMs: number
  keepPublishedMs: number
  keepMonths: number
}

export const defaultSettings: SchedulerSettings = {
  perQueue: 20_000,
  releaseBatch: 400,
  releaseBreatherMs: 30,
  releaseSweepMs: 1_000,
  repairSweepMs: 5_000,
  lostJobAgeMs: 2_000,
  leaseGraceMs: 15_000,
  relaySweepMs: 1_000,
  relayRestMs: 50,
  keepPublishedMs: 3_600_000,
  keepMonths: 13,
}

export type SchedulerDependencies = {
  store: Store
  queue: JobQueue
  publisher: EventPublisher
  log: Logger
  clock: Clock
  metrics: Metrics
  readiness: Readiness
  settings?: Partial<SchedulerSettings>
}

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/**
 * Moves what is due towards its provider, and what has happened towards Kafka:
 *
 *   release    due messages → jobs in the queue                      woken by intents, clock
 *              (transactional ones in a loop of their own: they never wait for a pass of bulk)
 *   recovery   jobs that the queue has lost → added again            swept
 *   leases     messages whose worker never came back → unknown       swept
 *   stops      an operational stop was lifted → due again            swept
 *   definition another one was applied → what was put off is due     swept
 *   relay      outbox → Kafka                                        woken by outbox
 *   purge, upkeep                                                    now and then
 *
 * Each is a loop of its own, so that Kafka or Redis being away stops nothing else; nor does a topic that Kafka
 * refuses keep those of the others. Any number of
 * schedulers may run. Wake-ups are hints; the sweeps alone would do all the work, later.
 */
export async function startScheduler(scope: Scope, deps: SchedulerDependencies): Promise<void> {
  const { store, queue, publisher, log, clock, metrics, readiness } = deps
  const settings = { ...defaultSettings, ...deps.settings }
  const context = { scope, log, clock, readiness }
  await waitFor('PostgreSQL', () => checkMigrated(store), { ...context, signal: scope.signal })

  const startRelease = (name: string, released: readonly Lane[], breatherMs: number) =>
    startLoop(
      {
        name,
        breatherMs,
        everyMs: settings.releaseSweepMs,
        pass: createReleasePass(
          { store, queue, clock, log, metrics: metrics.component('release') },
          { perQueue: settings.perQueue, batch: settings.releaseBatch, lanes: released },
        ),
      },
      context,
    )
  const releases = [
    startRelease('urgent release', ['transactional'], 0),
    startRelease(
      'release',
      lanes.filter((lane) => lane !== 'transactional'),
      settings.releaseBreatherMs,
    ),
  ]
  const release = () => {
    for (const wakeUp of releases) wakeUp()
  }
  const relayMetrics = metrics.component('relay')
  const refused = createRefusedTopics({ clock, log, metrics: relayMetrics, readiness })
  const relay = startLoop(
    {
      name: 'relay',
      everyMs: settings.relaySweepMs,
      restMs: settings.relayRestMs,
      pass: createRelayPass({ store, publisher, clock, metrics: relayMetrics, refused }),
    },
    context,
  )
  startLoop(
    {
      name: 'recovery',
      everyMs: settings.repairSweepMs,
      pass: createRecoveryPass(
        { store, queue, metrics: metrics.component('recovery') },
        settings.lostJobAgeMs,
      ),
    },
    context,
  )
  startLoop(
    {
      name: 'leases',
      everyMs: settings.repairSweepMs,
      pass: createLeasePass(
        { store, log, clock, metrics: metrics.component('leases') },
        settings.leaseGraceMs,
      ),
    },
    context,
  )
  startLoop(
    {
      name: 'stops',
      everyMs: settings.releaseSweepMs,
      pass: createStopsPass(store, release),
    },
    context,
  )
  startLoop(
    {
      name: 'definition',
      everyMs: settings.releaseSweepMs,
      pass: createDefinitionPass(store, release),
    },
    context,
  )
  startLoop(
    { name: 'purge', everyMs: minuteMs, pass: createPurgePass(store, settings.keepPublishedMs) },
    context,
  )
  startLoop(
    {
      name: 'upkeep',
      everyMs: dayMs,
      pass: createUpkeepPass(store, { keepMonths: settings.keepMonths, log }),
    },
    context,
  )
  watchBacklog(metrics, { store, queue })
  listen(store, { intents: release, clock: release, outbox: relay }, context)
}

async function checkMigrated(store: Store): Promise<void> {
  if (await query(() => isMigrated(store))) return
  throw fail('WEGWIJS_NOT_MIGRATED', { expected: 'the newest migration' })
}

type Wakers = { readonly [Topic in Wake]?: () => void }

function listen(
  store: Store,
  wakers: Wakers,
  context: { scope: Scope; log: Logger; clock: Clock },
): void {
  const { scope, log, clock } = context
  const listening = keepListening(store, (topic) => wakers[topic]?.(), {
    log,
    clock,
    signal: scope.signal,
  }).catch((error: unknown) => scope.stop(error))
  scope.onClose('wake-up calls', () => listening)
}
