import { type Listen, type Store, storeOn } from '@wegwijs/store/database'
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely'
import type { Gate, Life } from './gate.ts'

/** What the world hears of the statements that a worker sends. */
export type Heard = {
  /** A statement has been carried out: what it was, what came of it. */
  answered(life: Life, query: CompiledQuery, result: QueryResult<unknown>, begun: number): void
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
  const open = new Map<DatabaseConnection, Lent>()
  const driver = gatedDriver(connections.driver, open, parts)
  const { dialect, namespace } = connections
  const store = storeOn(
    {
      createAdapter: () => dialect.createAdapter(),
      createIntrospector: (db) => dialect.createIntrospector(db),
      createQueryCompiler: () => dialect.createQueryCompiler(),
      createDriver: () => driver,
    },
    { databaseUrl: '', namespace, applicationName: namespace, listen: parts.listen },
  )
  return {
    ...store,
    abandon: () => {
      for (const lent of open.values()) void parts.gate.track(() => giveBack(lent), lent.backend)
      open.clear()
    },
  }
  async function giveBack({ connection, inTransaction }: Lent): Promise<void> {
    if (inTransaction) await connections.driver.rollbackTransaction(connection)
    await connections.driver.releaseConnection(connection)
  }
}

type Lent = {
  readonly connection: DatabaseConnection
  readonly backend: number
  inTransaction: boolean
}

const backends = new WeakMap<DatabaseConnection, number>()

function gatedDriver(
  driver: Driver,
  open: Map<DatabaseConnection, Lent>,
  { gate, life, heard }: { gate: Gate; life: Life; heard: Heard },
): Driver {
  const lentOf = (connection: DatabaseConnection): Lent => {
    const lent = open.get(connection)
    if (!lent) throw new RangeError('a connection that was not lent')
    return lent
  }
  const begin = async (connection: DatabaseConnection, settings: object) => {
    const lent = lentOf(connection)
    lent.inTransaction = true
    await gate.track(() => driver.beginTransaction(lent.connection, settings))
  }
  const commit = async (connection: DatabaseConnection) => {
    const lent = lentOf(connection)
    const take = async () => {
      await driver.commitTransaction(lent.connection)
      lent.inTransaction = false
    }
    await gate.pass(life, 'commit', take, lent.backend)
  }
  const rollback = async (connection: DatabaseConnection) => {
    const lent = lentOf(connection)
    await gate.track(() => driver.rollbackTransaction(lent.connection))
    lent.inTransaction = false
  }
  return {
    init: async () => undefined,
    acquireConnection: async () => {
      const connection = await gate.track(() => driver.acquireConnection())
      const backend = await gate.track(() => backendOf(connection))
      const lent: Lent = { connection, backend, inTransaction: false }
      const gated: DatabaseConnection = {
        executeQuery: async <Row>(query: CompiledQuery) => {
          const take = async () => {
            const begun = heard.moment()
            const result = await connection.executeQuery<Row>(query)
            heard.answered(life, query, result, begun)
            return result
          }
          return gate.pass<QueryResult<Row>>(life, labelOf(query), take, backend)
        },
        streamQuery: () => {
          throw new RangeError('nobody streams')
        },
      }
      if (life.dead) {
        await driver.releaseConnection(connection)
        return new Promise(() => undefined)
      }
      open.set(gated, lent)
      return gated
    },
    beginTransaction: begin,
    commitTransaction: commit,
    rollbackTransaction: rollback,
    releaseConnection: async (connection) => {
      const lent = open.get(connection)
      open.delete(connection)
      if (lent) await gate.track(() => driver.releaseConnection(lent.connection))
    },
    destroy: async () => undefined,
  }
}

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

const longestLabel = 90

/** The statement in one line, without what stands in it. */
function labelOf({ sql }: CompiledQuery): string {
  const line = sql.replaceAll(/\s+/g, ' ').trim()
  return line.length > longestLabel ? `${line.slice(0, longestLabel)} …` : line
}
