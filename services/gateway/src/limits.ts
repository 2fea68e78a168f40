import { maxBatchBytes, maxBatchEvents } from '@wegwijs/wire/cloudevents-http'

/** What bounds the gateway. Each has the value that production runs with; tests take smaller ones. */
export type Limits = {
  /**
   * Connections that wait to be taken in, as far as the system lets so many wait (net.core.somaxconn). Beyond
   * it callers hear nothing, or are reset, where with room they get a 503 that says when to come back.
   */
  connectionsWaiting: number
  /** Requests that are being read or answered; the next one gets 503. */
  requestsInFlight: number
  /** Bytes of bodies that are being read or answered; one of unknown length counts as the largest. */
  bytesInFlight: number
  /** From the first byte of a request to the last; slower ones get 408. */
  requestDeadlineMs: number
  /** How often late requests are looked for. */
  lateCheckMs: number
  /** Each API key on its own: events a second in the long run, and how many at once. */
  eventsPerSecond: number
  eventsAtOnce: number
  /** Kafka's acknowledgement of all events of a request (P1). */
  publishDeadlineMs: number
  /** PostgreSQL's answer to anything a request asks of it. */
  databaseDeadlineMs: number
  /** Who answers a question is shown what counted, when that is known within this time. */
  answerShownMs: number
  /** For so long a key is believed without asking again: a revoked one is refused after it. */
  keyLifetimeMs: number
  /** While PostgreSQL is away a key that was good goes on being good for so long. */
  keyGraceMs: number
  /** On closing, what is being answered gets so long before its connection is cut. */
  drainMs: number
  retryAfterSeconds: number
}

export const defaultLimits: Limits = Object.freeze({
  connectionsWaiting: 4_096,
  requestsInFlight: 256,
  bytesInFlight: 16 * maxBatchBytes,
  requestDeadlineMs: 15_000,
  lateCheckMs: 1_000,
  eventsPerSecond: 5_000,
  eventsAtOnce: 20 * maxBatchEvents,
  publishDeadlineMs: 5_000,
  databaseDeadlineMs: 5_000,
  answerShownMs: 2_000,
  keyLifetimeMs: 2_000,
  keyGraceMs: 60_000,
  drainMs: 8_000,
  retryAfterSeconds: 5,
})
