import type { Store } from '@wegwijs/store/database'
import type { KyselyPlugin } from 'kysely'

/** The same store, telling how many statements went through it; transactions begin and end for free. */
export function countStatements(store: Store): Store & { statements(): number; forget(): void } {
  let count = 0
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      count += 1
      return node
    },
    transformResult: async ({ result }) => result,
  }
  return {
    ...store,
    db: store.db.withPlugin(plugin),
    statements: () => count,
    forget: () => {
      count = 0
    },
  }
}
