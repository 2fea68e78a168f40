import type { EventPublisher, OutgoingRecord } from '@wegwijs/kafka/port'
import { fail, isFailure } from '@wegwijs/runtime/failure'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { purgeOutbox, relayOutbox } from '@wegwijs/store/outbox'

const batch = 500
/** Far below the time after which PostgreSQL ends a transaction that does nothing. */
const deadlineMs = 10_000

/** Carries the outbox to Kafka. Another relay that is at work does it all: this one looks later. */
export function createRelayPass(deps: {
  store: Store
  publisher: EventPublisher
  metrics: ComponentMetrics
}): () => Promise<boolean> {
  return async () => {
    const { published, more } = await relayOutbox(
      deps.store,
      (records) => publish(deps.publisher, records),
      batch,
    )
    deps.metrics.sent(published)
    return more
  }
}

/** What Kafka refuses for good stops the relay, and must not stop the service: messages go on. */
async function publish(publisher: EventPublisher, records: OutgoingRecord[]): Promise<void> {
  try {
    await publisher.publish(records, { deadlineMs })
  } catch (error) {
    if (!isFailure(error) || error.retryable) throw error
    throw fail('WEGWIJS_OUTBOX_STUCK', { code: error.code }, error)
  }
}

const purgeBatch = 5_000

/** Takes published records out of the outbox once they are `keepMs` old. */
export function createPurgePass(store: Store, keepMs: number): () => Promise<boolean> {
  return async () => (await purgeOutbox(store, keepMs, purgeBatch)) === purgeBatch
}
