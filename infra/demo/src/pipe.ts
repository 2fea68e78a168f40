import { createAppChannel } from '@wegwijs/channels/app'
import { createEmailChannel } from '@wegwijs/channels/email'
import type { Channel } from '@wegwijs/channels/port'
import { createSmsChannel } from '@wegwijs/channels/sms'
import { startDelivery } from '@wegwijs/delivery/service'
import { startGateway } from '@wegwijs/gateway/service'
import { startJourney } from '@wegwijs/journey/service'
import type { EventPublisher, EventSource, TopicAdmin } from '@wegwijs/kafka/port'
import type { JobQueue, JobWorkers } from '@wegwijs/queue/port'
import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import { createReadiness } from '@wegwijs/runtime/health'
import { createScope, type Scope } from '@wegwijs/runtime/lifecycle'
import type { Logger } from '@wegwijs/runtime/log'
import { createMetrics, type Metrics } from '@wegwijs/runtime/metrics'
import { type Sandbox, startSandbox } from '@wegwijs/sandbox/service'
import { startScheduler } from '@wegwijs/scheduler/service'
import { createAppInbox } from '@wegwijs/store/app-inbox'
import type { Store } from '@wegwijs/store/database'
import { loadDefinition } from '@wegwijs/store/definitions'
import { createOutboxPage } from '@wegwijs/store/outbox-page'
import { topicConfigs } from '@wegwijs/wire/topics'

/** In the order in which they are started; they are closed in the other one. */
export const pipeServices = ['gateway', 'sandbox', 'journey', 'scheduler', 'delivery'] as const
export type PipeService = (typeof pipeServices)[number]

export type PipeOptions = {
  /** Migrated, with a definition applied. */
  store: Store
  broker: { source: EventSource; publisher: EventPublisher; admin: TopicAdmin }
  queue: { queue: JobQueue; workers: JobWorkers }
  /** Where the sandbox writes what it accepted. */
  sandboxDirectory: string
  /** At least 32 characters. */
  secret: string
  /** A log for each service. */
  log: (service: PipeService) => Logger
  clock?: Clock
  /** What messages go through instead of the sandbox's SMTP server and SMS provider. */
  channels?: (usual: readonly Channel[]) => readonly Channel[]
}

export type Pipe = {
  gatewayUrl: string
  sandbox: Sandbox
  /** Of each service, as its own process would show them. */
  metrics: Readonly<Record<PipeService, Metrics>>
  /** Closes one service and leaves the others alone. */
  stop(service: PipeService): Promise<void>
  /** Starts a service that was stopped, on the ports that it had. */
  start(service: PipeService): Promise<void>
}

const smsToken = 'sandbox'
const host = '127.0.0.1'

/**
 * Every service of Wegwijs in one process, through the same front doors as their own processes. A
 * service that fails by itself closes the scope, and its failure is the scope's.
 */
export async function startPipe(scope: Scope, options: PipeOptions): Promise<Pipe> {
  const { store, broker, queue, secret, clock = systemClock } = options
  await broker.admin.ensureTopics(topicConfigs(store.namespace))
  const metrics = metricsOf(pipeServices)
  let gatewayUrl = ''
  let sandbox: Sandbox | undefined

  const starters: Record<PipeService, (own: Scope, of: Parts) => Promise<unknown>> = {
    gateway: async (own, { log }) => {
      const definition = await loadDefinition(store)
      if (definition === null) throw fail('WEGWIJS_DEFINITION_MISSING')
      const { url } = await startGateway(own, {
        store,
        ...broker,
        definition: () => definition,
        secret,
        host,
        port: portOf(gatewayUrl),
        log,
        metrics: metrics.gateway,
        clock,
      })
      gatewayUrl = url
    },
    sandbox: async (own, { log }) => {
      sandbox = await startSandbox(own, {
        directory: options.sandboxDirectory,
        host,
        smtpPort: portOf(sandbox?.smtpUrl),
        httpPort: portOf(sandbox?.pageUrl),
        gatewayUrl,
        secret,
        smsToken,
        source: createOutboxPage(store.db),
        log,
        clock,
      })
    },
    journey: (own, { log, readiness }) =>
      startJourney(own, {
        store,
        source: broker.source,
        admin: broker.admin,
        secret,
        log,
        clock,
        metrics: metrics.journey,
        readiness,
      }),
    scheduler: (own, { log, readiness }) =>
      startScheduler(own, {
        store,
        queue: queue.queue,
        publisher: broker.publisher,
        log,
        clock,
        metrics: metrics.scheduler,
        readiness,
      }),
    delivery: (own, { log, readiness }) =>
      startDelivery(own, {
        store,
        workers: queue.workers,
        channels: openChannels(own, { store, sandbox, choose: options.channels }),
        log,
        clock,
        metrics: metrics.delivery,
        readiness,
      }),
  }

  const running = new Map<PipeService, Scope>()
  const stop = async (service: PipeService) => {
    const own = running.get(service)
    running.delete(service)
    await own?.close()
  }
  const start = async (service: PipeService) => {
    const log = options.log(service)
    const own = createScope(service, { log, clock })
    running.set(service, own)
    void own.closed.then(() => {
      if (running.get(service) === own) scope.stop(own.failures[0])
    })
    await starters[service](own, { log, readiness: createReadiness() })
  }
  for (const service of pipeServices) {
    scope.onClose(service, () => stop(service))
    await start(service)
  }
  if (sandbox === undefined) throw scope.signal.reason
  return {
    get gatewayUrl() {
      return gatewayUrl
    },
    sandbox,
    metrics,
    stop,
    start,
  }
}

type Parts = { log: Logger; readiness: ReturnType<typeof createReadiness> }

function metricsOf(services: readonly PipeService[]): Record<PipeService, Metrics> {
  return Object.fromEntries(services.map((service) => [service, createMetrics(service)])) as Record<
    PipeService,
    Metrics
  >
}

function openChannels(
  own: Scope,
  parts: {
    store: Store
    sandbox: Sandbox | undefined
    choose: PipeOptions['channels']
  },
): readonly Channel[] {
  const { store, sandbox, choose = (usual) => usual } = parts
  const channels = choose([
    createEmailChannel({ url: sandbox?.smtpUrl ?? '', provider: 'smtp' }),
    createSmsChannel({
      url: sandbox?.smsUrl ?? '',
      token: smsToken,
      provider: 'sms-http',
      honoursIdempotencyKey: true,
    }),
    createAppChannel(createAppInbox(store.db), 'app-inbox'),
  ])
  for (const channel of channels) own.onClose(`channel ${channel.name}`, () => channel.close())
  return channels
}

/** The port of an address, or 0 for any. */
function portOf(url: string | undefined): number {
  return url ? Number(new URL(url).port) : 0
}
