import { connectKafkajs } from '@wegwijs/kafka/kafkajs'
import { connectBullmq } from '@wegwijs/queue/bullmq'
import { systemClock } from '@wegwijs/runtime/clock'
import { readEnvironment, resolveConfig } from '@wegwijs/runtime/env'
import { openService, waitFor } from '@wegwijs/runtime/lifecycle'
import { openVitals } from '@wegwijs/runtime/vitals'
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
  const clock = systemClock
  const { log, metrics, readiness } = await openVitals(scope, config, [
    'PostgreSQL',
    'Redis',
    'urgent release',
    'release',
    'relay',
  ])

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
