import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import type { Logger } from '@wegwijs/runtime/log'
import { BullmqQueue } from './bullmq-queue.ts'
import { connectAndCheck, errorTeller, producerConnection } from './bullmq-redis.ts'
import { createBullmqWorkers } from './bullmq-workers.ts'
import type { JobQueue, JobWorkers } from './port.ts'

export type BullmqOptions = {
  readonly redisUrl: string
  /** Keeps organisations apart on one Redis; holds no ':'. */
  readonly prefix: string
  readonly log: Logger
  readonly clock?: Clock
  /** Redis is taken to be away when it has not answered by then (5 s). */
  readonly commandDeadlineMs?: number
  /** A worker that has not renewed the lock of a job for so long is thought dead (30 s). */
  readonly lockMs?: number
  /** How often jobs of dead workers are looked for (30 s). */
  readonly stalledCheckMs?: number
}

/** `queue.close()` ends the connection of the queue; each set of workers has one of its own. */
export type BullmqConnection = { readonly queue: JobQueue; readonly workers: JobWorkers }

/**
 * BullMQ on Redis.
 *
 * @throws WegwijsError WEGWIJS_QUEUE_UNAVAILABLE (retryable); WEGWIJS_REDIS_EVICTS unless Redis
 *   runs with maxmemory-policy noeviction
 */
export async function connectBullmq(options: BullmqOptions): Promise<BullmqConnection> {
  const settings = {
    redisUrl: options.redisUrl,
    prefix: options.prefix,
    log: options.log,
    clock: options.clock ?? systemClock,
    commandDeadlineMs: options.commandDeadlineMs ?? 5_000,
    lockMs: options.lockMs ?? 30_000,
    stalledCheckMs: options.stalledCheckMs ?? 30_000,
  }
  const redis = producerConnection(settings)
  redis.on('error', errorTeller(settings, undefined))
  await connectAndCheck(redis, settings)
  return { queue: new BullmqQueue(settings, redis), workers: createBullmqWorkers(settings) }
}
