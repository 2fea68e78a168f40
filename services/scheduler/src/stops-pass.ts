import type { Store } from '@wegwijs/store/database'
import { recallHeldBack } from '@wegwijs/store/release'
import { countLiftedOperations } from '@wegwijs/store/stops'

const batch = 2_000

/**
 * Watches the operational stops. When one is lifted, what it held back is due at once; `onRecall` is
 * called for each batch of it. So it is at the start: one may have been lifted while nobody was there.
 */
export function createStopsPass(store: Store, onRecall: () => void): () => Promise<boolean> {
  let known: number | null = null
  let recalling = false
  return async () => {
    // Counted, since a stop may come and go between two looks.
    const lifted = await countLiftedOperations(store.db)
    // Remembered until it is done: a recall that fails half-way is taken up by the next pass.
    recalling ||= known === null || lifted > known
    known = lifted
    if (!recalling) return false
    const recalled = await recallHeldBack(store, batch)
    if (recalled > 0) onRecall()
    recalling = recalled === batch
    return recalling
  }
}
