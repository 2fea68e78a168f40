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

/**
 * The same store over a connection that breaks when transaction number `at` has just been committed:
 * it happened, and whoever asked for it never hears so.
 */
export function loseAnswer(store: Store, at: number): Store {
  let count = 0
  const transaction = () => ({
    execute: async (work: Parameters<ReturnType<Store['db']['transaction']>['execute']>[0]) => {
      const result = await store.db.transaction().execute(work)
      count += 1
      if (count === at) throw new Error('Connection terminated unexpectedly')
      return result
    },
  })
  const db = new Proxy(store.db, {
    get: (target, name) => {
      if (name === 'transaction') return transaction
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  return { ...store, db }
}
