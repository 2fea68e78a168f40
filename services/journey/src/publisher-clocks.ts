import type { RecordBatch } from '@wegwijs/kafka/port'
import type { Logger } from '@wegwijs/runtime/log'

/**
 * Looks at what is read, and says once of each topic whose records have the time of their publishers: of what is read late
 * there, a yes may lift a no that was said before it was read (P3). Whoever made the topic can mend that.
 */
export function watchPublisherClocks(log: Logger): (batch: RecordBatch) => void {
  const told = new Set<string>()
  return ({ topic, records }) => {
    if (told.has(topic) || records.every(({ timestampBy }) => timestampBy === 'broker')) return
    told.add(topic)
    log.warn('a topic has the time of its publishers, not of its broker', { topic })
  }
}
