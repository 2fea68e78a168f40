import type { Store } from '@wegwijs/store/database'
import { recallHeldBack } from '@wegwijs/store/release'
import { listOperationalStops } from '@wegwijs/store/stops'

const batch = 2_000

/**
 * Watches the operational stops. When one is lifted, what it held back is due at once; `onRecall` is
 * called for each batch of it. At the start it is not known what was lifted before: when no stop
 * stands, nothing may be held back.
 */
export function createStopsPass(store: Store, onRecall: () => void): () => Promise<boolean> {
  let standing: ReadonlySet<string> | null = null
  let recalling = false
  return async () => {
    const now = new Set((await listOperationalStops(store.db)).map((stop) => stop.stopId))
    const lifted = standing === null ? now.size === 0 : [...standing].some((id) => !now.has(id))
    // Remembered until it is done: a recall that fails half-way is taken up by the next pass.
    recalling ||= lifted
    standing = now
    if (!recalling) return false
    const recalled = await recallHeldBack(store, batch)
    if (recalled > 0) onRecall()
    recalling = recalled === batch
    return recalling
  }
}
