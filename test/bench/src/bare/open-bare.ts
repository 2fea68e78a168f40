import { join } from 'node:path'
import { connectKafkajs } from '@wegwijs/kafka/kafkajs'
import type { OutgoingRecord } from '@wegwijs/kafka/port'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { silentLogger } from '@wegwijs/runtime/log'
import { Queue } from 'bullmq'
import { plantMessages } from '../plant.ts'
import { type Process, startProcess } from '../processes.ts'
import type { Wegwijs } from '../wegwijs.ts'
import type { World } from '../world.ts'
import {
  type BareProgress,
  type BareSettings,
  deliveriesPerJob,
  queueName,
  schema,
  topicOf,
} from './bare.ts'

/** The bare pipeline in a namespace of its own, on the same servers and with the same provider. */
export type Bare = {
  readonly namespace: string
  readonly topic: string
  readonly processes: readonly Process[]
  start(...parts: ('intake' | 'delivery')[]): Promise<void>
  publish(records: readonly OutgoingRecord[]): Promise<void>
  /** Plans messages and adds their jobs to the queue. */
  plantMessages(count: number): Promise<void>
  /** What this process has taken in or sent so far. */
  done(part: 'intake' | 'delivery'): number
  /** Resolves when it has come so far. */
  untilDone(part: 'intake' | 'delivery', done: number): Promise<void>
  count(state: string): Promise<number>
  /** Empties the queue. */
  forgetJobs(): Promise<void>
  close(): Promise<void>
}

/** What it needs of the world. */
type Ground = Pick<
  World,
  'directory' | 'kafkaBrokers' | 'databaseUrl' | 'redisUrl' | 'providerUrl' | 'db' | 'redis'
>

export type BareOptions = {
  /** Over that of the world. */
  providerUrl?: string
  /** It writes what the promises ask for, into the tables of this namespace, which has so many people. */
  promised?: { readonly wegwijs: Wegwijs; readonly people: number }
}

export async function openBare(
  world: Ground,
  { providerUrl = world.providerUrl, promised }: BareOptions = {},
): Promise<Bare> {
  const namespace = `bare_${newUuid().slice(-12)}`
  await world.db.query(schema(namespace))
  const kafka = connectKafkajs({
    brokers: world.kafkaBrokers,
    clientId: namespace,
    log: silentLogger,
  })
  const topic = topicOf(namespace)
  const config = { topic, partitions: 6, replicationFactor: 1, settings: {} }
  await kafka.admin.ensureTopics([config])
  const queue = new Queue(queueName, { connection: world.redis, prefix: namespace })
  const settings: BareSettings = {
    brokers: [...world.kafkaBrokers],
    databaseUrl: world.databaseUrl,
    redisUrl: world.redisUrl,
    namespace,
    providerUrl,
    ...(promised ? { promisedIn: promised.wegwijs.namespace } : {}),
  }
  const tables = settings.promisedIn ?? namespace
  const processes: Process[] = []
  const processOf = (part: string): Process => {
    const found = processes.find(({ name }) => name === `bare ${part}`)
    if (found === undefined) throw new RangeError(`bare ${part} was not started`)
    return found
  }

  const plantOwn = async (count: number): Promise<string[]> => {
    const ids = Array.from({ length: count }, () => newUuid())
    await world.db.query(
      `insert into ${namespace}.intent (intent_id, subject, address, template, data)
      select id, 'p' || n, '+316' || (20000000 + n), 'visit',
        jsonb_build_object('reference', left(id::text, 12), 'department', 'cardiology', 'firstVisit', true)
      from unnest($1::uuid[]) with ordinality as planned (id, n)`,
      [ids],
    )
    return ids
  }

  return {
    namespace,
    topic,
    processes,
    start: async (...parts) => {
      for (const part of parts) {
        const started = startProcess({
          name: `bare ${part}`,
          program: `test/bench/src/bare/${part}-main.ts`,
          words: [JSON.stringify(settings)],
          logFile: join(world.directory, 'logs', `${namespace}-${part}.log`),
        })
        processes.push(started)
        await started.told<BareProgress>(({ ready }) => ready)
      }
    },
    publish: async (records) => {
      for (let from = 0; from < records.length; from += 1_000) {
        await kafka.publisher.publish(records.slice(from, from + 1_000), { deadlineMs: 20_000 })
      }
    },
    plantMessages: async (count) => {
      const ids = await (promised ? plantPromised(promised, count) : plantOwn(count))
      const jobs = Array.from({ length: Math.ceil(count / deliveriesPerJob) }, (_, index) => ({
        name: 'deliver',
        data: { ids: ids.slice(index * deliveriesPerJob, (index + 1) * deliveriesPerJob) },
        opts: { removeOnComplete: true, removeOnFail: true },
      }))
      for (let from = 0; from < jobs.length; from += 100) {
        await queue.addBulk(jobs.slice(from, from + 100))
      }
    },
    done: (part) => (processOf(part).last() as BareProgress).done,
    untilDone: async (part, wanted) => {
      await processOf(part).told<BareProgress>(({ done }) => done >= wanted)
    },
    count: async (state) => {
      const { rows } = await world.db.query<{ count: string }>(
        `select count(*) as count from ${tables}.intent where state = $1`,
        [state],
      )
      return Number(rows[0]?.count)
    },
    forgetJobs: () => queue.obliterate({ force: true }),
    close: async () => {
      await Promise.all(processes.map((each) => each.kill()))
      await queue.obliterate({ force: true }).catch(() => {})
      await kafka.admin.removeTopics([topic])
      await kafka.close()
      await world.db.query(`drop schema ${namespace} cascade`)
    },
  }
}

async function plantPromised(
  { wegwijs, people }: { wegwijs: Wegwijs; people: number },
  count: number,
): Promise<string[]> {
  await plantMessages(wegwijs.store, { count, people })
  const planted = await wegwijs.store.db
    .selectFrom('intent')
    .select('intent_id')
    .where('state', '=', 'planned')
    .execute()
  return planted.map((row) => row.intent_id)
}
