import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { connectKafkajs, type KafkajsBroker } from '@wegwijs/kafka/kafkajs'
import type { BrokerRecord } from '@wegwijs/kafka/port'
import { freePort } from '@wegwijs/local/free-port'
import { connectBullmq } from '@wegwijs/queue/bullmq'
import { systemClock } from '@wegwijs/runtime/clock'
import { newUuid } from '@wegwijs/runtime/derived-id'
import type { Environment } from '@wegwijs/runtime/env'
import { silentLogger } from '@wegwijs/runtime/log'
import type { MetFault } from '@wegwijs/sandbox/accepted'
import type { SandboxStatus } from '@wegwijs/sandbox/control-routes'
import type { Fault } from '@wegwijs/sandbox/faults'
import type { usualRates } from '@wegwijs/sandbox/outcomes'
import { createApiKey } from '@wegwijs/store/api-keys'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { findPerson, type MessageFact, readPersonFacts } from '@wegwijs/store/explain'
import { checkLedger, type LedgerRule } from '@wegwijs/store/ledger'
import { readStatus, type Status } from '@wegwijs/store/status'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { encodeRequest, maxBatchEvents } from '@wegwijs/wire/cloudevents-http'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { clinic, idSpace, referenceIn, source } from './clinic.ts'
import { controlKafka, type KafkaControl } from './kafka-control.ts'
import { type Accepted, acceptedIn, handOversIn, metFaultsIn } from './provider-files.ts'
import { type ServiceProcess, startProcess } from './service-process.ts'
import { until } from './until.ts'

/** Where Kafka, PostgreSQL and Redis are. */
export type Servers = {
  readonly kafkaBrokers: readonly string[]
  readonly databaseUrl: string
  readonly redisUrl: string
}

export const serviceNames = ['gateway', 'sandbox', 'journey', 'scheduler', 'delivery'] as const
export type ServiceName = (typeof serviceNames)[number]

export type SystemOptions = {
  /** For what it writes; what was there before is removed. */
  directory: string
  servers: Servers
  definition?: DefinitionBundle
  /** What a service is told instead of what the others are: leads it through a proxy, say. */
  environmentOf?: (service: ServiceName, environment: Environment) => Environment
}

/**
 * Wegwijs as it is deployed, in a namespace of its own: each service a process, events in over HTTP
 * and Kafka, and what went out as the providers wrote it down.
 */
export type System = {
  readonly namespace: string
  readonly directory: string
  readonly environment: Environment
  readonly store: Store
  readonly kafka: KafkajsBroker
  readonly control: KafkaControl
  readonly gatewayUrl: string
  /** The API key of the publisher. */
  readonly key: string
  /** Starts a service and does not wait for it; `as` names a second one of a kind. */
  launch(service: ServiceName, as?: string, over?: Environment): Promise<ServiceProcess>
  /** Starts services, all of them if none is named, and waits until each is ready. */
  start(...services: ServiceName[]): Promise<ServiceProcess[]>
  /** The process that was last started under this name. */
  process(name: string): ServiceProcess
  /** Publishes over HTTP until every event is accepted: after a 503 the same is sent again. */
  publish(events: readonly TouchpointEvent[]): Promise<void>
  /** Events as the body of a request, with its media type. */
  encode(events: readonly TouchpointEvent[]): ReturnType<typeof encodeRequest>
  /** One request to the gateway, with the publisher's key unless other headers say so. */
  post(body: string | Buffer, headers?: Record<string, string>, path?: string): Promise<Response>
  /** Publishes over Kafka, as a publisher of its own would. */
  produce(events: readonly TouchpointEvent[]): Promise<void>
  /** Every record that a topic holds now. */
  recordsOf(topic: string): Promise<BrokerRecord[]>
  accepted(): Accepted[]
  /** What was accepted, and every repeat of an SMS that the provider folded. */
  handOvers(): Accepted[]
  /** Each time that a provider did not simply accept a message. */
  metFaults(): MetFault[]
  /** References of the app messages of a person, through the gateway. */
  inbox(subject: string): Promise<string[]>
  inboxOf(subject: string): Promise<readonly { title: string; body: string }[]>
  status(): Promise<Status>
  /** Resolves when nothing is on its way any more and every receipt has come back. */
  settled(deadlineMs?: number): Promise<Status>
  /** Rules of the ledger that do not hold. */
  brokenRules(): Promise<LedgerRule[]>
  /** `wegwijs <words>`: its exit code and what it printed. */
  wegwijs(...words: string[]): Promise<{ code: number | NodeJS.Signals; output: string }>
  /** What is stored about the messages of a person, as `wegwijs explain` tells it. */
  explain(subject: string): Promise<readonly MessageFact[]>
  /** Tells the providers how to fail from now on, instead of what they were told before. */
  fail(...faults: (Pick<Fault, 'channel' | 'mode'> & Partial<Fault>)[]): Promise<void>
  /** What the providers report of what they accept from now on. */
  outcomes(rates: typeof usualRates): Promise<void>
  sandboxStatus(): Promise<SandboxStatus>
  processes(): readonly ServiceProcess[]
  close(): Promise<void>
}

const token = 'token-of-the-sandbox'
/** Signs receipts and our own events. */
export const secret = 'a secret that is long enough for the system tests'
const ready = (process: ServiceProcess) => async () => {
  if (!process.isRunning()) throw new Error(`${process.name} has ended`)
  return (await process.readiness())?.ready === true
}

export async function openSystem(options: SystemOptions): Promise<System> {
  const { directory, servers } = options
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const sandboxDirectory = join(directory, 'sandbox')
  mkdirSync(sandboxDirectory)

  const store = await openNamespace(servers.databaseUrl, 'system')
  const { namespace } = store
  await applyDefinition(store, options.definition ?? clinic(), 'system test')
  const { key } = await createApiKey(store.db, {
    label: 'system test',
    idSpace,
    sources: [source],
    types: ['care.*', 'person.*', 'consent.*'],
    scopes: ['events', 'app.read'],
  })
  const kafka = connectKafkajs({
    brokers: servers.kafkaBrokers,
    clientId: namespace,
    log: silentLogger,
  })
  await kafka.admin.ensureTopics(topicConfigs(namespace))
  const control = controlKafka(servers.kafkaBrokers, namespace)

  const ports = { gateway: await freePort(), smtp: await freePort(), sandbox: await freePort() }
  const gatewayUrl = `http://127.0.0.1:${ports.gateway}`
  const sandboxUrl = `http://127.0.0.1:${ports.sandbox}`
  const environment: Environment = {
    WEGWIJS_NAMESPACE: namespace,
    WEGWIJS_DATABASE_URL: servers.databaseUrl,
    WEGWIJS_KAFKA_BROKERS: servers.kafkaBrokers.join(','),
    WEGWIJS_REDIS_URL: servers.redisUrl,
    WEGWIJS_SECRET: secret,
    WEGWIJS_GATEWAY_PORT: String(ports.gateway),
    WEGWIJS_GATEWAY_URL: gatewayUrl,
    WEGWIJS_PUBLIC_URL: gatewayUrl,
    WEGWIJS_SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`,
    WEGWIJS_SMS_URL: `${sandboxUrl}/sms`,
    WEGWIJS_SMS_TOKEN: token,
    WEGWIJS_SANDBOX_SMTP_PORT: String(ports.smtp),
    WEGWIJS_SANDBOX_HTTP_PORT: String(ports.sandbox),
    WEGWIJS_SANDBOX_DIRECTORY: sandboxDirectory,
  }

  const started: ServiceProcess[] = []
  let isClosed = false
  const launch: System['launch'] = async (service, as = service, over = {}) => {
    const healthPort = await freePort()
    if (isClosed) throw new Error(`the system was closed before ${as} was started`)
    const own = options.environmentOf?.(service, environment)
    const process = startProcess({
      name: as,
      program: `services/${service}/src/main.ts`,
      environment: { ...environment, ...own, ...over, WEGWIJS_HEALTH_PORT: String(healthPort) },
      healthPort,
      logFile: join(directory, `${as}.log`),
    })
    started.push(process)
    return process
  }

  let commands = 0
  const wegwijs: System['wegwijs'] = async (...words) => {
    commands += 1
    const process = startProcess({
      name: `wegwijs-${commands}`,
      program: 'services/cli/src/main.ts',
      words,
      environment,
      healthPort: 0,
      logFile: join(directory, `wegwijs-${commands}.log`),
    })
    started.push(process)
    return { code: await process.ended, output: process.output() }
  }

  const post: System['post'] = (body, headers = {}, path = '/v1/events') =>
    fetch(`${gatewayUrl}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, ...headers },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    })
  const get = async <Answer>(url: string): Promise<Answer> => {
    const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
    return (await answer.json()) as Answer
  }

  const inboxOf: System['inboxOf'] = async (subject) => {
    const path = `/v1/app/people/${idSpace}/${encodeURIComponent(subject)}/messages?limit=100`
    const page = await get<{ messages: { title: string; body: string }[] }>(`${gatewayUrl}${path}`)
    return page.messages
  }

  const publish: System['publish'] = async (events) => {
    for (let from = 0; from < events.length; from += maxBatchEvents) {
      const { body, contentType } = encodeRequest(events.slice(from, from + maxBatchEvents))
      const answer = await until(
        'events are taken',
        () => post(body, { 'content-type': contentType }),
        ({ status }) => status !== 503,
      )
      if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`)
    }
  }

  const status = () => readStatus(store.db)
  const sandboxStatus = () => get<SandboxStatus>(`${sandboxUrl}/status`)

  /** Tells the sandbox. */
  const put = async (path: 'faults' | 'outcomes', body: unknown) => {
    const answer = await fetch(`${sandboxUrl}/${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`)
  }

  const brokenRules = async () => {
    const { queue } = await connectBullmq({
      redisUrl: servers.redisUrl,
      prefix: namespace,
      log: silentLogger,
    })
    try {
      const rules = await checkLedger(
        store,
        { endOffsets: kafka.admin.endOffsets, queue, sleep: systemClock.sleep },
        { sweepSeconds: 60 },
      )
      return rules.filter((rule) => rule.broken > 0)
    } finally {
      await queue.close()
    }
  }

  return {
    namespace,
    directory,
    environment,
    store,
    kafka,
    control,
    gatewayUrl,
    key,
    launch,
    async start(...services) {
      const wanted = services.length === 0 ? serviceNames : services
      const processes = await Promise.all(wanted.map((service) => launch(service)))
      await Promise.all(
        processes.map((process) => until(`${process.name} is ready`, ready(process))),
      )
      return processes
    },
    process(name) {
      const process = started.findLast((each) => each.name === name)
      if (process === undefined) throw new RangeError(`${name} was never started`)
      return process
    },
    publish,
    encode: encodeRequest,
    post,
    async produce(events) {
      const { touchpoints } = topicsOf(namespace)
      const records = events.map((each) => ({ topic: touchpoints, ...encodeRecord(each) }))
      await kafka.publisher.publish(records, { deadlineMs: 20_000 })
    },
    recordsOf: (topic) => recordsOf(kafka, topic),
    accepted: () => acceptedIn(sandboxDirectory),
    handOvers: () => handOversIn(sandboxDirectory),
    metFaults: () => metFaultsIn(sandboxDirectory),
    inboxOf,
    inbox: async (subject) => (await inboxOf(subject)).map(({ body }) => referenceIn(body)),
    status,
    async settled(deadlineMs) {
      const look = async () => {
        const seen = await status()
        // The shortest first: what is told of one that never settles may be cut off.
        return {
          lag: await lagOf(kafka, namespace, seen),
          sandbox: await sandboxStatus(),
          status: seen,
        }
      }
      const isOver = ({ status: seen, sandbox, lag }: Awaited<ReturnType<typeof look>>) =>
        lag === 0 && isSettled(seen, sandbox)
      return (await until('everything has come to its end', look, isOver, deadlineMs)).status
    },
    brokenRules,
    async fail(...faults) {
      await fetch(`${sandboxUrl}/faults`, { method: 'DELETE' })
      await put('faults', faults)
    },
    outcomes: (rates) => put('outcomes', rates),
    wegwijs,
    async explain(subject) {
      const personId = await findPerson(store.db, { idSpace, externalId: subject })
      return personId === null ? [] : ((await readPersonFacts(store.db, personId))?.messages ?? [])
    },
    sandboxStatus,
    processes: () => started,
    async close() {
      isClosed = true
      await Promise.all(started.map((process) => process.kill()))
      await kafka.close()
      await control.close()
      // Of a server that is gone nothing is left to tidy up.
      await store.close().catch(() => {})
    },
  }
}

async function recordsOf(kafka: KafkajsBroker, topic: string): Promise<BrokerRecord[]> {
  const ranges = await kafka.admin.endOffsets(topic)
  const wanted = ranges.reduce((sum, { low, high }) => sum + Number(high - low), 0)
  const records: BrokerRecord[] = []
  const consumer = await kafka.source.consume({
    topic,
    group: newUuid(),
    positionOf: async () => null,
    onBatch: async (batch) => {
      records.push(...batch.records)
      return { kind: 'done' }
    },
  })
  await until(
    `${wanted} records of ${topic} are read`,
    () => records.length,
    (n) => n >= wanted,
  )
  await consumer.close()
  return records
}

/** Events of the touchpoint topics that are not decided yet. */
async function lagOf(kafka: KafkajsBroker, namespace: string, { positions }: Status) {
  const { touchpoints, urgent } = topicsOf(namespace)
  let lag = 0n
  for (const topic of [touchpoints, urgent]) {
    for (const { partition, low, high } of await kafka.admin.endOffsets(topic)) {
      const known = positions.find((each) => each.topic === topic && each.partition === partition)
      lag += high - (known === undefined ? low : BigInt(known.nextOffset))
    }
  }
  return Number(lag)
}

function isSettled({ messages, waiting }: Status, sandbox: SandboxStatus): boolean {
  const { planned = 0, queued = 0, sending = 0, delivered = 0, bounced = 0 } = messages
  const outbox = waiting.filter(({ stage }) => stage === 'outbox' || stage === 'timers')
  return (
    planned + queued + sending === 0 &&
    outbox.every(({ count }) => count === 0) &&
    sandbox.idle &&
    delivered + bounced >= sandbox.receiptsSent
  )
}
