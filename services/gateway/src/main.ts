import { connectKafkajs } from '@wegwijs/kafka/kafkajs'
import { systemClock } from '@wegwijs/runtime/clock'
import { readEnvironment, resolveConfig } from '@wegwijs/runtime/env'
import { createReadiness, startHealthServer } from '@wegwijs/runtime/health'
import { openService } from '@wegwijs/runtime/lifecycle'
import { createLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { watch } from '@wegwijs/runtime/watch'
import { openStore } from '@wegwijs/store/database'
import { configNames } from './config.ts'
import { createDefinitionInForce } from './definition-in-force.ts'
import { startGateway } from './service.ts'

const NAME = 'gateway'

await openService(NAME, async (scope) => {
  const config = resolveConfig(readEnvironment(), configNames)
  const { namespace } = config
  const log = createLogger(NAME, config.logLevel).child({ namespace })
  const metrics = createMetrics(NAME, { processMetrics: true })
  const readiness = createReadiness(['PostgreSQL', 'Kafka', 'definition'])

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

  const definition = createDefinitionInForce(store)
  watch('definition', definition.refresh, { scope, log, clock: systemClock, readiness })
  await startGateway(scope, {
    store,
    publisher: kafka.publisher,
    admin: kafka.admin,
    definition: definition.current,
    refreshDefinition: definition.refresh,
    secret: config.secret,
    host: config.gatewayHost,
    port: config.gatewayPort,
    log,
    metrics,
    readiness,
  })
})
