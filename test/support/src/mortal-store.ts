import { createDialect, type Store, type StoreOptions, storeOn } from '@wegwijs/store/database'
import type { DatabaseConnection, Dialect, Driver } from 'kysely'

/**
 * A store whose process ends at a chosen step. A step is a statement or a commit. From then on
 * nothing of it reaches PostgreSQL any more, open transactions are rolled back, and whoever uses it
 * sees the connection lost, as a worker that was killed leaves things.
 */
export type MortalStore = Store & {
  /** How many steps were taken. */
  readonly steps: number
  readonly dead: boolean
  /** Resolves when it has died. */
  readonly died: Promise<void>
}

export type Death = {
  /** The step at which it dies, from 1; Infinity lives. */
  at: number
  /** Whether that step still reaches PostgreSQL; the answer is lost in any case. */
  stepDone: boolean
}

/**
 * Every death that leaves something of its own: before the first step, and after each. To die before a
 * later step is to have died after the one before it, for whoever does nothing but in its store.
 */
export function deathsIn(steps: number): Death[] {
  const after = Array.from({ length: steps }, (_, index) => ({ at: index + 1, stepDone: true }))
  return [{ at: 1, stepDone: false }, ...after]
}

export function openMortalStore(options: StoreOptions, death: Death): MortalStore {
  const life = { steps: 0, dead: false }
  const died = Promise.withResolvers<void>()
  const underWay = new Set<Promise<unknown>>()
  const begin = <Result>(take: () => Promise<Result>): Promise<Result> => {
    const taken = take()
    underWay.add(taken)
    const over = () => underWay.delete(taken)
    taken.then(over, over)
    return taken
  }
  /** Takes one step; throws when the store is dead before or after it. */
  const step = async <Result>(take: () => Promise<Result>): Promise<Result> => {
    if (life.dead) throw connectionLost()
    life.steps += 1
    if (life.steps < death.at) return begin(take)
    life.dead = true
    const last = death.stepDone ? begin(take).catch(() => undefined) : undefined
    // What was sent before is carried out all the same, and is over before anybody mourns.
    void Promise.allSettled(underWay).then(() => died.resolve())
    await last
    throw connectionLost()
  }
  const store = storeOn(mortalDialect(createDialect(options), step), options)
  return Object.defineProperties(store, {
    steps: { get: () => life.steps },
    dead: { get: () => life.dead },
    died: { value: died.promise },
  }) as MortalStore
}

type Step = <Result>(take: () => Promise<Result>) => Promise<Result>

function mortalDialect(dialect: Dialect, step: Step): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => mortalDriver(dialect.createDriver(), step),
  }
}

function mortalDriver(driver: Driver, step: Step): Driver {
  const inner = new WeakMap<DatabaseConnection, DatabaseConnection>()
  const innerOf = (connection: DatabaseConnection) => inner.get(connection) ?? connection
  return {
    init: () => driver.init(),
    acquireConnection: async () => {
      const connection = await driver.acquireConnection()
      const mortal: DatabaseConnection = {
        executeQuery: (query) => step(() => connection.executeQuery(query)),
        streamQuery: (query, size) => connection.streamQuery(query, size),
      }
      inner.set(mortal, connection)
      return mortal
    },
    beginTransaction: (connection, settings) =>
      driver.beginTransaction(innerOf(connection), settings),
    commitTransaction: (connection) => step(() => driver.commitTransaction(innerOf(connection))),
    // PostgreSQL rolls back what a lost connection leaves open.
    rollbackTransaction: (connection) => driver.rollbackTransaction(innerOf(connection)),
    releaseConnection: (connection) => driver.releaseConnection(innerOf(connection)),
    destroy: () => driver.destroy(),
  }
}

function connectionLost(): Error {
  return Object.assign(new Error('Connection terminated unexpectedly'), { code: '57P01' })
}
