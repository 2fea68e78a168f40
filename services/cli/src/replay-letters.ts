import type { EventPublisher } from '@wegwijs/kafka/port'
import type { Querying } from '@wegwijs/store/database'
import { type DeadLetterRecord, markReplayed, readDeadLetters } from '@wegwijs/store/dead-letters'
import { originalTimestampHeader } from '@wegwijs/wire/append-time'

const DEADLINE_MS = 10_000
/** Read and published in one go; each may have half a megabyte. */
const PAGE = 50

/**
 * Publishes these dead letters again as they came, with when that was, in this order, and marks them when Kafka has acknowledged them: a
 * replay that is cut off is made again, and what came twice by that counts once (P1, P2).
 *
 * @throws what `publish` does; those that were not marked are still open
 */
export async function replayLetters(
  db: Querying,
  publisher: EventPublisher,
  ids: readonly string[],
): Promise<void> {
  for (let from = 0; from < ids.length; from += PAGE) {
    const page = ids.slice(from, from + PAGE)
    const letters = await readDeadLetters(db, page)
    await publisher.publish(letters.map(recordOf), { deadlineMs: DEADLINE_MS })
    await markReplayed(db, page)
  }
}

/** What is said in it was said before it came at first, and holds no longer than if it had been read then (P3). */
function recordOf({ topic, key, value, headers, cameAt }: DeadLetterRecord) {
  return {
    topic,
    key: key?.toString('utf8') ?? '',
    value,
    headers: { ...headers, [originalTimestampHeader]: cameAt },
  }
}
