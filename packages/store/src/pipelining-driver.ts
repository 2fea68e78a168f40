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
 * - it commits in the trip of its last ones, if whoever sent them did not wait. A commit resolves
 *   when all that was sent before has been answered, and fails with the first that failed.
 *
 * `begin` alone fails only with its connection, and then nothing that follows is carried out.
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
    const { inner, follow, forget } = pipelined(connection)
    forget()
    follow(this.#driver.beginTransaction(inner, settings))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    const { inner, follow } = pipelined(connection)
    follow(this.#driver.commitTransaction(inner))
    const answers = await pipelined(connection).answers()
    const failed = answers.find((answer) => answer.status === 'rejected')
    if (failed) throw failed.reason
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    const rolledBack = this.#driver.rollbackTransaction(pipelined(connection).inner)
    await Promise.allSettled([rolledBack, pipelined(connection).answers()])
    return rolledBack
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

class PipelinedConnection implements DatabaseConnection {
  readonly inner: DatabaseConnection
  /** Everything that was sent since the transaction began. */
  #sent: Promise<unknown>[] = []

  constructor(inner: DatabaseConnection) {
    this.inner = inner
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const answer = this.inner.executeQuery<Row>(query)
    this.follow(answer)
    return answer
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize: number) {
    return this.inner.streamQuery<Row>(query, chunkSize)
  }

  /** A failure is told to whoever commits, also when nobody else waits for it. */
  readonly follow = (answer: Promise<unknown>): void => {
    answer.catch(() => undefined)
    this.#sent.push(answer)
  }

  readonly forget = (): void => {
    this.#sent = []
  }

  /** Of all that was sent: nothing is left on its way when the connection is lent to somebody else. */
  answers(): Promise<PromiseSettledResult<unknown>[]> {
    return Promise.allSettled(this.#sent)
  }
}
