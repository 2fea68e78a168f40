import type { Store } from '@wegwijs/store/database'
import { recallPutOff } from '@wegwijs/store/release'

const batch = 2_000

/**
 * Lets what a contact budget or quiet hours had put off be looked at again when a definition was applied
 * since: it may allow more. Keeps nothing in memory, so that a scheduler that was away misses none.
 */
export function createDefinitionPass(store: Store, onRecall: () => void): () => Promise<boolean> {
  return async () => {
    const recalled = await recallPutOff(store, batch)
    if (recalled > 0) onRecall()
    return recalled === batch
  }
}
