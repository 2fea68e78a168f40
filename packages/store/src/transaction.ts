import { fail, isFailure } from '@wegwijs/runtime/failure'
import type { CompiledQuery, DatabaseConnection, QueryResult, RawBuilder } from 'kysely'
import type { Database, DatabaseTransaction, Querying } from './database.ts'
import { isOutdatedPlan } from './preparing-client.ts'

const MOST_TRIES = 4

/**
 * Runs `work` in a transaction, and again from its start when PostgreSQL ended it to resolve a
 * deadlock or a conflict. `work` may run several times, so it changes nothing but the database.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable) when PostgreSQL does not answer, cannot take
 *   more connections or gave up waiting for a lock; a commit may then have happened all the same
 */
export async function inTransaction<Result>(
  db: Database,
  work: (tx: DatabaseTransaction) => Promise<Result>,
): Promise<Result> {
  return trying(() =>
    db.transaction().execute(async (tx) => {
      await tx.getExecutor().provideConnection(async (connection) => {
        connections.set(tx, connection)
      })
      try {
        return await work(tx)
      } finally {
        connections.delete(tx)
      }
    }),
  )
}

/**
 * Runs one statement, which is a transaction of its own, as {@link inTransaction} does: one trip.
 *
 * @throws as {@link inTransaction}
 */
export async function alone<Row>(
  db: Database,
  statement: RawBuilder<Row>,
): Promise<QueryResult<Row>> {
  return trying(() => statement.execute(db))
}

const connections = new WeakMap<Querying, DatabaseConnection>()

/** A statement that can be sent: of `sql`, or of `fixedStatements`. */
export type Sendable<Row> = { compile(db: Querying): CompiledQuery<Row> }

/**
 * Sends a statement at once. In a transaction of {@link inTransaction} it does not wait for what was
 * sent before: they go in one trip, and are carried out in their order. The answer may then be left
 * to the commit, which goes behind it in the same trip, and fails when the statement fails.
 */
export function send<Row>(db: Querying, statement: Sendable<Row>): Promise<QueryResult<Row>> {
  const connection = connections.get(db)
  const query = statement.compile(db)
  if (!connection) {
    if (db.isTransaction) throw new TypeError('a transaction that is over, or of somebody else')
    return db.executeQuery(query)
  }
  if (!query.parameters.every(isPlain)) throw new TypeError('a parameter that pg would convert')
  const answer = connection.executeQuery<Row>(query)
  answer.catch(() => undefined)
  return answer
}

/**
 * What pg writes as it is. Anything else may fail on its way out, without PostgreSQL hearing of it:
 * it would carry out and commit the rest.
 */
function isPlain(parameter: unknown): boolean {
  if (Array.isArray(parameter)) return parameter.every(isPlain)
  return parameter === null || Buffer.isBuffer(parameter) || plainTypes.has(typeof parameter)
}

const plainTypes: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'undefined'])

async function trying<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (tries < MOST_TRIES && isConflict(error)) continue
      throw asFailure(error)
    }
  }
}

/** Runs one query, with the same failure as {@link inTransaction}. */
export async function query<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw asFailure(error)
  }
}

/**
 * True when PostgreSQL ended a transaction for the sake of another, or because the table under a
 * prepared statement was altered since: the same again works.
 */
export function isConflict(error: unknown): boolean {
  return ['40001', '40P01'].includes(codeOf(error)) || isOutdatedPlan(error)
}

/** True when the same query may work a moment later, because it was never about the query. */
export function isTransient(error: unknown): boolean {
  if (isFailure(error)) return error.retryable
  if (error instanceof AggregateError) return error.errors.some(isTransient)
  if (isConflict(error)) return true
  if (absences.test(codeOf(error)) || hindrances.test(codeOf(error))) return true
  return error instanceof Error && codelessLosses.test(error.message)
}

/**
 * Of what {@link query} failed with: true when PostgreSQL has certainly not done what the statement
 * asked, because it said no or was never reached. A connection that was lost, or ended by the server,
 * may have been so after the statement was carried out.
 */
export function isUndone(failure: unknown): boolean {
  const error = isFailure(failure) ? failure.cause : failure
  if (refusals.test(codeOf(error)) && !endings.test(codeOf(error))) return true
  return unreached.test(codeOf(error)) || (error instanceof Error && unasked.test(error.message))
}

/**
 * Of what {@link query} failed with: true when PostgreSQL was not there, or only a standby was. A lock, a time-out or a
 * want of room says that it is there.
 */
export function wasAway(failure: unknown): boolean {
  const error = isFailure(failure) ? failure.cause : failure
  if (absences.test(codeOf(error))) return true
  return error instanceof Error && codelessLosses.test(error.message)
}

/** What PostgreSQL answers with (SQLSTATE). */
const refusals = /^[0-9FHPX][0-9A-Z]{4}$/
/** Of these those that end the session, whatever it was doing. */
const endings = /^(08...|57P0[125])$/
const unreached = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN)$/
/** What pg and its pool throw before they write anything. */
const unasked = /^(timeout exceeded when|Client has encountered a connection error)/

/** Connection lost or refused, a standby, shutting down or starting. */
const absences =
  /^(08...|25006|57P0[1-3]|ECONN[A-Z]+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/
/** No resources, lock or statement time-out. */
const hindrances = /^(53...|55P03|57014)$/

/** What pg throws without a code when a connection breaks or cannot be had in time. */
const codelessLosses =
  /^(Connection terminated|Query read timeout|timeout expired|timeout exceeded when|Client has encountered a connection error)/

function asFailure(error: unknown): unknown {
  if (isFailure(error) || !isTransient(error)) return error
  const code = codeOf(error)
  return fail('WEGWIJS_DATABASE_UNAVAILABLE', code ? { reason: code } : {}, error)
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
