import type { EventPublisher } from '@wegwijs/kafka/port'
import type { Clock } from '@wegwijs/runtime/clock'
import { isFailure, type WegwijsError } from '@wegwijs/runtime/failure'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { type OutboxRecord, purgeOutbox, relayOutbox } from '@wegwijs/store/outbox'
import type { RefusedTopics } from './refused-topics.ts'

const perTopic = 500
/** Of all that one pass publishes: far below the time after which PostgreSQL ends a transaction that does nothing. */
const deadlineMs = 10_000

/**
 * Carries the outbox to Kafka. Another relay that is at work does it all: this one looks later.
 *
 * All topics go in one request. When Kafka refuses that for good, each goes on its own, as far as it is taken: what
 * is refused stays, with everything behind it on its topic, and is tried again from time to time (P1). A topic that
 * was refused is tried with its oldest record first, so that what is behind it is not sent over and over.
 */
export function createRelayPass(deps: {
  store: Store
  publisher: EventPublisher
  clock: Clock
  metrics: ComponentMetrics
  refused: RefusedTopics
}): () => Promise<boolean> {
  const { store, refused, metrics } = deps
  return async () => {
    const without = refused.resting()
    // The pause of one that rests may end while others are carried.
    const waits = new Set(without)
    const publish = async (records: readonly OutboxRecord[]) => {
      for (const { topic } of records) waits.add(topic)
      return publishAll(sendBefore(deps), records, refused)
    }
    const result = await relayOutbox(store, publish, { perTopic, without })
    if (!result.busy) refused.acceptAllBut(waits)
    metrics.sent(result.published)
    return result.more
  }
}

type Send = (records: readonly OutboxRecord[]) => Promise<unknown>

function sendBefore({ publisher, clock }: { publisher: EventPublisher; clock: Clock }): Send {
  const untilMs = clock.monotonicMs() + deadlineMs
  return (records) =>
    publisher.publish(records, { deadlineMs: Math.max(1, untilMs - clock.monotonicMs()) })
}

/**
 * Returns what Kafka acknowledged: of each topic all, or what is before the record that it refuses. When Kafka goes
 * away meanwhile, what it had acknowledged is kept, and the next pass finds that it is away.
 */
async function publishAll(
  send: Send,
  records: readonly OutboxRecord[],
  refused: RefusedTopics,
): Promise<OutboxRecord[]> {
  const trusted = records.filter(({ topic }) => !refused.has(topic))
  const retried = records.filter(({ topic }) => refused.has(topic))
  const went: OutboxRecord[] = []
  try {
    const refusal = await sendUnlessRefused(send, trusted)
    if (!refusal) went.push(...trusted)
    const onTheirOwn = Map.groupBy(refusal ? records : retried, ({ topic }) => topic)
    for (const [topic, ofTopic] of onTheirOwn) {
      const first = refused.has(topic) ? 1 : ofTopic.length
      went.push(...(await publishTopic(send, topic, ofTopic, first, refused)))
    }
  } catch (error) {
    if (went.length === 0) throw error
  }
  return went
}

/** Returns how much of a topic Kafka took, in order; the `first` so many are tried before the rest. */
async function publishTopic(
  send: Send,
  topic: string,
  records: readonly OutboxRecord[],
  first: number,
  refused: RefusedTopics,
): Promise<readonly OutboxRecord[]> {
  const probe = await takenOf(send, records.slice(0, first))
  const rest = probe.refusal ? probe : await takenOf(send, records.slice(first))
  if (rest.refusal) refused.refuse(topic, rest.refusal)
  else refused.accept(topic)
  return records.slice(0, probe.taken + (probe.refusal ? 0 : rest.taken))
}

/** How many Kafka takes before the one that it refuses, found by halves. */
async function takenOf(
  send: Send,
  records: readonly OutboxRecord[],
): Promise<{ taken: number; refusal?: WegwijsError }> {
  const refusal = await sendUnlessRefused(send, records)
  if (!refusal) return { taken: records.length }
  // Half of them has no topic either.
  if (records.length === 1 || isFailure(refusal, 'WEGWIJS_TOPIC_UNKNOWN'))
    return { taken: 0, refusal }
  const half = Math.ceil(records.length / 2)
  const first = await takenOf(send, records.slice(0, half))
  if (first.refusal) return first
  const second = await takenOf(send, records.slice(half))
  return { ...second, taken: half + second.taken }
}

/** Returns why Kafka refuses them for good: that must not stop the service, messages go on. */
async function sendUnlessRefused(
  send: Send,
  records: readonly OutboxRecord[],
): Promise<WegwijsError | undefined> {
  if (records.length === 0) return undefined
  try {
    await send(records)
    return undefined
  } catch (error) {
    if (isFailure(error) && !error.retryable) return error
    throw error
  }
}

const purgeBatch = 5_000

/** Takes published records out of the outbox once they are `keepMs` old. */
export function createPurgePass(store: Store, keepMs: number): () => Promise<boolean> {
  return async () => (await purgeOutbox(store, keepMs, purgeBatch)) === purgeBatch
}
