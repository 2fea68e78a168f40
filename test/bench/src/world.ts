import { mkdirSync, rmSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { type StackOptions, stackStatus, startStack, stopStack } from '@wegwijs/local/stack'
import { Redis } from 'ioredis'
import pg from 'pg'
import { type Process, startProcess } from './processes.ts'
import type { Watched } from './usage.ts'

/** The servers of a run and the provider, which both sides share. */
export type World = {
  /** For logs. */
  readonly directory: string
  /** Where services leave the profiles of their work; null when none are made. */
  readonly profiles: string | null
  readonly kafkaBrokers: readonly string[]
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly providerUrl: string
  readonly provider: Process
  readonly db: pg.Pool
  readonly redis: Redis
  /** Small loads: it only shows that everything works. */
  readonly quick: boolean
  /** The servers and the provider, for their use of the machine. */
  readonly servers: readonly Watched[]
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

export type OpenWorld = World & { close(): Promise<void> }

/** Brings up servers in `directory`, with empty data, as a hospital would run them: durable. */
export async function openWorld(options: {
  directory: string
  quick: boolean
  profile: boolean
  say: (line: string) => void
  signal: AbortSignal
}): Promise<OpenWorld> {
  const { directory, quick, profile, say, signal } = options
  const profiles = profile ? join(directory, 'profiles') : null
  if (profiles !== null) rmSync(profiles, { recursive: true, force: true })
  const stack = { directory, durable: true, say }
  mkdirSync(join(directory, 'logs'), { recursive: true })
  await configure(stack)
  const addresses = await startStack(stack)
  const db = new pg.Pool({ connectionString: addresses.databaseUrl, max: 4 })
  db.on('error', () => {})
  const redis = new Redis(addresses.redisUrl)
  redis.on('error', () => {})
  const provider = startProcess({
    name: 'provider',
    program: 'test/bench/src/provider-main.ts',
    logFile: join(directory, 'logs', 'provider.log'),
  })
  const { url } = await provider.told<{ url: string }>((message) => 'url' in message)
  const status = await stackStatus(stack)
  const pidOf = (server: string) => status.find((each) => each.server === server)?.pid ?? 0
  return {
    ...addresses,
    directory,
    profiles,
    quick,
    say,
    signal,
    db,
    redis,
    provider,
    providerUrl: url,
    servers: [
      { name: 'postgresql', pid: pidOf('postgres'), children: true },
      { name: 'redis', pid: pidOf('redis') },
      { name: 'kafka', pid: pidOf('kafka') },
      { name: 'provider', pid: provider.pid },
    ],
    close: async () => {
      await provider.kill()
      redis.disconnect()
      await db.end()
    },
  }
}

/** What PostgreSQL takes only with its next start, as docs/production.md has it. */
async function configure(stack: StackOptions): Promise<void> {
  const { databaseUrl } = await startStack({ ...stack, servers: ['postgres'], fresh: true })
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query('create extension if not exists pg_stat_statements')
  await client.query("alter system set shared_preload_libraries = 'pg_stat_statements'")
  await client.query(`alter system set shared_buffers = '${Math.round(totalmem() / 2 ** 22)}MB'`)
  await client.query("alter system set max_wal_size = '8GB'")
  await client.end()
  await stopStack(stack)
}
