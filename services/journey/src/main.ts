import { connectKafkajs } from '@wegwijs/kafka/kafkajs'
import { systemClock } from '@wegwijs/runtime/clock'
import { readEnvironment, resolveConfig } from '@wegwijs/runtime/env'
import { openService } from '@wegwijs/runtime/lifecycle'
import { openVitals } from '@wegwijs/runtime/vitals'
import { watch } from '@wegwijs/runtime/watch'
import { businessNow } from '@wegwijs/store/business-clock'
import { openStore } from '@wegwijs/store/database'
import { query } from '@wegwijs/store/transaction'
import { topicsOf } from '@wegwijs/wire/topics'
import { configNames } from './config.ts'
import { startJourney } from './service.ts'

await openService('journey', async (scope) => {
  const config = resolveConfig(readEnvironment(), configNames)
  const { log, metrics, readiness } = await openVitals(scope, config, ['definition', 'Kafka'])

  const store = openStore({
    databaseUrl: config.databaseUrl,
    namespace: config.namespace,
    applicationName: 'wegwijs journey',
    steadyPlans: true,
    onIdleError: (error) => log.warn('a connection was lost', { error }),
  })
  scope.onClose('database', store.close)
  const kafka = connectKafkajs({ brokers: config.kafkaBrokers, clientId: 'journey', log })
  scope.onClose('Kafka', kafka.close)
  await startJourney(scope, {
    store,
    source: kafka.source,
    admin: kafka.admin,
    secret: config.secret,
    log,
    clock: systemClock,
    metrics,
    readiness,
  })
  const watching = { scope, log, clock: systemClock, readiness }
  watch('PostgreSQL', () => query(() => businessNow(store.db)), watching)
  watch('Kafka', () => kafka.admin.endOffsets(topicsOf(config.namespace).urgent), watching)
})
