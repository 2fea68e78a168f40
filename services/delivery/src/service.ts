import type { Channel } from '@wegwijs/channels/port'
import type { JobWorkers } from '@wegwijs/queue/port'
import type { Clock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import type { Readiness } from '@wegwijs/runtime/health'
import { type Scope, waitFor } from '@wegwijs/runtime/lifecycle'
import type { Logger } from '@wegwijs/runtime/log'
import type { Metrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { isMigrated } from '@wegwijs/store/migrate'
import { query } from '@wegwijs/store/transaction'
import { createRenderer } from '@wegwijs/template/render'
import { lanes, queueName } from '@wegwijs/wire/delivery-job'
import type { AnswerLinks } from './compose-message.ts'
import { type Concurrency, defaultConcurrency } from './concurrency.ts'
import { Lane } from './lane.ts'
import { ProviderPace } from './provider-pace.ts'
import { assertSandboxWhenRehearsing, createRehearsalGuard } from './rehearsal-guard.ts'
import { SendDeadlines } from './send-deadlines.ts'
import { createCurrentRules } from './sending-rules.ts'
import { createSettlements, type Gathering, type Settlements } from './settlements.ts'
import { createTemplateShelf } from './template-shelf.ts'

export type DeliverySettings = {
  concurrency: Concurrency
  /** How long a claim is ours. Longer than a send, or nothing would ever be started. */
  leaseMs: number
  /** A send that has not ended by then is aborted. */
  sendMs: number
  /** How outcomes gather until they are written down; 0 is not at all. */
  gather: Gathering
  /** When closing: how long what is sending may go on. */
  drainMs: number
  /** How long a sandbox that does not answer is asked at the start of a rehearsal. */
  sandboxPatienceMs: number
}

export const defaultSettings: DeliverySettings = {
  concurrency: defaultConcurrency,
  leaseMs: 60_000,
  sendMs: 35_000,
  gather: { outcomesMs: 5, wakesMs: 25 },
  drainMs: 20_000,
  sandboxPatienceMs: 20_000,
}

export type DeliveryDependencies = {
  store: Store
  workers: JobWorkers
  /** One for each way in which messages leave. */
  channels: readonly Channel[]
  answerLinks: AnswerLinks
  log: Logger
  clock: Clock
  metrics: Metrics
  readiness: Readiness
  /** Signs that what was put into the app is there (WEGWIJS_SECRET). */
  secret: string
  settings?: Partial<DeliverySettings>
}

/** What is left to do when the workers have gone: to write down the last outcomes. */
const LAST_WRITES_MS = 5_000

/**
 * Hands messages to providers: job → claim with last check → render → send → settle. One set of
 * workers for each channel and lane (see lane.ts). Any number of processes may run it. Closing stops
 * claiming at once, lets what is sending end, and puts the rest back for others.
 */
export async function startDelivery(scope: Scope, deps: DeliveryDependencies): Promise<void> {
  const { store, workers, channels, log, clock, metrics, readiness, secret } = deps
  const settings = { ...defaultSettings, ...deps.settings }
  const waiting = { log, clock, readiness, signal: scope.signal }
  await waitFor('PostgreSQL', () => checkMigrated(store), waiting)
  const rules = createCurrentRules(store)
  await waitFor('definition', () => rules.latest(), waiting)
  const guard = createRehearsalGuard()
  await assertSandboxWhenRehearsing(store, channels, {
    guard,
    clock,
    patienceMs: settings.sandboxPatienceMs,
    signal: scope.signal,
  })

  const written = new AbortController()
  const patience = { log, clock, readiness, signal: written.signal }
  const shared = {
    ...patience,
    store,
    rules,
    guard,
    leaseMs: settings.leaseMs,
    deadlines: new SendDeadlines(clock, settings.sendMs),
    templates: createTemplateShelf(store, log),
    renderer: createRenderer(),
    answerLinks: deps.answerLinks,
    metrics: metrics.component('claim'),
    onFatal: (error: unknown) => scope.stop(error),
  }
  const paces = new Map(
    channels.map((channel) => {
      const pace = new ProviderPace(channel.provider, { log, clock, signal: scope.signal })
      return [channel, pace] as const
    }),
  )
  const opened: Opened[] = []
  scope.onClose(
    'workers',
    () => closeAll(opened, settings.drainMs, { clock, written }),
    settings.drainMs + 2 * LAST_WRITES_MS,
  )
  for (const laneName of lanes) {
    const settlements = createSettlements(store, {
      ...patience,
      secret,
      gather: settings.gather,
      metrics: metrics.component('settle'),
    })
    for (const [channel, pace] of paces) {
      const concurrency = settings.concurrency[channel.name][laneName]
      const sends = metrics.component(`send.${channel.name}`)
      const shape = { concurrency, leavesRoom: laneName === 'bulk' }
      const lane = new Lane(channel, shape, { ...shared, settlements, sends, pace })
      scope.signal.addEventListener('abort', () => lane.stop(), { once: true })
      const queue = queueName(channel.name, laneName)
      const running = await waitFor(
        'Redis',
        () => workers.work(queue, { concurrency }, (job, signal) => lane.handle(job, signal)),
        waiting,
      )
      opened.push({ lane, settlements, workers: running })
    }
  }
}

async function checkMigrated(store: Store): Promise<void> {
  if (await query(() => isMigrated(store))) return
  throw fail('WEGWIJS_NOT_MIGRATED', { expected: 'the newest migration' })
}

type Opened = {
  lane: Lane
  settlements: Settlements
  workers: { close(deadlineMs: number): Promise<void> }
}

/** At the deadline the queue aborts what is sending; how that ended is still written down. */
async function closeAll(
  opened: readonly Opened[],
  drainMs: number,
  { clock, written }: { clock: Clock; written: AbortController },
): Promise<void> {
  for (const { lane } of opened) lane.stop()
  await Promise.all(opened.map(({ workers }) => workers.close(drainMs)))
  const over = new AbortController()
  const settled = Promise.all(
    opened.flatMap(({ lane, settlements }) => [lane.idle(), settlements.drain()]),
  )
  const late = clock.sleep(LAST_WRITES_MS, over.signal).catch(() => {})
  await Promise.race([settled, late])
  over.abort()
  written.abort()
}
