import type { Logger } from '@wegwijs/runtime/log'
import { forgetOldCounted } from '@wegwijs/store/contact-budgets'
import type { Store } from '@wegwijs/store/database'
import { forgetOldEvents } from '@wegwijs/store/inbox'
import { takeLock } from '@wegwijs/store/outbox'
import { dropOldPartitions, forgetOldFromDefaults, keepPartitions } from '@wegwijs/store/partitions'
import { forgetOldReplies } from '@wegwijs/store/replies'
import { inTransaction } from '@wegwijs/store/transaction'

const forgetBatch = 5_000

/**
 * What is done once a day: partitions for the months to come, old months dropped, old identities of
 * events and replies forgotten, and what no contact budget may count any more. One scheduler at a time: tables cannot be made twice at once.
 */
export function createUpkeepPass(
  store: Store,
  { keepMonths, log }: { keepMonths: number; log: Logger },
): () => Promise<boolean> {
  return async () => {
    const dropped = await inTransaction(store.db, async (tx) => {
      if (!(await takeLock(tx, `${store.namespace} upkeep`))) return []
      const crowded = await keepPartitions(store.db)
      if (crowded.length > 0)
        log.warn('months stay in their default partition', { count: crowded.length })
      return dropOldPartitions(store.db, keepMonths)
    })
    if (dropped.length > 0) log.info('dropped old partitions', { count: dropped.length })
    const forgotten = await inTransaction(store.db, (tx) => forgetOldEvents(tx, forgetBatch))
    const replies = await inTransaction(store.db, (tx) => forgetOldReplies(tx, forgetBatch))
    const uncounted = await inTransaction(store.db, (tx) => forgetOldCounted(tx, forgetBatch))
    const misplaced = await inTransaction(store.db, (tx) =>
      forgetOldFromDefaults(tx, keepMonths, forgetBatch),
    )
    return [forgotten, replies, uncounted, misplaced].includes(forgetBatch)
  }
}
