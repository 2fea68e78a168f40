import type { Store } from '@wegwijs/store/database'
import { recallHeldBack } from '@wegwijs/store/release'
import { countLiftedOperations, listOperationalStops } from '@wegwijs/store/stops'

const batch = 2_000

/**
 * Watches the operational stops. When one is lifted, what it held back is due at once; `onRecall` is
 * called for each batch of it. At the start it is not known what was lifted before: when no stop
 * stands, nothing may be held back.
 */
export function createStopsPass(store: Store, onRecall: () => void): () => Promise<boolean> {
  let known: number | null = null
  let recalling = false
  return async () => {
    // Counted, since a stop may come and go between two looks.
    const lifted = await countLiftedOperations(store.db)
    const none = async () => (await listOperationalStops(store.db)).length === 0
    // Remembered until it is done: a recall that fails half-way is taken up by the next pass.
    recalling ||= known === null ? await none() : lifted > known
    known = lifted
    if (!recalling) return false
    const recalled = await recallHeldBack(store, batch)
    if (recalled > 0) onRecall()
    recalling = recalled === batch
    return recalling
  }
}
