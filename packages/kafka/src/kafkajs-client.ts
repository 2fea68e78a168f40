import type { Clock } from '@wegwijs/runtime/clock'
import type { Logger } from '@wegwijs/runtime/log'
import { Kafka, type LogEntry, logLevel } from 'kafkajs'

/** Milliseconds and bytes. The defaults suit production; tests that provoke failures lower some. */
export type KafkajsTuning = {
  /** A member that is not heard for this long is dead to the group. */
  readonly sessionTimeoutMs: number
  /** How long the group waits for a member's handler before it goes on without it. */
  readonly rebalanceTimeoutMs: number
  /** Also how soon a member learns that the group rebalances. */
  readonly heartbeatMs: number
  /** How long the broker holds an empty fetch; also how soon a new position is taken up. */
  readonly fetchWaitMs: number
  readonly fetchBytesPerPartition: number
  readonly fetchBytes: number
  /** kafkajs gives a connection one second, which a busy machine does not always keep. */
  readonly connectionTimeoutMs: number
  readonly requestTimeoutMs: number
  /** An answer about topics and offsets later than this is none. */
  readonly adminDeadlineMs: number
  /** So long may a change to topics take; a busy broker needs a while to lead a new partition. */
  readonly topicsDeadlineMs: number
  readonly closeDeadlineMs: number
}

export const defaultTuning: KafkajsTuning = {
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 60_000,
  heartbeatMs: 1_000,
  fetchWaitMs: 250,
  fetchBytesPerPartition: 1024 * 1024,
  fetchBytes: 10 * 1024 * 1024,
  connectionTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  adminDeadlineMs: 10_000,
  topicsDeadlineMs: 60_000,
  closeDeadlineMs: 10_000,
}

export type KafkajsSettings = {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly log: Logger
  readonly clock: Clock
  readonly tuning: KafkajsTuning
}

/**
 * Short, because each user of a client tries again itself, with a new client; and spelled out,
 * because kafkajs takes other defaults when NODE_ENV is `test`.
 */
export const clientRetry = {
  retries: 2,
  initialRetryTime: 100,
  multiplier: 2,
  factor: 0.2,
  maxRetryTime: 2_000,
} as const

/** A client with its own connections. What kafkajs has to say goes to our log, at debug level. */
export function newClient(settings: KafkajsSettings, listen?: (entry: LogEntry) => void): Kafka {
  const { tuning } = settings
  const tell = tellIn(settings.log)
  return new Kafka({
    brokers: [...settings.brokers],
    clientId: settings.clientId,
    connectionTimeout: tuning.connectionTimeoutMs,
    requestTimeout: tuning.requestTimeoutMs,
    retry: clientRetry,
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => {
      listen?.(entry)
      tell(entry)
    },
  })
}

const CODE_IN_TEXT = /\bE[A-Z]{5,}\b|\b[A-Z]+(?:_[A-Z]+)+\b/

/**
 * kafkajs reports every failed connection and every rebalance as an error, several times over, so
 * its own lines are for the curious; what matters is logged by the adapter. Its texts may quote
 * anything (P7): only a code in capitals is taken out of them.
 */
function tellIn(log: Logger): (entry: LogEntry) => void {
  return (entry) => {
    const { topic, partition, message, error } = entry.log
    const code = CODE_IN_TEXT.exec(`${message} ${String(error ?? '')}`)?.[0]
    log.debug('the Kafka client reports', {
      component: `kafkajs.${entry.namespace}`,
      code,
      topic,
      partition,
    })
  }
}

/** Waits for `work` at most `deadlineMs`; then it is left behind, and this resolves all the same. */
export async function atMost(
  clock: Clock,
  deadlineMs: number,
  work: Promise<unknown>,
): Promise<void> {
  const over = new AbortController()
  const late = clock.sleep(deadlineMs, over.signal).catch(() => undefined)
  await Promise.race([work.catch(() => undefined), late])
  over.abort()
}
