import type { Clock } from '@wegwijs/runtime/clock'
import { fail, isFailure, type WegwijsError } from '@wegwijs/runtime/failure'
import type { Logger } from '@wegwijs/runtime/log'
import { Redis } from 'ioredis'

export type BullmqSettings = {
  readonly redisUrl: string
  readonly prefix: string
  readonly log: Logger
  readonly clock: Clock
  readonly commandDeadlineMs: number
  readonly lockMs: number
  readonly stalledCheckMs: number
}

const LONGEST_PAUSE_MS = 2_000
const TELL_EVERY_MS = 5_000

const retryStrategy = (attempt: number): number => Math.min(attempt * 100, LONGEST_PAUSE_MS)

/**
 * A Redis that has failed over keeps its connections and only reads from then on: whoever stayed on them
 * would never write again, though the address leads to the new one by now. So each of them dials anew.
 */
const reconnectOnError = ({ message }: Error): boolean => message.includes('READONLY')

/**
 * A connection that fails at once while Redis is away: nothing is kept back to be sent later, when
 * nobody waits for it any more.
 */
export function producerConnection({ redisUrl }: BullmqSettings): Redis {
  return new Redis(redisUrl, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // Five hundred questions of one moment become one round trip.
    enableAutoPipelining: true,
    retryStrategy,
    reconnectOnError,
  })
}

/**
 * A connection that waits until Redis is back, however long that takes. No automatic pipelining
 * here: measured, it halves what a worker gets through.
 */
export function workerConnection({ redisUrl }: BullmqSettings): Redis {
  return new Redis(redisUrl, {
    lazyConnect: true,
    maxRetriesPerRequest: null,
    retryStrategy,
    reconnectOnError,
  })
}

/**
 * @throws WegwijsError WEGWIJS_QUEUE_UNAVAILABLE (retryable); WEGWIJS_REDIS_EVICTS when Redis may
 *   drop jobs to make room
 */
export async function connectAndCheck(redis: Redis, settings: BullmqSettings): Promise<void> {
  try {
    const memory = await answerInTime(settings, async () => {
      await redis.connect()
      return redis.info('memory')
    })
    // Asked this way because CONFIG is often forbidden, and INFO is not.
    const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? 'unknown'
    if (policy !== 'noeviction') throw fail('WEGWIJS_REDIS_EVICTS', { policy })
  } catch (error) {
    redis.disconnect()
    throw error
  }
}

/** Runs `request` within the command deadline; whatever goes wrong means that Redis is away. */
export async function answerInTime<Answer>(
  { clock, commandDeadlineMs }: BullmqSettings,
  request: () => Promise<Answer>,
): Promise<Answer> {
  const over = new AbortController()
  const late = clock.sleep(commandDeadlineMs, over.signal).then(() => {
    throw fail('WEGWIJS_QUEUE_UNAVAILABLE', { reason: 'no answer in time' })
  })
  try {
    return await Promise.race([request(), late])
  } catch (error) {
    throw toFailure(error)
  } finally {
    over.abort()
    late.catch(() => undefined)
  }
}

const REPLY_CODE = /^[A-Z]{2,}(?= |$)/

/** Redis answers with a word in capitals, such as OOM or LOADING; connections fail with a code. */
function toFailure(error: unknown): WegwijsError {
  if (isFailure(error)) return error
  const { message, code } = error as { message?: unknown; code?: unknown }
  const reason = typeof code === 'string' ? code : REPLY_CODE.exec(String(message))?.[0]
  return fail('WEGWIJS_QUEUE_UNAVAILABLE', reason === undefined ? {} : { reason }, error)
}

/** Tells of connection errors every few seconds; ioredis emits one for each attempt. */
export function errorTeller(
  { clock, log }: BullmqSettings,
  queue: string | undefined,
): (error: unknown) => void {
  let toldMs = Number.NEGATIVE_INFINITY
  return (error) => {
    const nowMs = clock.monotonicMs()
    if (nowMs - toldMs < TELL_EVERY_MS) return
    toldMs = nowMs
    log.warn('the connection to Redis reports an error', { queue, error })
  }
}

/** Waits for `work` at most `deadlineMs`; says whether it ended in time. */
export async function atMost(
  clock: Clock,
  deadlineMs: number,
  work: Promise<unknown>,
): Promise<boolean> {
  const over = new AbortController()
  const late = clock.sleep(deadlineMs, over.signal).then(
    () => false,
    () => false,
  )
  const ended = work.then(
    () => true,
    () => true,
  )
  const inTime = await Promise.race([ended, late])
  over.abort()
  return inTime
}
