import { type Listen, type Store, storeOn } from '@wegwijs/store/database'
import type {
  CompiledQuery,
  DatabaseConnection,
  Dialect,
  Driver,
  QueryResult,
  TransactionSettings,
} from 'kysely'
import type { Gate, Life } from './gate.ts'
import { unwritable } from './promises.ts'

/** What the world hears of the statements that a worker sends. */
export type Heard = {
  /** A statement has been carried out: what it was, what came of it. */
  answered(life: Life, query: CompiledQuery, result: QueryResult<unknown>, begun: number): void
  /** A transaction has been committed in which these were carried out. */
  committed(life: Life, queries: readonly CompiledQuery[]): void
  /** Says when this moment is, in the order of everything that happens. */
  moment(): number
}

/** Real connections to PostgreSQL, lent to one worker after the other. */
export type Connections = { dialect: Dialect; driver: Driver; namespace: string }

/**
 * A store whose every statement and commit stands at the gate. When the life that uses it ends, its
 * connections are gone: what they had open is rolled back, and they are lent to others.
 */
export function gatedStore(
  connections: Connections,
  parts: { gate: Gate; life: Life; heard: Heard; listen: Listen },
): Store & { abandon(): void } {
  const open = new Set<GatedConnection>()
  const { dialect, namespace } = connections
  const store = storeOn(
    {
      createAdapter: () => dialect.createAdapter(),
      createIntrospector: (db) => dialect.createIntrospector(db),
      createQueryCompiler: () => dialect.createQueryCompiler(),
      createDriver: () => gatedDriver(connections.driver, open, parts),
    },
    { databaseUrl: '', namespace, applicationName: namespace, listen: parts.listen },
  )
  return {
    ...store,
    abandon: () => {
      for (const connection of open) connection.abandon()
      open.clear()
    },
  }
}

function gatedDriver(
  driver: Driver,
  open: Set<GatedConnection>,
  parts: { gate: Gate; life: Life; heard: Heard },
): Driver {
  const gatedOf = (connection: DatabaseConnection) => connection as GatedConnection
  return {
    init: async () => undefined,
    acquireConnection: async () => {
      const connection = new GatedConnection(driver, parts)
      open.add(connection)
      return connection
    },
    beginTransaction: async (connection, settings) => gatedOf(connection).begin(settings),
    commitTransaction: (connection) => gatedOf(connection).commit(),
    rollbackTransaction: (connection) => gatedOf(connection).rollback(),
    releaseConnection: async (connection) => {
      open.delete(gatedOf(connection))
      await gatedOf(connection).release()
    },
    destroy: async () => undefined,
  }
}

/**
 * A real connection is taken with the first statement, and a transaction begun with it, inside of
 * the one operation that is let through: what is on its way beside it would come back in any order.
 * What was sent behind another stands when that has been answered, so that the life may also end
 * between the two; behind one that failed nothing is carried out any more.
 */
class GatedConnection implements DatabaseConnection {
  readonly #driver: Driver
  readonly #gate: Gate
  readonly #life: Life
  readonly #heard: Heard
  #real: DatabaseConnection | null = null
  #backend: number | null = null
  #settings: TransactionSettings | null = null
  #begun = false
  #carriedOut: CompiledQuery[] = []
  #before: Promise<unknown> = Promise.resolve()
  #failed: { error: unknown } | null = null
  #last = ''

  constructor(driver: Driver, { gate, life, heard }: { gate: Gate; life: Life; heard: Heard }) {
    this.#driver = driver
    this.#gate = gate
    this.#life = life
    this.#heard = heard
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return this.#pass(labelOf(query), async (real) => {
      if (query.parameters.some(isUnwritable)) throw new UnwritableError()
      const begun = this.#heard.moment()
      const result = await real.executeQuery<Row>(query)
      this.#carriedOut.push(query)
      this.#heard.answered(this.#life, query, result, begun)
      return result
    })
  }

  streamQuery(): never {
    throw new RangeError('nobody streams')
  }

  begin(settings: TransactionSettings): void {
    this.#failed = null
    this.#last = ''
    this.#carriedOut = []
    this.#settings = settings
  }

  async commit(): Promise<void> {
    await this.#pass('commit', async (real) => {
      await this.#driver.commitTransaction(real)
      this.#begun = false
      this.#heard.committed(this.#life, this.#carriedOut)
    })
  }

  async rollback(): Promise<void> {
    this.#failed ??= { error: new Error('rolled back') }
    await this.#before
    await this.#rollback()
    this.#failed = null
  }

  async #rollback(): Promise<void> {
    const real = this.#real
    this.#settings = null
    if (!real || !this.#begun) return
    this.#begun = false
    await this.#gate.track(() => this.#driver.rollbackTransaction(real), this.#askBackend)
  }

  async release(): Promise<void> {
    const real = this.#real
    this.#real = null
    if (real) await this.#driver.releaseConnection(real)
  }

  /** The process is gone: what it had open is rolled back, behind the statement that is under way. */
  abandon(): void {
    void this.#rollback().then(() => this.release())
  }

  readonly #askBackend = (): number | null => this.#backend

  #pass<Result>(
    label: string,
    take: (real: DatabaseConnection) => Promise<Result>,
  ): Promise<Result> {
    const passed = this.#before.then(() => {
      if (this.#failed) throw this.#failed.error
      const whenLet = async () => take(await this.#connect())
      const on = { backend: this.#askBackend, behind: this.#last }
      this.#last = label
      return this.#gate.pass(this.#life, label, whenLet, on)
    })
    this.#before = passed.catch((error: unknown) => {
      this.#failed ??= { error }
    })
    return passed
  }

  async #connect(): Promise<DatabaseConnection> {
    const real = this.#real ?? (await this.#driver.acquireConnection())
    this.#real = real
    this.#backend ??= await backendOf(real)
    if (this.#settings) {
      const settings = this.#settings
      this.#settings = null
      await this.#driver.beginTransaction(real, settings)
      this.#begun = true
    }
    return real
  }
}

const backends = new WeakMap<DatabaseConnection, number>()

async function backendOf(connection: DatabaseConnection): Promise<number> {
  const known = backends.get(connection)
  if (known !== undefined) return known
  const { rows } = await connection.executeQuery<{ pid: number }>({
    sql: 'select pg_backend_pid() as pid',
    parameters: [],
    query: { kind: 'RawNode' },
    queryId: { queryId: 'backend' },
  } as unknown as CompiledQuery)
  const backend = rows[0]?.pid ?? 0
  backends.set(connection, backend)
  return backend
}

/** What a server says of a value that is no text: the transaction fails, and would again. */
class UnwritableError extends Error {
  readonly code = '22P05'
  override name = 'error'
}

function isUnwritable(parameter: unknown): boolean {
  return typeof parameter === 'string' && parameter.includes(unwritable)
}

const longestLabel = 90

/** The statement in one line, without what stands in it. */
function labelOf({ sql }: CompiledQuery): string {
  const line = sql.replaceAll(/\s+/g, ' ').trim()
  return line.length > longestLabel ? `${line.slice(0, longestLabel)} …` : line
}
