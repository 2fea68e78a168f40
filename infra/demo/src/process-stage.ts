import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sandboxStatus } from '@wegwijs/cli/sandbox'
import { configNames as deliveryNames } from '@wegwijs/delivery/config'
import { configNames as gatewayNames } from '@wegwijs/gateway/config'
import { configNames as journeyNames } from '@wegwijs/journey/config'
import type { KafkajsBroker } from '@wegwijs/kafka/kafkajs'
import { freePort } from '@wegwijs/local/free-port'
import type { StackAddresses } from '@wegwijs/local/stack'
import { connectBullmq } from '@wegwijs/queue/bullmq'
import { newUuid } from '@wegwijs/runtime/derived-id'
import type { Environment, VariableName } from '@wegwijs/runtime/env'
import type { Scope } from '@wegwijs/runtime/lifecycle'
import { silentLogger } from '@wegwijs/runtime/log'
import {
  optionalConfigNames as sandboxExtras,
  configNames as sandboxNames,
} from '@wegwijs/sandbox/config'
import { configNames as schedulerNames } from '@wegwijs/scheduler/config'
import type { Store } from '@wegwijs/store/database'
import { type ServiceProcess, startServiceProcess } from './service-process.ts'
import type { Stage, StageFolders } from './stage.ts'

/** What each service reads of the environment, by its own declaration. */
const services: Readonly<Record<string, readonly VariableName[]>> = {
  gateway: gatewayNames,
  sandbox: [...sandboxNames, ...sandboxExtras],
  journey: journeyNames,
  scheduler: schedulerNames,
  delivery: deliveryNames,
}

export type ProcessStageOptions = {
  store: Store
  addresses: StackAddresses
  kafka: KafkajsBroker
  folders: StageFolders
  /** Of this process; what is Wegwijs' own in it is not handed on. */
  environment: Environment
}

const END_MS = 20_000

/** Every service as a process of its own, on the real servers; resolves when all are ready. */
export async function openProcessStage(scope: Scope, options: ProcessStageOptions): Promise<Stage> {
  const { store, addresses, kafka, folders } = options
  const { queue } = await connectBullmq({
    redisUrl: addresses.redisUrl,
    prefix: store.namespace,
    log: silentLogger,
  })
  scope.onClose('Redis', () => queue.close())
  const secret = newUuid()
  const settings = await settingsOf(options, secret)
  const started: ServiceProcess[] = []
  // Registered before the first is started, so that none is left behind whenever we are told to end.
  const endAll = async () => {
    await Promise.all(started.map((service) => service.end(END_MS)))
  }
  scope.onClose('services', endAll, END_MS + 5_000)
  for (const [name, names] of Object.entries(services)) {
    scope.signal.throwIfAborted()
    const healthPort = await freePort()
    started.push(
      await startServiceProcess({
        name,
        program: programOf(name),
        environment: environmentOf(options.environment, names, {
          ...settings,
          WEGWIJS_HEALTH_PORT: String(healthPort),
        }),
        healthPort,
        logFile: join(folders.logs, `${name}.log`),
      }),
    )
  }
  for (const service of started) service.failed.catch((error: unknown) => scope.stop(error))
  await Promise.all(started.map((service) => service.ready(scope.signal)))
  const pageUrl = `http://127.0.0.1:${settings.WEGWIJS_SANDBOX_HTTP_PORT}`
  return {
    publisher: kafka.publisher,
    admin: kafka.admin,
    queue,
    secret,
    sandboxStatus: sandboxStatus(pageUrl),
    pageUrl,
  }
}

type Settings = Partial<Record<VariableName, string>>

/** Everything that any of them needs. */
async function settingsOf(
  { store, addresses, folders }: ProcessStageOptions,
  secret: string,
): Promise<Settings> {
  const [gateway, smtp, http] = [await freePort(), await freePort(), await freePort()]
  return {
    WEGWIJS_NAMESPACE: store.namespace,
    WEGWIJS_DATABASE_URL: addresses.databaseUrl,
    WEGWIJS_KAFKA_BROKERS: addresses.kafkaBrokers.join(','),
    WEGWIJS_REDIS_URL: addresses.redisUrl,
    WEGWIJS_SECRET: secret,
    WEGWIJS_GATEWAY_HOST: '127.0.0.1',
    WEGWIJS_GATEWAY_PORT: String(gateway),
    WEGWIJS_GATEWAY_URL: `http://127.0.0.1:${gateway}`,
    WEGWIJS_PUBLIC_URL: `http://127.0.0.1:${gateway}`,
    WEGWIJS_HEALTH_HOST: '127.0.0.1',
    WEGWIJS_LOG_LEVEL: 'info',
    WEGWIJS_SANDBOX_DIRECTORY: folders.sandbox,
    WEGWIJS_SANDBOX_HOST: '127.0.0.1',
    WEGWIJS_SANDBOX_HTTP_PORT: String(http),
    WEGWIJS_SANDBOX_SMTP_PORT: String(smtp),
    WEGWIJS_SMTP_URL: `smtp://127.0.0.1:${smtp}`,
    WEGWIJS_SMS_URL: `http://127.0.0.1:${http}/sms`,
    WEGWIJS_SMS_TOKEN: 'sandbox',
  }
}

function environmentOf(
  own: Environment,
  names: readonly VariableName[],
  settings: Settings,
): Environment {
  const inherited = Object.entries(own).filter(([name]) => !name.startsWith('WEGWIJS_'))
  const named = names.map((name) => [name, settings[name]] as const)
  return Object.fromEntries([...inherited, ...named.filter(([, value]) => value !== undefined)])
}

function programOf(service: string): string {
  return fileURLToPath(new URL(`../../../services/${service}/src/main.ts`, import.meta.url))
}
