import { readEnvironment, resolveConfig } from '@wegwijs/runtime/env'
import { openService } from '@wegwijs/runtime/lifecycle'
import { openVitals } from '@wegwijs/runtime/vitals'
import { openStore } from '@wegwijs/store/database'
import { createOutboxPage } from '@wegwijs/store/outbox-page'
import { findQuestion } from '@wegwijs/store/questions'
import { configNames, optionalConfigNames } from './config.ts'
import { startSandbox } from './service.ts'

const NAME = 'sandbox'

await openService(NAME, async (scope) => {
  const config = resolveConfig(readEnvironment(), configNames, optionalConfigNames)
  const { log, readiness } = await openVitals(scope, config, ['servers'])

  const { databaseUrl, namespace } = config
  const record =
    databaseUrl &&
    openStore({
      databaseUrl,
      namespace,
      applicationName: `wegwijs ${NAME}`,
      onIdleError: (error) => log.warn('lost an idle connection to PostgreSQL', { error }),
    })
  if (record) scope.onClose('PostgreSQL', record.close)

  await startSandbox(scope, {
    directory: config.sandboxDirectory,
    host: config.sandboxHost,
    smtpPort: config.sandboxSmtpPort,
    httpPort: config.sandboxHttpPort,
    gatewayUrl: config.gatewayUrl,
    secret: config.secret,
    ...(config.smsToken === undefined ? {} : { smsToken: config.smsToken }),
    ...(record && {
      source: createOutboxPage(record.db),
      questionOf: async (intentId) => (await findQuestion(record.db, intentId))?.question ?? null,
    }),
    log,
  })
  readiness.set('servers', true)
})
