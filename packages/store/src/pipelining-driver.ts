import type {
  CompiledQuery,
  DatabaseConnection,
  Dialect,
  Driver,
  QueryResult,
  TransactionSettings,
} from 'kysely'

/**
 * A dialect whose statements may go in one trip with others, on a pool of pg that was made with
 * `pipeline`: what needs no answer of the statement before is sent behind it. PostgreSQL carries out
 * what comes over one connection in its order, each statement on a snapshot of its own, and after
 * one that failed nothing more of its transaction:
 *
 * - a transaction begins in the trip of its first statement;
 * - it commits in the trip of its last ones, if whoever sent them did not wait;
 * - whatever was sent behind a statement that failed, the commit too, fails with that one's error:
 *   PostgreSQL says of them only that the transaction is over (25P02), which would hide a conflict.
 *
 * A commit or rollback resolves when all that was sent before has been answered. `begin` alone fails
 * with its connection, and then nothing that follows is carried out.
 */
export function pipelining(dialect: Dialect): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => new PipeliningDriver(dialect.createDriver()),
  }
}

class PipeliningDriver implements Driver {
  readonly #driver: Driver
  readonly #connections = new WeakMap<DatabaseConnection, PipelinedConnection>()

  constructor(driver: Driver) {
    this.#driver = driver
  }

  init(): Promise<void> {
    return this.#driver.init()
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const inner = await this.#driver.acquireConnection()
    const connection = this.#connections.get(inner) ?? new PipelinedConnection(inner)
    this.#connections.set(inner, connection)
    return connection
  }

  async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    const pipe = pipelined(connection)
    pipe.beginFlight()
    void pipe.follow(this.#driver.beginTransaction(pipe.inner, settings))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    const pipe = pipelined(connection)
    const committed = pipe.follow(this.#driver.commitTransaction(pipe.inner))
    await pipe.endFlight()
    return committed
  }

  /** Never rejects: whoever rolls back has a cause to tell, and a connection that failed is not lent again. */
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    const pipe = pipelined(connection)
    await Promise.allSettled([this.#driver.rollbackTransaction(pipe.inner), pipe.endFlight()])
  }

  releaseConnection(connection: DatabaseConnection): Promise<void> {
    return this.#driver.releaseConnection(pipelined(connection).inner)
  }

  destroy(): Promise<void> {
    return this.#driver.destroy()
  }
}

function pipelined(connection: DatabaseConnection): PipelinedConnection {
  if (connection instanceof PipelinedConnection) return connection
  throw new TypeError('a connection of another driver')
}

/** Everything that was sent of a transaction, and what failed first of it. */
type Flight = { readonly sent: Promise<unknown>[]; failure: { error: unknown } | null }

class PipelinedConnection implements DatabaseConnection {
  readonly inner: DatabaseConnection
  /** Null outside of a transaction. */
  #flight: Flight | null = null

  constructor(inner: DatabaseConnection) {
    this.inner = inner
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return this.follow(this.inner.executeQuery<Row>(query))
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize: number) {
    return this.inner.streamQuery<Row>(query, chunkSize)
  }

  beginFlight(): void {
    this.#flight = { sent: [], failure: null }
  }

  /** The answer, which within a transaction nobody need wait for. */
  follow<Answer>(answer: Promise<Answer>): Promise<Answer> {
    const flight = this.#flight
    if (!flight) return answer
    const followed = answer.catch((error: unknown) => {
      flight.failure ??= { error }
      throw flight.failure.error
    })
    followed.catch(() => undefined)
    flight.sent.push(followed)
    return followed
  }

  /** Nothing is left on its way when the connection is lent to somebody else. */
  async endFlight(): Promise<void> {
    await Promise.allSettled(this.#flight?.sent ?? [])
    this.#flight = null
  }
}
