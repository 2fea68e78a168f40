import type { Database, DatabaseTransaction } from '@wegwijs/store/database'

/** The database, where `first` is done before each transaction begins. */
export function beforeTransactions(db: Database, first: () => Promise<void>): Database {
  const begin = () => ({
    execute: async <Result>(work: (tx: DatabaseTransaction) => Promise<Result>) => {
      await first()
      return db.transaction().execute(work)
    },
  })
  return new Proxy(db, {
    get(target, name) {
      if (name === 'transaction') return begin
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
