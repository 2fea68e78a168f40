import { connectKafkajs } from '@wegwijs/kafka/kafkajs'
import { systemClock } from '@wegwijs/runtime/clock'
import { readEnvironment, resolveConfig } from '@wegwijs/runtime/env'
import { openService } from '@wegwijs/runtime/lifecycle'
import { openVitals } from '@wegwijs/runtime/vitals'
import { watch } from '@wegwijs/runtime/watch'
import { openStore } from '@wegwijs/store/database'
import { configNames } from './config.ts'
import { createDefinitionInForce } from './definition-in-force.ts'
import { startGateway } from './service.ts'

const NAME = 'gateway'

await openService(NAME, async (scope) => {
  const config = resolveConfig(readEnvironment(), configNames)
  const { namespace } = config
  const { log, metrics, readiness } = await openVitals(scope, config, [
    'PostgreSQL',
    'Kafka',
    'definition',
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
