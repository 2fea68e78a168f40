import { fileURLToPath } from 'node:url'
import { connectKafkajs, type KafkajsBroker } from '@wegwijs/kafka/kafkajs'
import { runningAddresses } from '@wegwijs/local/stack'
import { connectBullmq } from '@wegwijs/queue/bullmq'
import type { JobQueue } from '@wegwijs/queue/port'
import { type Environment, resolveConfig, type VariableName } from '@wegwijs/runtime/env'
import { fail, isFailure } from '@wegwijs/runtime/failure'
import type { Scope } from '@wegwijs/runtime/lifecycle'
import { silentLogger } from '@wegwijs/runtime/log'
import { openStore, type Store } from '@wegwijs/store/database'

/** What a command reaches, each opened when it is first asked for and closed with the scope. */
export type Surroundings = {
  namespace(): string
  /** What our own events are signed with; the one of the services. */
  secret(): string
  store(): Promise<Store>
  kafka(): Promise<KafkajsBroker>
  queue(): Promise<JobQueue>
}

/** Where the local stack of this clone keeps its servers. */
export const stackDirectory = fileURLToPath(new URL('../../../.wegwijs', import.meta.url))

export function createSurroundings(environment: Environment, scope: Scope): Surroundings {
  const settings = once(() => withLocalStack(environment))
  const namespace = () => resolveConfig(environment, ['WEGWIJS_NAMESPACE']).namespace
  return {
    namespace,
    secret: () => resolveConfig(environment, ['WEGWIJS_SECRET']).secret,
    store: once(async () => {
      const { databaseUrl } = resolve(await settings(), ['WEGWIJS_DATABASE_URL'])
      const store = openStore({
        databaseUrl,
        namespace: namespace(),
        applicationName: 'wegwijs cli',
        maxConnections: 4,
      })
      scope.onClose('database', () => store.close())
      return store
    }),
    kafka: once(async () => {
      const { kafkaBrokers } = resolve(await settings(), ['WEGWIJS_KAFKA_BROKERS'])
      const kafka = connectKafkajs({ brokers: kafkaBrokers, clientId: 'cli', log: silentLogger })
      scope.onClose('Kafka', () => kafka.close())
      return kafka
    }),
    queue: once(async () => {
      const { redisUrl } = resolve(await settings(), ['WEGWIJS_REDIS_URL'])
      const { queue } = await connectBullmq({ redisUrl, prefix: namespace(), log: silentLogger })
      scope.onClose('Redis', () => queue.close())
      return queue
    }),
  }
}

/** What is not set is where the local stack of this clone has it, while that runs. */
async function withLocalStack(environment: Environment): Promise<Environment> {
  const local = await runningAddresses(stackDirectory)
  const defaults: Record<string, string> = {
    WEGWIJS_KAFKA_BROKERS: local.kafkaBrokers.join(','),
    WEGWIJS_DATABASE_URL: local.databaseUrl,
    WEGWIJS_REDIS_URL: local.redisUrl,
  }
  const given = Object.entries(environment).filter(
    ([, value]) => value !== undefined && value !== '',
  )
  return { ...defaults, ...Object.fromEntries(given) }
}

function resolve<const Names extends readonly VariableName[]>(
  environment: Environment,
  names: Names,
): ReturnType<typeof resolveConfig<Names>> {
  try {
    return resolveConfig(environment, names)
  } catch (error) {
    if (!isFailure(error, 'WEGWIJS_CONFIG_INVALID')) throw error
    const faults = (error.detail.faults as readonly string[]).map((fault) =>
      fault.includes('is not set')
        ? `${fault}, and the local stack does not run (\`wegwijs stack up\` starts it)`
        : fault,
    )
    throw fail('WEGWIJS_CONFIG_INVALID', { faults })
  }
}

function once<Result>(make: () => Result): () => Result {
  let made: { value: Result } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
