import { createAppChannel } from '@wegwijs/channels/app'
import { createEmailChannel } from '@wegwijs/channels/email'
import type { Channel } from '@wegwijs/channels/port'
import { createSmsChannel } from '@wegwijs/channels/sms'
import { connectionsFor, defaultConcurrency } from '@wegwijs/delivery/concurrency'
import { type DeliverySettings, startDelivery } from '@wegwijs/delivery/service'
import { createDefinitionInForce } from '@wegwijs/gateway/definition-in-force'
import { startGateway } from '@wegwijs/gateway/service'
import { startJourney } from '@wegwijs/journey/service'
import type { EventPublisher, EventSource, TopicAdmin } from '@wegwijs/kafka/port'
import type { JobQueue, JobWorkers } from '@wegwijs/queue/port'
import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import { createReadiness } from '@wegwijs/runtime/health'
import { createScope, type Scope } from '@wegwijs/runtime/lifecycle'
import type { Logger } from '@wegwijs/runtime/log'
import { createMetrics, type Metrics } from '@wegwijs/runtime/metrics'
import { type Sandbox, type SandboxOptions, startSandbox } from '@wegwijs/sandbox/service'
import { type SchedulerSettings, startScheduler } from '@wegwijs/scheduler/service'
import { createAppInbox } from '@wegwijs/store/app-inbox'
import type { Store } from '@wegwijs/store/database'
import { createOutboxPage } from '@wegwijs/store/outbox-page'
import { findQuestion } from '@wegwijs/store/questions'
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
  /** Called whenever a service starts: a store of its own instead of the one they share. */
  storeOf?: (service: PipeService) => Store
  settings?: PipeSettings
}

/** What a service may be told beyond its environment. */
export type PipeSettings = {
  scheduler?: Partial<SchedulerSettings>
  delivery?: Partial<DeliverySettings>
  sandbox?: Pick<SandboxOptions, 'rates'>
}

export type Pipe = {
  gatewayUrl: string
  /** The one that runs now. */
  readonly sandbox: Sandbox
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
  const { store, broker, clock = systemClock } = options
  await broker.admin.ensureTopics(topicConfigs(store.namespace))
  const shared: Shared = { ...options, clock, metrics: metricsOf(), gatewayUrl: '', sandbox: null }
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
    const store = options.storeOf?.(service) ?? options.store
    await starters[service](own, shared, { log, store })
  }
  for (const service of pipeServices) {
    scope.onClose(service, () => stop(service))
    await start(service)
  }
  return {
    gatewayUrl: shared.gatewayUrl,
    metrics: shared.metrics,
    get sandbox() {
      return sandboxOf(shared)
    },
    stop,
    start,
  }
}

/** What the services share, and what one learns of another when it starts. */
type Shared = PipeOptions & {
  clock: Clock
  metrics: Record<PipeService, Metrics>
  gatewayUrl: string
  sandbox: Sandbox | null
}

type Parts = { log: Logger; store: Store }
type Starter = (own: Scope, shared: Shared, parts: Parts) => Promise<void>

const starters: Readonly<Record<PipeService, Starter>> = {
  gateway: async (own, shared, { log, store }) => {
    const { broker, secret, clock, metrics } = shared
    const definition = createDefinitionInForce(store)
    await definition.refresh()
    const { url } = await startGateway(own, {
      store,
      publisher: broker.publisher,
      admin: broker.admin,
      definition: definition.current,
      refreshDefinition: definition.refresh,
      secret,
      host,
      port: portOf(shared.gatewayUrl),
      log,
      metrics: metrics.gateway,
      clock,
    })
    shared.gatewayUrl = url
  },
  sandbox: async (own, shared, { log, store }) => {
    const { secret, clock, gatewayUrl, sandboxDirectory: directory } = shared
    shared.sandbox = await startSandbox(own, {
      directory,
      host,
      smtpPort: portOf(shared.sandbox?.smtpUrl),
      httpPort: portOf(shared.sandbox?.pageUrl),
      gatewayUrl,
      secret,
      smsToken,
      source: createOutboxPage(store.db),
      questionOf: async (intentId) => (await findQuestion(store.db, intentId))?.question ?? null,
      log,
      clock,
      ...shared.settings?.sandbox,
    })
  },
  journey: (own, { broker, secret, clock, metrics }, { log, store }) =>
    startJourney(own, {
      store,
      source: broker.source,
      admin: broker.admin,
      secret,
      log,
      clock,
      metrics: metrics.journey,
      readiness: createReadiness(),
    }),
  scheduler: (own, { broker, queue, clock, metrics, settings }, { log, store }) =>
    startScheduler(own, {
      store,
      queue: queue.queue,
      publisher: broker.publisher,
      log,
      clock,
      metrics: metrics.scheduler,
      readiness: createReadiness(),
      ...(settings?.scheduler && { settings: settings.scheduler }),
    }),
  delivery: (own, shared, { log, store }) =>
    startDelivery(own, {
      store,
      workers: shared.queue.workers,
      channels: openChannels(own, shared, store),
      answerLinks: { publicUrl: shared.gatewayUrl, secret: shared.secret },
      log,
      clock: shared.clock,
      secret: shared.secret,
      metrics: shared.metrics.delivery,
      readiness: createReadiness(),
      ...(shared.settings?.delivery && { settings: shared.settings.delivery }),
    }),
}

function metricsOf(): Record<PipeService, Metrics> {
  return Object.fromEntries(
    pipeServices.map((service) => [service, createMetrics(service)]),
  ) as Record<PipeService, Metrics>
}

function openChannels(own: Scope, shared: Shared, store: Store): readonly Channel[] {
  const { smtpUrl, smsUrl } = sandboxOf(shared)
  const { channels: choose = (usual) => usual } = shared
  const channels = choose([
    createEmailChannel({
      url: smtpUrl,
      provider: 'smtp',
      connections: connectionsFor(defaultConcurrency.email),
    }),
    createSmsChannel({
      url: smsUrl,
      token: smsToken,
      provider: 'sms-http',
      // As services/delivery has it: the class of a message decides what a lost answer means (P2).
      honoursIdempotencyKey: false,
      connections: connectionsFor(defaultConcurrency.sms),
    }),
    createAppChannel(createAppInbox(store.db), 'app-inbox'),
  ])
  for (const channel of channels) own.onClose(`channel ${channel.name}`, () => channel.close())
  return channels
}

function sandboxOf({ sandbox }: Shared): Sandbox {
  if (sandbox === null) throw new Error('the sandbox starts before what needs it')
  return sandbox
}

/** The port of an address, or 0 for any. */
function portOf(url: string | undefined): number {
  return url ? Number(new URL(url).port) : 0
}
