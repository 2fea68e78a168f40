import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { redisAnswers } from './redis-ping.ts'
import { endServer, killServer, type ServerProcess, startServer } from './server-process.ts'

const START_DEADLINE_MS = 60_000
const STOP_DEADLINE_MS = 10_000

export type RedisOptions = {
  /** Absolute; holds the data and the log of this server. */
  readonly directory: string
  /** Used when it is free, so that a restarted server keeps its address. */
  readonly preferredPort?: number
}

export type LocalRedis = {
  readonly url: string
  readonly pid: number
  readonly process: ServerProcess
  /** Orderly end. */
  stop(): Promise<void>
  /** Ends it at once, as a crash would; what it had written to its append-only file stays. */
  kill(): Promise<void>
}

/**
 * Starts one Redis server on 127.0.0.1 with the settings that queues need; needs `redis-server` on
 * the PATH.
 *
 * @throws WEGWIJS_STACK_SERVER_FAILED
 */
export async function startRedis(options: RedisOptions): Promise<LocalRedis> {
  await mkdir(options.directory, { recursive: true })
  const server = await startServer(async () => {
    const port = await freePort(options.preferredPort)
    const url = `redis://127.0.0.1:${port}`
    return {
      name: 'Redis',
      address: url,
      directory: options.directory,
      command: 'redis-server',
      arguments: [...SETTINGS, '--port', String(port), '--dir', options.directory],
      logFile: join(options.directory, 'redis.log'),
      answers: () => redisAnswers(url),
      deadlineMs: START_DEADLINE_MS,
    }
  })
  return {
    url: server.address,
    pid: server.pid,
    process: server,
    stop: () => stopRedis(server),
    kill: () => killServer(server),
  }
}

/** Ends a Redis server in order, by force when it takes too long. */
export function stopRedis(server: ServerProcess): Promise<void> {
  return endServer(server, 'SIGTERM', STOP_DEADLINE_MS)
}

const SETTINGS = [
  ...['--bind', '127.0.0.1'],
  ...['--appendonly', 'yes'],
  ...['--appendfsync', 'everysec'],
  ...['--save', ''],
  // A queue that evicts keys loses jobs without a word.
  ...['--maxmemory-policy', 'noeviction'],
]
