import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '@wegwijs/runtime/failure'
import { startKafka, stopKafka } from './kafka.ts'
import { countBrokers } from './kafka-ping.ts'
import { withLock } from './lock.ts'
import { bringPieces, type ServerName } from './pieces.ts'
import { removePostgresData, startPostgres, stopPostgres } from './postgres.ts'
import { postgresAnswers } from './postgres-ping.ts'
import { startRedis, stopRedis } from './redis.ts'
import { redisAnswers } from './redis-ping.ts'
import { type Say, silent } from './say.ts'
import { isRunning, killServer, type RecordedServer, recordedServer } from './server-process.ts'

/** Servers that somebody else runs; for each that is named, nothing is started. */
export type GivenServers = {
  readonly kafkaBrokers?: readonly string[] | undefined
  readonly databaseUrl?: string | undefined
  readonly redisUrl?: string | undefined
}

export type StackOptions = {
  /** Absolute; holds a folder per server. Two stacks in two folders know nothing of each other. */
  readonly directory: string
  readonly given?: GivenServers
  /** Which servers are wanted. Default: all three. */
  readonly servers?: readonly ServerName[]
  /** See PostgresOptions. Default true. */
  readonly durable?: boolean
  /** True: a server that has to be started begins with empty data. Default false. */
  readonly fresh?: boolean
  readonly say?: Say
}

/** Where to reach the servers; of one that was not wanted the address is empty. */
export type StackAddresses = {
  readonly kafkaBrokers: readonly string[]
  readonly databaseUrl: string
  readonly redisUrl: string
}

export type ServerStatus = {
  readonly server: ServerName
  readonly origin: 'local' | 'given'
  /** Without password; null when it was never started. */
  readonly address: string | null
  readonly pid: number | null
  readonly state: 'answers' | 'silent' | 'stopped'
}

const serverNames: readonly ServerName[] = ['kafka', 'postgres', 'redis']

/** How each server is asked for life, started and ended. */
const servers = {
  kafka: {
    answers: async (address: string) => (await countBrokers(address)) > 0,
    start: async (options: StackOptions, own: OwnServer) =>
      (await startKafka({ ...own, ...saying(options) })).brokers[0] ?? '',
    stop: stopKafka,
    variable: 'WEGWIJS_KAFKA_BROKERS',
  },
  postgres: {
    answers: postgresAnswers,
    start: async (options: StackOptions, own: OwnServer) =>
      (await startPostgres({ ...own, ...saying(options), durable: options.durable ?? true })).url,
    stop: stopPostgres,
    variable: 'WEGWIJS_DATABASE_URL',
  },
  redis: {
    answers: redisAnswers,
    start: async (_options: StackOptions, own: OwnServer) => (await startRedis(own)).url,
    stop: stopRedis,
    variable: 'WEGWIJS_REDIS_URL',
  },
} as const

type OwnServer = { readonly directory: string; readonly preferredPort?: number }

/**
 * Brings the servers up, each on a free port of 127.0.0.1, and returns when each has answered a
 * real request. What already runs is left as it is; a server that runs and does not answer is
 * started again. They go on running when this process ends. Two processes may call this at once.
 *
 * @throws WEGWIJS_STACK_MISSING_PIECE, WEGWIJS_STACK_DOWNLOAD_FAILED, WEGWIJS_STACK_SERVER_FAILED,
 *   WEGWIJS_STACK_GIVEN_SERVER_SILENT
 */
export function startStack(options: StackOptions): Promise<StackAddresses> {
  return alone(options, async () => {
    const wanted = options.servers ?? serverNames
    const known = await Promise.all(wanted.map((server) => knownAddress(options, server)))
    const toStart = wanted.filter((_, index) => known[index] === null)
    await bringPieces(toStart, options.say ?? silent)
    const addresses = await Promise.all(
      wanted.map(async (server, index) => known[index] ?? (await startOwn(options, server))),
    )
    const addressOf = (server: ServerName) => addresses[wanted.indexOf(server)]
    return {
      kafkaBrokers: options.given?.kafkaBrokers ?? [addressOf('kafka') ?? []].flat(),
      databaseUrl: addressOf('postgres') ?? '',
      redisUrl: addressOf('redis') ?? '',
    }
  })
}

/** What is there and whether it answers; changes nothing. */
export function stackStatus(options: StackOptions): Promise<readonly ServerStatus[]> {
  return Promise.all((options.servers ?? serverNames).map((server) => statusOf(options, server)))
}

/**
 * Where the local servers are that run now; nothing is started, and nobody is asked whether it
 * answers. The address of one that does not run is empty.
 */
export async function runningAddresses(directory: string): Promise<StackAddresses> {
  const addresses = await Promise.all(
    serverNames.map(async (server) => {
      const recorded = await recordedServer(join(directory, server))
      return recorded !== null && (await isRunning(recorded)) ? recorded.address : ''
    }),
  )
  const [kafka = '', databaseUrl = '', redisUrl = ''] = addresses
  return { kafkaBrokers: kafka === '' ? [] : [kafka], databaseUrl, redisUrl }
}

/** Ends the local servers in order; their data stays. Given servers are left alone. */
export function stopStack(options: StackOptions): Promise<void> {
  return alone(options, () => stopAll(options))
}

/** Ends the local servers and removes their data. Given servers are left alone. */
export function resetStack(options: StackOptions): Promise<void> {
  return alone(options, async () => {
    await stopAll(options)
    for (const server of serverNames) await removeData(join(options.directory, server), server)
  })
}

async function removeData(directory: string, server: ServerName): Promise<void> {
  if (server === 'postgres') return removePostgresData(directory)
  if (server === 'redis') return rm(directory, { recursive: true, force: true })
  // Beside its data may lie the downloaded jars, which every Kafka of this clone uses.
  for (const part of ['data', 'kafka.log', 'process.json']) {
    await rm(join(directory, part), { recursive: true, force: true })
  }
}

async function stopAll(options: StackOptions): Promise<void> {
  await Promise.all(
    serverNames.map(async (server) => {
      const recorded = await recordedServer(join(options.directory, server))
      if (recorded !== null) await servers[server].stop(recorded)
    }),
  )
}

/** The address of a server that is given or already runs, once it has answered; else null. */
async function knownAddress(options: StackOptions, server: ServerName): Promise<string | null> {
  const { answers, variable } = servers[server]
  const given = givenAddress(options, server)
  if (given !== null) {
    if (await answers(given)) return given
    throw fail('WEGWIJS_STACK_GIVEN_SERVER_SILENT', { server, variable })
  }
  const recorded = await recordedServer(join(options.directory, server))
  if (recorded === null || !(await isRunning(recorded))) return null
  return (await answers(recorded.address)) ? recorded.address : null
}

async function startOwn(options: StackOptions, server: ServerName): Promise<string> {
  const directory = join(options.directory, server)
  const recorded = await recordedServer(directory)
  if (recorded !== null) await killServer(recorded)
  if (options.fresh) await removeData(directory, server)
  options.say?.(`starting ${server}`)
  return servers[server].start(options, { directory, ...portOf(recorded) })
}

async function statusOf(options: StackOptions, server: ServerName): Promise<ServerStatus> {
  const given = givenAddress(options, server)
  const recorded = await recordedServer(join(options.directory, server))
  const running = recorded !== null && (await isRunning(recorded))
  const address = given ?? recorded?.address ?? null
  const reachable = given !== null || running
  const answers = address !== null && reachable && (await servers[server].answers(address))
  return {
    server,
    origin: given === null ? 'local' : 'given',
    address: address === null ? null : withoutPassword(address),
    pid: given === null && running ? recorded.pid : null,
    state: answers ? 'answers' : reachable ? 'silent' : 'stopped',
  }
}

function givenAddress({ given }: StackOptions, server: ServerName): string | null {
  if (server === 'kafka') return given?.kafkaBrokers?.[0] ?? null
  return (server === 'postgres' ? given?.databaseUrl : given?.redisUrl) ?? null
}

function withoutPassword(address: string): string {
  return address.replace(/(:\/\/[^:@/]*):[^@]*@/, '$1@')
}

function portOf(recorded: RecordedServer | null): { preferredPort?: number } {
  const port = /:(\d+)(?:\/|$)/.exec(recorded?.address ?? '')?.[1]
  return port === undefined ? {} : { preferredPort: Number(port) }
}

function saying({ say }: StackOptions): { say?: Say } {
  return say === undefined ? {} : { say }
}

async function alone<Result>(options: StackOptions, work: () => Promise<Result>): Promise<Result> {
  await mkdir(options.directory, { recursive: true })
  return withLock(join(options.directory, 'stack.lock'), work)
}
