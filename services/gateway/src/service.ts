import type { AddressInfo } from 'node:net'
import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import type { EventPublisher, TopicAdmin } from '@wegwijs/kafka/port'
import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import { fail, isFailure } from '@wegwijs/runtime/failure'
import { createReadiness, type Readiness } from '@wegwijs/runtime/health'
import type { Scope } from '@wegwijs/runtime/lifecycle'
import type { Logger } from '@wegwijs/runtime/log'
import type { Metrics } from '@wegwijs/runtime/metrics'
import { watch } from '@wegwijs/runtime/watch'
import type { Store } from '@wegwijs/store/database'
import { isMigrated } from '@wegwijs/store/migrate'
import { query } from '@wegwijs/store/transaction'
import { topicsOf } from '@wegwijs/wire/topics'
import type { FastifyInstance } from 'fastify'
import { createAdmission } from './admission.ts'
import { routeAnswers } from './answers-route.ts'
import { routeAppInbox } from './app-inbox-route.ts'
import { createBusinessTime } from './business-time.ts'
import type { GatewayContext } from './context.ts'
import { createCredentials } from './credentials.ts'
import { withinDeadline } from './deadline.ts'
import { routeEvents } from './events-route.ts'
import { createKeep } from './keep.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { routeReceipts } from './receipts-route.ts'
import { routeReplies } from './replies-route.ts'
import { createServer } from './server.ts'

export type GatewayDeps = {
  store: Store
  publisher: EventPublisher
  admin: Pick<TopicAdmin, 'endOffsets'>
  /** The definition in force; null while none is known, and then events get 503. */
  definition: () => CompiledDefinition | null
  /** Looks whether another one was applied. An event is only refused after it was asked. */
  refreshDefinition?: () => Promise<void>
  /** Signs what receipts become; receipts are signed with it (WEGWIJS_SECRET). */
  secret: string
  host: string
  /** 0 takes a free one. */
  port: number
  log: Logger
  metrics: Metrics
  readiness?: Pick<Readiness, 'set'>
  clock?: Clock
  limits?: Partial<Limits>
}

/**
 * Opens the door for events, receipts and the app inbox. It listens at once and answers 503 with
 * Retry-After for what PostgreSQL or Kafka, being away, keep it from taking. Closing the scope lets
 * what is being answered end first.
 */
export async function startGateway(scope: Scope, deps: GatewayDeps): Promise<{ url: string }> {
  const { store, admin, log, clock = systemClock, readiness = createReadiness() } = deps
  const context = contextOf(deps, clock)
  let migrated = false
  const app = createServer({
    context,
    log,
    clock,
    observe: observeRequests(deps.metrics, context),
    closing: scope.signal,
    refuses: () => (migrated ? null : fail('WEGWIJS_UNAVAILABLE', { dependency: 'PostgreSQL' })),
  })
  routeEvents(app, context)
  routeReceipts(app, context)
  routeReplies(app, context)
  routeAnswers(app, context)
  routeAppInbox(app, context)
  const backlog = context.limits.connectionsWaiting
  await app.listen({ host: deps.host, port: deps.port, backlog })
  scope.onClose('HTTP server', () => drain(app, context.limits.drainMs, clock))
  const options = { scope, log, clock, readiness }
  const checkDatabase = async () => {
    if (!(await query(() => isMigrated(store)))) {
      throw fail('WEGWIJS_NOT_MIGRATED', { expected: 'the newest migration' })
    }
    migrated = true
  }
  watch('PostgreSQL', checkDatabase, options)
  watch('Kafka', probeOf(admin, store.namespace), options)
  // Where the database is there, nobody who waits for this start is answered 503.
  await withinDeadline(checkDatabase(), context.limits.databaseDeadlineMs, clock).catch(() => {})
  const { port } = app.server.address() as AddressInfo
  log.info('listens', { host: deps.host, port })
  return { url: `http://${deps.host.includes(':') ? `[${deps.host}]` : deps.host}:${port}` }
}

function contextOf(deps: GatewayDeps, clock: Clock): GatewayContext {
  const { store, publisher, secret, log } = deps
  const limits = { ...defaultLimits, ...deps.limits }
  const metrics = deps.metrics.component('gateway')
  return {
    store,
    secret,
    limits,
    clock,
    metrics,
    definition: deps.definition,
    refreshDefinition: deps.refreshDefinition ?? (async () => {}),
    credentials: createCredentials({ store, clock, limits }),
    admission: createAdmission(clock, limits),
    time: createBusinessTime({ store, clock, limits }),
    keep: createKeep({
      store,
      publisher,
      clock,
      limits,
      onFailure: (failure) => {
        metrics.error(failure.code)
        // An outage has its own line every few seconds; a line per request would bury it.
        if (!failure.retryable) log.error('events could not be kept', { error: failure })
      },
    }),
  }
}

/** Makes the topics that are missing, once, and then asks whether they are there. */
/** `wegwijs migrate` makes the topics, with the replication that it is told; nobody else does. */
function probeOf(admin: GatewayDeps['admin'], namespace: string): () => Promise<void> {
  const topic = topicsOf(namespace).touchpoints
  return async () => {
    try {
      await admin.endOffsets(topic)
    } catch (error) {
      if (!isFailure(error, 'WEGWIJS_TOPIC_UNKNOWN')) throw error
      throw fail('WEGWIJS_TOPICS_MISSING', { topic }, error)
    }
  }
}

function observeRequests(metrics: Metrics, { admission }: GatewayContext) {
  const histogram = metrics.histogram({
    name: 'http_request_seconds',
    help: 'From the first byte of a request to the last of its answer',
    labels: ['route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  })
  metrics.gauge({
    name: 'http_requests_in_flight',
    help: 'Requests that are being read or answered',
    collect: async (gauge) => gauge.set(admission.inFlight()),
  })
  return (route: string, status: number, seconds: number) =>
    histogram.observe(seconds, { route, status })
}

/** Takes no new connection, lets requests end, and cuts those that have not after `drainMs`. */
async function drain(app: FastifyInstance, drainMs: number, clock: Clock): Promise<void> {
  const closed = new AbortController()
  const cut = clock.sleep(drainMs, closed.signal).then(() => app.server.closeAllConnections())
  cut.catch(() => {})
  await app.close()
  closed.abort()
}
