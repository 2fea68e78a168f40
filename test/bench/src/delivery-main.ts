import { createSmsChannel } from '@wegwijs/channels/sms'
import { defaultConcurrency } from '@wegwijs/delivery/concurrency'
import { configNames } from '@wegwijs/delivery/config'
import { startDelivery } from '@wegwijs/delivery/service'
import { connectBullmq } from '@wegwijs/queue/bullmq'
import { systemClock } from '@wegwijs/runtime/clock'
import { readEnvironment, resolveConfig } from '@wegwijs/runtime/env'
import { createReadiness, startHealthServer } from '@wegwijs/runtime/health'
import { openService } from '@wegwijs/runtime/lifecycle'
import { createLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { openStore } from '@wegwijs/store/database'

// services/delivery with SMS alone, and as many messages in flight as its first word says: the
// service itself takes what is right for most providers.

await openService('delivery', async (scope) => {
  const inFlight = Number(process.argv[2])
  const config = resolveConfig(readEnvironment(), configNames)
  const { namespace } = config
  const log = createLogger('delivery', config.logLevel)
  const clock = systemClock
  const metrics = createMetrics('delivery', { processMetrics: false })
  const readiness = createReadiness(['PostgreSQL', 'Redis', 'definition'])
  const health = await startHealthServer({
    host: config.healthHost,
    port: config.healthPort,
    readiness: readiness.report,
    metrics,
  })
  scope.onClose('health server', health.close)
  const store = openStore({
    databaseUrl: config.databaseUrl,
    namespace,
    applicationName: 'wegwijs delivery',
    steadyPlans: true,
    maxConnections: 8,
  })
  scope.onClose('PostgreSQL', store.close)
  const sms = createSmsChannel({
    url: config.smsUrl,
    token: config.smsToken,
    honoursIdempotencyKey: false,
    connections: inFlight + 2,
  })
  scope.onClose('channels', sms.close)
  const { queue, workers } = await connectBullmq({
    redisUrl: config.redisUrl,
    prefix: namespace,
    log,
  })
  scope.onClose('Redis', queue.close)
  readiness.set('Redis', true)
  const concurrency = {
    ...defaultConcurrency,
    sms: { transactional: inFlight, standard: 1, bulk: 1 },
  }
  const settings = { concurrency }
  const channels = [sms]
  await startDelivery(scope, {
    store,
    workers,
    channels,
    log,
    clock,
    metrics,
    readiness,
    settings,
  })
})
