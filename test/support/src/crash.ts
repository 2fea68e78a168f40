import type { Store } from '@wegwijs/store/database'
import type { KyselyPlugin } from 'kysely'

export type CrashingStore = Store & {
  /** True once the process is dead: nothing it does reaches the database any more. */
  crashed(): boolean
  statements(): number
}

/** The same store as seen by a process that is killed right before its statement number `at`. */
export function crashBefore(store: Store, at: number): CrashingStore {
  let count = 0
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      count += 1
      if (count >= at) throw new Error('the process is dead')
      return node
    },
    transformResult: async ({ result }) => result,
  }
  return {
    ...store,
    db: store.db.withPlugin(plugin),
    crashed: () => count >= at,
    statements: () => count,
  }
}
