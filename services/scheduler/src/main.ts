import { connectKafkajs } from '@wegwijs/kafka/kafkajs'
import { connectBullmq } from '@wegwijs/queue/bullmq'
import { systemClock } from '@wegwijs/runtime/clock'
import { readEnvironment, resolveConfig } from '@wegwijs/runtime/env'
import { createReadiness, startHealthServer } from '@wegwijs/runtime/health'
import { openService, waitFor } from '@wegwijs/runtime/lifecycle'
import { createLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { watch } from '@wegwijs/runtime/watch'
import { businessNow } from '@wegwijs/store/business-clock'
import { openStore } from '@wegwijs/store/database'
import { query } from '@wegwijs/store/transaction'
import { queueNames } from '@wegwijs/wire/delivery-job'
import { configNames } from './config.ts'
import { startScheduler } from './service.ts'

const NAME = 'scheduler'

await openService(NAME, async (scope) => {
  const config = resolveConfig(readEnvironment(), configNames)
  const { namespace } = config
  const log = createLogger(NAME, config.logLevel).child({ namespace })
  const clock = systemClock
  const metrics = createMetrics(NAME, { processMetrics: true })
  const readiness = createReadiness(['PostgreSQL', 'Redis', 'urgent release', 'release', 'relay'])
  const health = await startHealthServer({
    host: config.healthHost,
    port: config.healthPort,
    readiness: readiness.report,
    metrics,
  })
  scope.onClose('health server', health.close)
  log.info('tells its health', { port: health.port })

  const store = openStore({
    databaseUrl: config.databaseUrl,
    namespace,
    applicationName: `wegwijs ${NAME}`,
    steadyPlans: true,
    onIdleError: (error) => log.warn('lost an idle connection to PostgreSQL', { error }),
  })
  scope.onClose('PostgreSQL', store.close)
  const kafka = connectKafkajs({
    brokers: config.kafkaBrokers,
    clientId: `${namespace}-${NAME}`,
    log,
  })
  scope.onClose('Kafka', kafka.close)
  const { queue } = await waitFor(
    'Redis',
    () => connectBullmq({ redisUrl: config.redisUrl, prefix: namespace, log }),
    { log, clock, readiness, signal: scope.signal },
  )
  scope.onClose('Redis', queue.close)
  await startScheduler(scope, {
    store,
    queue,
    publisher: kafka.publisher,
    log,
    clock,
    metrics,
    readiness,
  })
  const watching = { scope, log, clock, readiness }
  watch('PostgreSQL', () => query(() => businessNow(store.db)), watching)
  watch('Redis', () => queue.depths(queueNames().slice(0, 1)), watching)
})
