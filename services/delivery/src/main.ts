import { createAppChannel } from '@wegwijs/channels/app'
import { createEmailChannel } from '@wegwijs/channels/email'
import { createSmsChannel } from '@wegwijs/channels/sms'
import { connectBullmq } from '@wegwijs/queue/bullmq'
import { systemClock } from '@wegwijs/runtime/clock'
import { readEnvironment, resolveConfig } from '@wegwijs/runtime/env'
import { openService, waitFor } from '@wegwijs/runtime/lifecycle'
import { openVitals } from '@wegwijs/runtime/vitals'
import { watch } from '@wegwijs/runtime/watch'
import { createAppInbox } from '@wegwijs/store/app-inbox'
import { businessNow } from '@wegwijs/store/business-clock'
import { openStore } from '@wegwijs/store/database'
import { query } from '@wegwijs/store/transaction'
import { queueNames } from '@wegwijs/wire/delivery-job'
import { concurrencyOf, connectionsFor } from './concurrency.ts'
import { configNames } from './config.ts'
import { startDelivery } from './service.ts'

const NAME = 'delivery'

await openService(NAME, async (scope) => {
  const config = resolveConfig(readEnvironment(), configNames)
  const { namespace } = config
  const clock = systemClock
  const { log, metrics, readiness } = await openVitals(scope, config, [
    'PostgreSQL',
    'Redis',
    'definition',
  ])

  const store = openStore({
    databaseUrl: config.databaseUrl,
    namespace,
    applicationName: `wegwijs ${NAME}`,
    steadyPlans: 'at-first',
    // A claim for each channel and lane and a settlement for each lane may be under way at once.
    maxConnections: 16,
    onIdleError: (error) => log.warn('lost an idle connection to PostgreSQL', { error }),
  })
  scope.onClose('PostgreSQL', store.close)
  const concurrency = concurrencyOf({
    email: config.emailConcurrency,
    sms: config.smsConcurrency,
  })
  const channels = [
    createEmailChannel({
      url: config.smtpUrl,
      connections: connectionsFor(concurrency.email),
    }),
    // Nothing is known of how the provider takes a repeat, so the message's class decides (P2).
    createSmsChannel({
      url: config.smsUrl,
      token: config.smsToken,
      honoursIdempotencyKey: false,
      connections: connectionsFor(concurrency.sms),
    }),
    createAppChannel(createAppInbox(store.db)),
  ]
  scope.onClose('channels', async () => {
    await Promise.all(channels.map((channel) => channel.close()))
  })
  const { queue, workers } = await waitFor(
    'Redis',
    async () => {
      const bullmq = await connectBullmq({ redisUrl: config.redisUrl, prefix: namespace, log })
      scope.onClose('Redis', bullmq.queue.close)
      return bullmq
    },
    { log, clock, readiness, signal: scope.signal },
  )
  await startDelivery(scope, {
    store,
    workers,
    channels,
    answerLinks: { publicUrl: config.publicUrl, secret: config.secret },
    log,
    clock,
    metrics,
    readiness,
    secret: config.secret,
    settings: { concurrency },
  })
  const watching = { scope, log, clock, readiness }
  watch('PostgreSQL', () => query(() => businessNow(store.db)), watching)
  watch('Redis', () => queue.depths(queueNames().slice(0, 1)), watching)
})
