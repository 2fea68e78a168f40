import { join } from 'node:path'
import { connectKafkajs } from '@wegwijs/kafka/kafkajs'
import type { OutgoingRecord } from '@wegwijs/kafka/port'
import { freePort } from '@wegwijs/local/free-port'
import { newUuid } from '@wegwijs/runtime/derived-id'
import type { Environment } from '@wegwijs/runtime/env'
import { silentLogger } from '@wegwijs/runtime/log'
import { openStore, type Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { migrate } from '@wegwijs/store/migrate'
import { topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import { sql } from 'kysely'
import { hospital } from './hospital.ts'
import { plantPeople } from './plant.ts'
import { type Process, startProcess, until } from './processes.ts'
import type { World } from './world.ts'

export type ServiceName = 'gateway' | 'journey' | 'scheduler' | 'delivery'

/** Wegwijs in a namespace of its own, with people; its services are the real processes. */
export type Wegwijs = {
  readonly namespace: string
  readonly store: Store
  readonly topic: string
  readonly environment: Environment
  /** What runs, in the order in which it was started. */
  readonly processes: readonly Process[]
  /** Starts services and waits until each is ready. */
  start(...services: ServiceName[]): Promise<void>
  /** Ends every process, at once. */
  stop(): Promise<void>
  publish(records: readonly OutgoingRecord[]): Promise<void>
  /** Events that are decided or put aside. */
  decided(): Promise<number>
  /** Messages that are on their way: due, queued or being sent; and outcomes not told yet. */
  isIdle(): Promise<boolean>
  /** Messages that have come to this state. */
  count(state: string): Promise<number>
  close(): Promise<void>
}

export type WegwijsOptions = {
  campaigns: number
  people: number
  /** Over those of the provider over HTTP. */
  environment?: Environment
}

const PUBLISH_AT_ONCE = 1_000

/** What it needs of the world. */
type Ground = Pick<
  World,
  'directory' | 'profiles' | 'kafkaBrokers' | 'databaseUrl' | 'redisUrl' | 'providerUrl'
>

export async function openWegwijs(world: Ground, options: WegwijsOptions): Promise<Wegwijs> {
  const namespace = `bench_${newUuid().slice(-12)}`
  const store = openStore({
    databaseUrl: world.databaseUrl,
    namespace,
    applicationName: 'bench',
    maxConnections: 4,
    onIdleError: () => {},
  })
  await migrate(store)
  await applyDefinition(store, hospital(options.campaigns), 'bench')
  await plantPeople(store, options.people)
  const kafka = connectKafkajs({
    brokers: world.kafkaBrokers,
    clientId: namespace,
    log: silentLogger,
  })
  await kafka.admin.ensureTopics(topicConfigs(namespace))
  const topic = topicsOf(namespace).touchpoints
  const environment: Environment = {
    WEGWIJS_NAMESPACE: namespace,
    WEGWIJS_DATABASE_URL: world.databaseUrl,
    WEGWIJS_KAFKA_BROKERS: world.kafkaBrokers.join(','),
    WEGWIJS_REDIS_URL: world.redisUrl,
    WEGWIJS_SECRET: 'a secret of the benchmark, long enough',
    WEGWIJS_PUBLIC_URL: 'https://hospital.example.org',
    WEGWIJS_SMTP_URL: 'smtp://127.0.0.1:9',
    WEGWIJS_SMS_URL: `${world.providerUrl}/wegwijs`,
    WEGWIJS_SMS_TOKEN: 'bench-token',
    WEGWIJS_GATEWAY_PORT: '0',
    WEGWIJS_LOG_LEVEL: 'warn',
    ...options.environment,
  }
  const processes: Process[] = []

  const startService = async (name: ServiceName): Promise<void> => {
    const healthPort = await freePort()
    const started = startProcess({
      name,
      program: `services/${name}/src/main.ts`,
      environment: { ...environment, WEGWIJS_HEALTH_PORT: String(healthPort) },
      logFile: join(world.directory, 'logs', `${namespace}-${name}.log`),
      profiles: world.profiles,
    })
    processes.push(started)
    await until(`${name} is ready`, () => isReady(started, healthPort))
  }

  return {
    namespace,
    store,
    topic,
    environment,
    processes,
    start: async (...services) => {
      await Promise.all(services.map(startService))
    },
    stop: async () => {
      await Promise.all(processes.splice(0).map((each) => each.kill()))
    },
    publish: async (records) => {
      for (let from = 0; from < records.length; from += PUBLISH_AT_ONCE) {
        await kafka.publisher.publish(records.slice(from, from + PUBLISH_AT_ONCE), {
          deadlineMs: 20_000,
        })
      }
    },
    decided: async () => {
      const { rows } = await sql<{ records: number }>`
        select /* bench */ coalesce(sum(records), 0)::float8 as records from consumer_position
        where topic = ${topic}`.execute(store.db)
      return rows[0]?.records ?? 0
    },
    isIdle: async () => {
      const { rows } = await sql<{ idle: boolean }>`
        select /* bench */ not exists (select from intent where state = 'planned' and due_at <= due_now()
            and lane in ('transactional', 'standard', 'bulk'))
          and not exists (select from intent where state = 'queued')
          and not exists (select from intent where lease_until is not null)
          and not exists (select from outbox where published_at is null) as idle`.execute(store.db)
      return rows[0]?.idle ?? false
    },
    count: async (state) => {
      const { rows } = await sql<{ count: number }>`
        select /* bench */ count(*)::float8 as count from intent where state = ${state}`.execute(
        store.db,
      )
      return rows[0]?.count ?? 0
    },
    close: async () => {
      await Promise.all(processes.map((each) => each.kill()))
      await kafka.admin.removeTopics(topicConfigs(namespace).map((each) => each.topic))
      await kafka.close()
      await sql`drop schema ${sql.id(namespace)} cascade`.execute(store.db)
      await store.close()
    },
  }
}

async function isReady(started: Process, healthPort: number): Promise<boolean> {
  if (!started.isRunning()) throw new Error(`${started.name} ended before it was ready`)
  const answer = await fetch(`http://127.0.0.1:${healthPort}/readyz`, {
    signal: AbortSignal.timeout(3_000),
  }).catch(() => null)
  return answer?.ok ?? false
}
