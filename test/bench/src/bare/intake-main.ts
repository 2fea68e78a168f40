import { randomUUID } from 'node:crypto'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { type EachBatchPayload, Kafka, type KafkaMessage, logLevel } from 'kafkajs'
import pg from 'pg'
import { deliveriesPerJob, queueName, readSettings, tellProgress, topicOf } from './bare.ts'
import { openTables } from './tables.ts'

/** More rows a statement gain nothing, and fewer batches are then on their way at once. */
const rowsPerStatement = 1_000
const partitionsAtOnce = 3
const jobsPerAdd = 100

const settings = readSettings()
const { brokers, databaseUrl, redisUrl, namespace } = settings
const pool = new pg.Pool({ connectionString: databaseUrl, max: partitionsAtOnce })
const { takeIn, people } = await openTables(pool, settings)
const redis = new Redis(redisUrl, { maxRetriesPerRequest: null })
const queue = new Queue(queueName, { connection: redis, prefix: namespace })
await queue.waitUntilReady()

let done = 0

type Taken = {
  ids: string[]
  sources: string[]
  subjects: string[]
  types: string[]
  times: string[]
  data: string[]
  people: string[]
  intents: string[]
  addresses: string[]
  intentSubjects: string[]
  intentData: string[]
  intentPeople: string[]
}

function take(messages: readonly KafkaMessage[]): Taken {
  const taken: Taken = {
    ids: [],
    sources: [],
    subjects: [],
    types: [],
    times: [],
    data: [],
    people: [],
    intents: [],
    addresses: [],
    intentSubjects: [],
    intentData: [],
    intentPeople: [],
  }
  for (const { headers, value } of messages) {
    const text = String(value)
    const data = JSON.parse(text) as { firstVisit: boolean }
    const subject = String(headers?.ce_subject)
    taken.ids.push(String(headers?.ce_id))
    taken.sources.push(String(headers?.ce_source))
    taken.subjects.push(subject)
    taken.types.push(String(headers?.ce_type))
    taken.times.push(String(headers?.ce_time))
    taken.data.push(text)
    const person = people.get(subject)
    if (person !== undefined) taken.people.push(person)
    if (!data.firstVisit) continue
    taken.intents.push(randomUUID())
    taken.intentSubjects.push(subject)
    taken.addresses.push(`+316${20_000_000 + Number(subject.slice(1))}`)
    taken.intentData.push(text)
    if (person !== undefined) taken.intentPeople.push(person)
  }
  return taken
}

/** In the order in which `takeIn` has them. */
function valuesOf(taken: Taken): string[][] {
  const { ids, sources, subjects, types, times, data } = taken
  const { intents, intentSubjects, addresses, intentData, intentPeople } = taken
  const events = [ids, sources, subjects, types, times, data, taken.people]
  return [...events, intents, intentSubjects, addresses, intentData, intentPeople]
}

/** Adding overlaps with the next statement; as many as there are partitions may be under way. */
const adding = new Set<Promise<unknown>>()

async function addJobs(intents: readonly string[]): Promise<void> {
  const jobs: { name: string; data: { ids: string[] }; opts: object }[] = []
  for (let from = 0; from < intents.length; from += deliveriesPerJob) {
    jobs.push({
      name: 'deliver',
      data: { ids: intents.slice(from, from + deliveriesPerJob) },
      opts: { removeOnComplete: true, removeOnFail: true },
    })
  }
  for (let from = 0; from < jobs.length; from += jobsPerAdd) {
    const added = queue.addBulk(jobs.slice(from, from + jobsPerAdd))
    adding.add(added)
    void added.finally(() => adding.delete(added))
  }
  if (adding.size > 4) await Promise.race(adding)
}

async function eachBatch({ batch, heartbeat }: EachBatchPayload): Promise<void> {
  for (let from = 0; from < batch.messages.length; from += rowsPerStatement) {
    const messages = batch.messages.slice(from, from + rowsPerStatement)
    const taken = take(messages)
    const { intents } = taken
    await pool.query({ ...takeIn, values: valuesOf(taken) })
    await addJobs(intents)
    done += messages.length
    tellProgress(done)
    await heartbeat()
  }
}

const kafka = new Kafka({ brokers, clientId: namespace, logLevel: logLevel.NOTHING })
const consumer = kafka.consumer({ groupId: `${namespace}.intake`, maxWaitTimeInMs: 250 })
await consumer.connect()
await consumer.subscribe({ topic: topicOf(namespace), fromBeginning: true })
const joined = new Promise<void>((resolve) => {
  consumer.on('consumer.group_join', () => resolve())
})
await consumer.run({ partitionsConsumedConcurrently: partitionsAtOnce, eachBatch })
await joined
process.on('disconnect', () => process.exit(0))
tellProgress(0)
